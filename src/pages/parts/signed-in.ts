import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { initialsOf } from '../initials.ts'
import { textList } from './elements.ts'

/** The user on whose page a browser is. */
export type SignedInUser = {
  readonly id: string
  /** As the identity provider gives it. */
  readonly name?: string | undefined
  /** This browser has a session of the user's, which it can end. */
  readonly hasSession: boolean
}

/** What a browser had connected before its user signed in. */
export type Takeover = { readonly titles: readonly string[] }

/** For the head of a page without the scripts that sign out. */
export const signedInAs = ({ messages }: PageContext, { id, name }: SignedInUser): Html =>
  html`<p class="signed-in">${messages.user.signedInAs(html`<bdi>${name ?? id}</bdi>`)}</p>`

/** For the head of the Connections page. Opens without its script too, which closes it. */
export function accountMenu(context: PageContext, user: SignedInUser): Html {
  const shown = user.name ?? user.id
  return html`<details class="menu account-menu">
<summary aria-label="${context.messages.user.menu(shown)}"><span class="avatar" data-initials="${initialsOf(shown)}"></span><bdi class="account-name">${shown}</bdi></summary>
<div class="menu-panel">
${signedInAs(context, user)}
${user.hasSession ? signOutButton(context) : ''}
</div>
</details>`
}

function signOutButton({ path, messages }: PageContext): Html {
  const texts = messages.user.signOut
  return html`<button type="button" class="secondary" data-method="POST" data-path="${path('/logout')}" data-question="${texts.question}" data-consequence="${texts.consequence}" data-safe data-signs-out data-success="${texts.success}">${texts.label}</button>`
}

/** What signing out does not end. */
export function disconnectAllPanel({ path, messages }: PageContext): Html {
  const texts = messages.user.disconnectAll
  return html`<div class="sign-out">
<p class="fine-print">${texts.hint}</p>
<button type="button" class="secondary" data-method="DELETE" data-path="${path('/connections')}" data-question="${texts.question}" data-consequence="${texts.consequence}" data-success="${texts.success}">${texts.label}</button>
<p class="fine-print no-script">${messages.connectionsNeedScript}</p>
</div>`
}

/** Nothing becomes the user's by itself: somebody else may have used this browser before. */
export function takeoverPanel(context: PageContext, { titles }: Takeover): Html {
  const { path, messages, listFormat } = context
  const { title, text, keep, disconnect } = messages.takeover
  const [list, count] = [listFormat.format(titles), titles.length]
  return html`<section class="panel takeover" aria-labelledby="takeover-title">
<h2 id="takeover-title">${title}</h2>
<p>${text(textList(context, titles), count)}</p>
<div class="button-row">
<button type="button" data-method="POST" data-path="${path('/takeover')}" data-question="${keep.question(list)}" data-consequence="${keep.consequence(count)}" data-safe data-success="${keep.success(list, count)}">${keep.label(count)}</button>
<button type="button" class="secondary" data-method="DELETE" data-path="${path('/takeover')}" data-question="${disconnect.question(list)}" data-consequence="${disconnect.consequence}" data-success="${disconnect.success(list, count)}">${disconnect.label(count)}</button>
</div>
<p class="fine-print no-script">${messages.thatNeedsScript}</p>
</section>
`
}

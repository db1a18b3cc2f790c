import { toSingleLine } from '../../core/util/display-text.ts'
import type { Invitation } from '../../core/vault/invitations.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { time } from './elements.ts'
import type { SignedInUser } from './signed-in.ts'

export type OpenInvitation = { invitation: Invitation; title: string }

/** Invitations neither accepted nor declined. Their links were shown once and cannot be shown again. */
export const openInvitations = (
  context: PageContext,
  invitations: readonly OpenInvitation[]
): Html => html`<section class="invitations" aria-labelledby="open-title">
<h2 id="open-title">${context.messages.invitations.title}</h2>
<ul role="list">
${invitations.map(invitation => row(context, invitation))}
</ul>
</section>
`

function row(context: PageContext, { invitation: { id, name, expiresAtMs }, title }: OpenInvitation): Html {
  const { path, messages } = context
  const { open, withdraw } = messages.invitations
  return html`<li>
<p><strong>${title}</strong><span class="fine-print">${open(name === '' ? undefined : html`<bdi>${name}</bdi>`, time(context, expiresAtMs))}</span></p>
<button type="button" class="secondary" aria-label="${withdraw.name(title)}" data-method="DELETE" data-path="${path(`/invitations/${id}`)}" data-question="${withdraw.question(title)}" data-consequence="${withdraw.consequence}" data-success="${withdraw.success(title)}">${withdraw.label}</button>
</li>
`
}

/**
 * Creates an invitation. `src/browser/invite.ts` opens it for one provider or account, and fills in what is to be connected at `data-title`.
 * @param user who is signed in, if users sign in here
 */
export function inviteDialog({ messages, brand, site }: PageContext, user: SignedInUser | undefined): Html {
  const texts = messages.invitations.dialog
  const of = html`<span data-title></span>`
  const app = brand.appName ?? new URL(site.publicUrl).host
  return html`<dialog class="wide" id="invite" aria-labelledby="invite-title">
<h2 id="invite-title" tabindex="-1" autofocus>${texts.heading(of)}</h2>
<form class="invite-form" novalidate>
<p>${texts.intro}</p>
<p id="invite-replaces">${texts.replaces}</p>
<p id="invite-adds">${texts.adds}</p>
<label class="choice" id="invite-choice"><input type="checkbox" id="invite-add">${texts.add}</label>
<div>
<label for="invite-name">${texts.yourName}</label>
<p class="error" id="invite-error" role="alert"></p>
<div class="input-row"><input id="invite-name" type="text" maxlength="80" autocomplete="name" aria-describedby="invite-error"${user?.name && html` value="${toSingleLine(user.name).slice(0, 80)}"`}></div>
</div>
<div class="button-row"><button type="button" class="secondary" data-close>${messages.cancel}</button><button type="submit">${texts.submit}</button></div>
</form>
<div class="invite-result" hidden>
<div>
<label for="invite-link">${texts.link(of)}</label>
<div class="input-row"><input id="invite-link" type="text" readonly aria-describedby="invite-notes"><button type="button" data-copy>${texts.copy}</button></div>
<p class="fine-print" role="status"></p>
<p><a data-mail data-subject="${texts.mailSubject(app)}" data-body="${texts.mailBody(app)}">${texts.mail}</a></p>
</div>
<ul class="notes" id="invite-notes">
<li>${texts.onlyToThem}</li>
<li>${texts.expires(html`<time></time>`, user === undefined)}</li>
<li>${texts.onlyTheirs(of)}</li>
</ul>
<div class="button-row"><button type="button" class="secondary" data-close>${messages.done}</button></div>
</div>
</dialog>
`
}

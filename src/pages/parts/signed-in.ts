import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
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

/** For the head of the page. */
export const signedInAs = (context: PageContext, { id, name, hasSession }: SignedInUser): Html => html`<div class="signed-in">
<p>Signed in as <bdi>${name ?? id}</bdi></p>
${hasSession ? signOutButton(context) : ''}
</div>`

const signOutButton = ({ path }: PageContext): Html =>
  html`<button type="button" class="secondary" data-method="POST" data-path="${path('/logout')}" data-question="Sign out?" data-consequence="This browser is signed out. Your connections stay, and applications can go on using them for you." data-safe data-signs-out data-success="You are signed out in this browser. Your connections stay.">Sign out</button>`

/** What signing out does not end. */
export const disconnectAllPanel = ({ path }: PageContext): Html => html`<div class="sign-out">
<p class="fine-print">Your connections stay when you sign out, for every browser in which you sign in and for what works for you meanwhile.</p>
<button type="button" class="secondary" data-method="DELETE" data-path="${path('/connections')}" data-question="Disconnect all?" data-consequence="Every connection on this page is ended, for every browser and application, and every link that waits for somebody else. You can connect again at any time." data-success="Everything is disconnected.">Disconnect all</button>
<p class="fine-print no-script">Disconnecting and signing out need JavaScript, which is off in this browser.</p>
</div>`

/** Nothing becomes the user's by itself: somebody else may have used this browser before. */
export function takeoverPanel({ path }: PageContext, { titles }: Takeover): Html {
  const list = textList(titles)
  const [text, it] = [new Intl.ListFormat('en').format(titles), titles.length > 1 ? 'them' : 'it']
  return html`<section class="panel takeover" aria-labelledby="takeover-title">
<h2 id="takeover-title">Was that you?</h2>
<p>Before you signed in, this browser had connected ${list}. Keep ${it} if you did that. If somebody else may have, disconnect ${it}.</p>
<div class="button-row">
<button type="button" data-method="POST" data-path="${path('/takeover')}" data-question="Keep ${text}?" data-consequence="From now on ${it === 'it' ? 'it is yours' : 'they are yours'}, in every browser in which you sign in." data-safe data-success="${text} ${it === 'it' ? 'is' : 'are'} yours now.">Keep ${it}</button>
<button type="button" class="secondary" data-method="DELETE" data-path="${path('/takeover')}" data-question="Disconnect ${text}?" data-consequence="What this browser had connected before is ended. The connections on this page stay." data-success="${text} ${it === 'it' ? 'is' : 'are'} disconnected.">Disconnect ${it}</button>
</div>
<p class="fine-print no-script">That needs JavaScript, which is off in this browser.</p>
</section>
`
}

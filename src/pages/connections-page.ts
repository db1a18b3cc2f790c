import { connectionsScript, inviteScript, keyFormScript } from './assets.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { type ConnectionCard, connectionCard } from './parts/connection-card.ts'
import { time } from './parts/elements.ts'
import { inviteDialog, type OpenInvitation, openInvitations } from './parts/invitations.ts'
import { keyDialog } from './parts/key-form.ts'
import { disconnectAllPanel, type SignedInUser, signedInAs, type Takeover, takeoverPanel } from './parts/signed-in.ts'
import type { SignInResult } from './sign-in-result.ts'

/** The session and its connections end after `idleMs` without use, but not before `notBeforeMs`, and at the latest at `latestMs`. */
type SessionExpiry = { idleMs: number; notBeforeMs: number | undefined; latestMs: number }

type ConnectionsPageOptions = {
  cards: readonly ConnectionCard[]
  invitations: readonly OpenInvitation[]
  signInResult: SignInResult | undefined
  /** `undefined` without a session, and for a user: their connections do not end with it. */
  sessionExpiry: SessionExpiry | undefined
  user: SignedInUser | undefined
  takeover: Takeover | undefined
}

/** Works without its scripts, except for API keys, invitations, default accounts, disconnecting, taking over and signing out. */
export function connectionsPage(context: PageContext, options: ConnectionsPageOptions): string {
  const { cards, invitations, signInResult, sessionExpiry, user, takeover } = options
  const { path } = context
  const hasAny = invitations.length > 0 || cards.some(({ accounts }) => accounts.some(({ view }) => view.status !== 'disconnected'))
  return page(
    context,
    signInResult ? `${signInResult.title} · Connections` : 'Connections',
    html`<h1>Connections</h1>
<p class="lead">Choose the services that the applications of this site may use for you.</p>
<p id="message" class="message" role="status" tabindex="-1" data-kind="${signInResult?.kind}">${signInResult?.text}</p>
<p id="sign-in-again" hidden><a class="button" href="${path('/')}">Sign in again</a></p>
<div id="connections" data-home="${path('/')}">
${takeover ? takeoverPanel(context, takeover) : ''}
<ul class="card-list" role="list">
${cards.map(card => connectionCard(context, card))}
</ul>
${cards.length === 0 ? html`<p class="panel">No service is set up here yet. Who runs this site can add one.</p>` : ''}
${invitations.length > 0 ? openInvitations(context, invitations) : ''}
${user && hasAny ? disconnectAllPanel(context) : ''}
${sessionExpiry && hasAny ? signOutPanel(context, sessionExpiry) : ''}
</div>
${facts}
${confirmation}
${inviteDialog(user)}
${cards.map(({ provider }) => (provider.methods.apiKey ? keyDialog(context, provider, provider.methods.apiKey) : ''))}
<script src="${path(connectionsScript.url)}" type="module"></script>
<script src="${path(keyFormScript.url)}" type="module"></script>
<script src="${path(inviteScript.url)}" type="module"></script>`,
    user && signedInAs(context, user)
  )
}

const facts = html`<div class="facts">
<div><h2>You never give a password</h2><p class="fine-print">You sign in on the service’s own page, or paste a key that you make there.</p></div>
<div><h2>Access stays locked away</h2><p class="fine-print">It is kept encrypted on this server. No application and no browser gets to see it.</p></div>
<div><h2>You can end it any time</h2><p class="fine-print">Disconnect, and the access ends here at once. Where the service can be told, it ends there too.</p></div>
</div>`

const confirmation = html`<dialog id="confirmation" aria-labelledby="confirmation-question" aria-describedby="confirmation-consequence">
<h2 id="confirmation-question"></h2>
<p id="confirmation-consequence"></p>
<form method="dialog" class="button-row"><button class="secondary" value="no">Cancel</button><button class="danger" value="yes"></button></form>
</dialog>`

const signOutPanel = ({ path }: PageContext, { idleMs, notBeforeMs, latestMs }: SessionExpiry): Html => html`<div class="sign-out">
<p class="fine-print">Done on a computer that others use too? Sign out. Otherwise all of this ends after ${duration(idleMs)} without use${notBeforeMs === undefined ? '' : html` (not before ${time(Math.min(notBeforeMs, latestMs))}, since you asked somebody else)`}, and on ${time(latestMs)} at the latest.</p>
<button type="button" class="secondary" data-method="POST" data-path="${path('/logout')}" data-question="Sign out?" data-consequence="Every connection on this page is ended, and every link that waits for somebody else. You can connect again at any time." data-success="You are signed out, and every connection is ended.">Sign out and disconnect all</button>
<p class="fine-print no-script">Disconnecting and signing out need JavaScript, which is off in this browser.</p>
</div>`

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000]
] as const

/** `8 hours`, `30 days`: in the largest unit with a value of at least 2. */
function duration(ms: number): string {
  const [unit, size] = units.find(([, size]) => ms >= 2 * size) ?? ['second', 1000]
  return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 }).format(ms / size)
}

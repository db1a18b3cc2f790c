import { connectFormScript, connectionsScript, inviteScript } from './assets.ts'
import { inOrder } from './card-order.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { type ConnectionCard, connectionCard } from './parts/connection-card.ts'
import { time } from './parts/elements.ts'
import { inviteDialog, type OpenInvitation, openInvitations } from './parts/invitations.ts'
import { keyDialog } from './parts/key-form.ts'
import { accountMenu, disconnectAllPanel, type SignedInUser, type Takeover, takeoverPanel } from './parts/signed-in.ts'
import type { SignInResult } from './sign-in-result.ts'

/** The session and its connections end after `idleMs` without use, but not before `notBeforeMs`, and at the latest at `latestMs`. */
type SessionExpiry = { idleMs: number; notBeforeMs: number | undefined; latestMs: number }

/** More than these are not found by a look. */
const maxCardsAtAGlance = 8

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
  const { invitations, signInResult, sessionExpiry, user, takeover } = options
  const cards = inOrder(context, options.cards)
  const { path, messages, brand } = context
  const texts = messages.connections
  const hasAny = invitations.length > 0 || cards.some(({ accounts }) => accounts.some(({ view }) => view.status !== 'disconnected'))
  return page(
    context,
    {
      title: signInResult ? `${signInResult.title} · ${texts.title}` : texts.title,
      user: user && accountMenu(context, user),
      scripts: [connectionsScript, connectFormScript, inviteScript],
      isWide: true
    },
    html`<h1>${texts.title}</h1>
<p class="lead">${texts.lead(brand.appName)}</p>
<p id="message" class="message" role="status" tabindex="-1" data-kind="${signInResult?.kind}">${signInResult?.text}</p>
<p id="sign-in-again" hidden><a class="button" href="${path('/')}">${messages.signInAgain}</a></p>
${cards.length > maxCardsAtAGlance ? searchField(context) : ''}
<div id="connections" data-home="${path('/')}">
${takeover ? takeoverPanel(context, takeover) : ''}
<ul class="card-list" role="list">
${cards.map(card => connectionCard(context, card))}
</ul>
${cards.length === 0 ? html`<p class="panel">${texts.none}</p>` : ''}
${invitations.length > 0 ? openInvitations(context, invitations) : ''}
${user && hasAny ? disconnectAllPanel(context) : ''}
${sessionExpiry && hasAny ? signOutPanel(context, sessionExpiry) : ''}
</div>
<div class="facts">
${factsFor(context, cards).map(({ title, text }) => html`<div><h2>${title}</h2><p class="fine-print">${text}</p></div>`)}
</div>
${confirmation(context)}
${inviteDialog(context, user)}
${cards.map(({ provider }) => (provider.methods.apiKey ? keyDialog(context, provider) : ''))}`
  )
}

/** A field that is taken exactly as it is typed is a password. */
function factsFor({ messages }: PageContext, cards: readonly ConnectionCard[]): PageContext['messages']['connections']['facts'] {
  const { facts, factWithPassword } = messages.connections
  const hasPassword = cards.some(({ provider }) => Object.values(provider.methods.apiKey?.fields ?? {}).some(({ verbatim }) => verbatim))
  return hasPassword ? [factWithPassword, ...facts.slice(1)] : facts
}

/** Outside of what is refreshed, so that what was typed stays. `src/browser/connections.ts` hides the cards that do not match. */
const searchField = ({ messages }: PageContext): Html => html`<search class="field card-search">
<label for="card-search">${messages.connections.search}</label>
<div class="input-row"><input id="card-search" type="search" autocomplete="off" spellcheck="false"></div>
<p class="fine-print" role="status"></p>
</search>`

const confirmation = ({
  messages
}: PageContext): Html => html`<dialog id="confirmation" aria-labelledby="confirmation-question" aria-describedby="confirmation-consequence">
<h2 id="confirmation-question"></h2>
<p id="confirmation-consequence"></p>
<form method="dialog" class="button-row"><button class="secondary" value="no">${messages.cancel}</button><button class="danger" value="yes"></button></form>
</dialog>`

function signOutPanel(context: PageContext, { idleMs, notBeforeMs, latestMs }: SessionExpiry): Html {
  const { path, language, messages } = context
  const texts = messages.signOutAll
  const notBefore = notBeforeMs === undefined ? undefined : time(context, Math.min(notBeforeMs, latestMs))
  return html`<div class="sign-out">
<p class="fine-print">${texts.hint(duration(language, idleMs), notBefore, time(context, latestMs))}</p>
<button type="button" class="secondary" data-method="POST" data-path="${path('/logout')}" data-question="${texts.question}" data-consequence="${texts.consequence}" data-success="${texts.success}">${texts.label}</button>
<p class="fine-print no-script">${messages.connectionsNeedScript}</p>
</div>`
}

const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000]
] as const

/** `8 hours`, `30 days`: in the largest unit with a value of at least 2. */
function duration(language: string, ms: number): string {
  const [unit, size] = units.find(([, size]) => ms >= 2 * size) ?? ['second', 1000]
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 }).format(ms / size)
}

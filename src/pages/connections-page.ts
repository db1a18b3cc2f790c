import { connectionsScript, inviteScript, keyFormScript } from './assets.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { type Card, card } from './parts/connection-card.ts'
import { inviteDialog } from './parts/invite-dialog.ts'
import { keyDialog } from './parts/key-form.ts'
import { type OpenInvitation, openInvitations } from './parts/open-invitations.ts'
import { type SessionExpiry, signOutPanel } from './parts/sign-out-panel.ts'
import type { SignInResult } from './sign-in-result.ts'

type Shown = {
  cards: readonly Card[]
  invitations: readonly OpenInvitation[]
  outcome: SignInResult | undefined
  /** When all of it ends by itself; nothing while there is no session. */
  ending: SessionExpiry | undefined
}

/** It works without its scripts, but for pasting keys, asking somebody else, disconnecting and signing out. */
export const connectionsPage = ({ cards, invitations, outcome, ending }: Shown): string =>
  page(
    outcome ? `${outcome.title} · Connections` : 'Connections',
    html`<h1>Connections</h1>
<p class="lede">Choose the services that the applications of this site may use for you.</p>
<p id="message" class="message" role="status" tabindex="-1" data-kind="${outcome?.kind}">${outcome?.text}</p>
<div id="connections">
<ul class="cards" role="list">
${cards.map(card)}
</ul>
${cards.length === 0 ? html`<p class="panel">No service is set up here yet. Who runs this site can add one.</p>` : ''}
${invitations.length > 0 ? openInvitations(invitations) : ''}
${ending && (invitations.length > 0 || cards.some(({ view }) => view.status !== 'disconnected')) ? signOutPanel(ending) : ''}
</div>
${facts}
${confirmation}
${inviteDialog}
${cards.map(({ provider }) => (provider.methods.apiKey ? keyDialog(provider, provider.methods.apiKey) : ''))}
<script src="${connectionsScript.url}" type="module"></script>
<script src="${keyFormScript.url}" type="module"></script>
<script src="${inviteScript.url}" type="module"></script>`
  )

const facts = html`<div class="facts">
<div><h2>You never give a password</h2><p class="fine">You sign in on the service’s own page, or paste a key that you make there.</p></div>
<div><h2>Access stays locked away</h2><p class="fine">It is kept encrypted on this server. No application and no browser gets to see it.</p></div>
<div><h2>You can end it any time</h2><p class="fine">Disconnect, and the access ends here at once. Where the service can be told, it ends there too.</p></div>
</div>`

const confirmation = html`<dialog id="confirmation" aria-labelledby="question" aria-describedby="meaning">
<h2 id="question"></h2>
<p id="meaning"></p>
<form method="dialog" class="choice"><button class="quiet" value="no">Cancel</button><button class="yes" value="yes"></button></form>
</dialog>`

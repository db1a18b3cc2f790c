import { script } from './assets.ts'
import { type Card, card } from './card.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import type { Outcome } from './outcome.ts'

/** It works without its script, but for disconnecting and signing out. */
export const connectionsPage = (cards: readonly Card[], outcome: Outcome | undefined): string =>
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
${cards.some(({ view }) => view.status !== 'disconnected') ? leave : ''}
</div>
${facts}
${confirmation}
<script src="${script.url}" type="module"></script>`
  )

const leave = html`<div class="leave">
<p class="fine">Done on a computer that others use too? Sign out.</p>
<button type="button" class="quiet" data-method="POST" data-path="/logout" data-question="Sign out?" data-meaning="Every connection on this page is ended. You can connect again at any time." data-done="You are signed out, and every connection is ended.">Sign out and disconnect all</button>
<p class="fine scriptless">Disconnecting and signing out need JavaScript, which is off in this browser.</p>
</div>`

const facts = html`<div class="facts">
<div><h2>You sign in at the service</h2><p class="fine">Connect opens the service’s own page. You never type its password here.</p></div>
<div><h2>Access stays locked away</h2><p class="fine">It is kept encrypted on this server. No application and no browser gets to see it.</p></div>
<div><h2>You can end it any time</h2><p class="fine">Disconnect, and the access ends here at once. Where the service can be told, it ends there too.</p></div>
</div>`

const confirmation = html`<dialog aria-labelledby="question" aria-describedby="meaning">
<h2 id="question"></h2>
<p id="meaning"></p>
<form method="dialog"><button class="quiet" value="no">Cancel</button><button class="yes" value="yes"></button></form>
</dialog>`

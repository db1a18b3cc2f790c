import type { ApiKeyMethod, ProviderSettings } from '../core/provider/provider.ts'
import type { Invitation } from '../core/vault/invitations.ts'
import { keyFormScript } from './assets.ts'
import { thanksUrl } from './connect-methods.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerHeading, scopeList, setupGuide, time } from './parts/elements.ts'
import { keyForm } from './parts/key-form.ts'

type Shown = {
  invitation: Invitation
  settings: ProviderSettings
  /** The invitation's own path: what its forms are sent to begins with it. */
  address: string
  site: string
  /** Why it did not work before. */
  refusal: string | undefined
}

/** Who asks for what, and the choice. A person who was sent here has never heard of this site, and owes nobody a yes. */
export function invitationPage({ invitation, settings, address, site, refusal }: Shown): string {
  const { definition, client } = settings
  const { title, description, methods } = definition
  const name = invitation.name === '' ? 'Somebody' : invitation.name
  const who = html`<bdi>${name}</bdi>`
  return page(
    `${name} asks you to connect ${title}`,
    html`${providerHeading(definition, html`${who} asks you to connect ${title}`)}
<p class="lead">${description}: that is what the applications of <strong>${site}</strong> could then use for ${who}.</p>
${refusal === undefined ? '' : html`<p class="message" role="alert" data-kind="bad"><strong>${title} was not connected.</strong> ${refusal}</p>`}
<ul class="notes">
<li>Say yes only if you know who sent you this link: anybody can write any name.</li>
<li>${who} does not get to see your password, your key or the access itself. It is kept encrypted on this server.</li>
<li>The link works once, until ${time(invitation.expiresAtMs)}.</li>
</ul>
${client ? bySignIn(settings, address) : ''}
${methods.apiKey ? byKey(settings, methods.apiKey, address) : ''}
<form class="native-form" method="post" action="${address}/decline">
<p>Not what you want? Decline, and nobody can use the link any more.</p>
<button class="secondary">Decline</button>
</form>
<script src="${keyFormScript.url}" type="module"></script>`
  )
}

const bySignIn = ({ definition: { title, methods }, client }: ProviderSettings, address: string): Html => html`<section class="panel">
<h2>Sign in at ${title}</h2>
${methods.oauth2 ? setupGuide(methods.oauth2.help) : ''}
${client && client.scopes.length > 0 ? html`<p>What is asked for: ${scopeList(client.scopes)}</p>` : ''}
<form class="native-form" method="post" action="${address}/accept"><button>Continue to ${title}</button></form>
</section>
`

const byKey = ({ definition, client }: ProviderSettings, method: ApiKeyMethod, address: string): Html => html`<section class="panel">
<h2>${client ? 'Or use a key' : 'Use a key'}</h2>
${keyForm(definition, method, { action: address, returnTo: thanksUrl(definition.name) })}
</section>
`

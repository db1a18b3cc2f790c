import type { ApiKeyMethod, ProviderSettings } from '../core/provider/definition.ts'
import type { Invitation } from '../core/vault/invitations.ts'
import { keyFormScript } from './assets.ts'
import { thanksUrl } from './connect-methods.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerHeading, scopeList, setupGuide, time } from './parts/elements.ts'
import { keyForm } from './parts/key-form.ts'

type InvitationPageOptions = {
  invitation: Invitation
  settings: ProviderSettings
  /** Path of the invitation, to which the forms add theirs. */
  path: string
  siteHost: string
  /** Why the previous attempt failed. */
  errorReason: string | undefined
}

/** Who asks for which access, and the choice to accept or decline. Invited users do not know this site. */
export function invitationPage(context: PageContext, { invitation, settings, path, siteHost, errorReason }: InvitationPageOptions): string {
  const { definition, client } = settings
  const { title, description, methods } = definition
  const name = invitation.name === '' ? 'Somebody' : invitation.name
  const inviter = html`<bdi>${name}</bdi>`
  return page(
    context,
    `${name} asks you to connect ${title}`,
    html`${providerHeading(definition, html`${inviter} asks you to connect ${title}`)}
<p class="lead">${description}: that is what the applications of <strong>${siteHost}</strong> could then use for ${inviter}.</p>
${errorReason === undefined ? '' : html`<p class="message" role="alert" data-kind="error"><strong>${title} was not connected.</strong> ${errorReason}</p>`}
<ul class="notes">
<li>Say yes only if you know who sent you this link: anybody can write any name.</li>
<li>${inviter} does not get to see your password, your key or the access itself. It is kept encrypted on this server.</li>
<li>The link works once, until ${time(invitation.expiresAtMs)}.</li>
</ul>
${nameField(client !== undefined)}
${client ? signInPanel(settings, path) : ''}
${methods.apiKey ? keyPanel(context, settings, methods.apiKey, path) : ''}
<form class="native-form" method="post" action="${path}/decline">
<p>Not what you want? Decline, and nobody can use the link any more.</p>
<button class="secondary">Decline</button>
</form>
<script src="${context.path(keyFormScript.url)}" type="module"></script>`
  )
}

const nameInput = 'invited-name'

/** One field for both ways to connect: it belongs to the form of the sign-in, and the script of the key's form reads it. */
const nameField = (hasSignIn: boolean): Html => html`<div class="invited-name${hasSignIn ? '' : ' field'}">
<label for="${nameInput}">Your name, if they should see who connected it</label>
<div class="input-row"><input id="${nameInput}" name="name"${hasSignIn ? html` form="accept"` : ''} type="text" maxlength="80" autocomplete="name"></div>
</div>
`

const signInPanel = ({ definition: { title, methods }, client }: ProviderSettings, path: string): Html => html`<section class="panel">
<h2>Sign in at ${title}</h2>
${methods.oauth2 ? setupGuide(methods.oauth2.help) : ''}
${client && client.scopes.length > 0 ? html`<p>What is asked for: ${scopeList(client.scopes)}</p>` : ''}
<form class="native-form" id="accept" method="post" action="${path}/accept"><button>Continue to ${title}</button></form>
</section>
`

const keyPanel = (
  context: PageContext,
  { definition, client }: ProviderSettings,
  method: ApiKeyMethod,
  path: string
): Html => html`<section class="panel">
<h2>${client ? 'Or use a key' : 'Use a key'}</h2>
${keyForm(definition, method, { action: path, returnTo: thanksUrl(definition.name, context.site.basePath), nameInput })}
</section>
`

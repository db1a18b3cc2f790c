import type { Provider, ProviderSettings } from '../core/provider/definition.ts'
import { asksUsers } from '../core/provider/parse-parameters.ts'
import type { Invitation } from '../core/vault/invitations.ts'
import { connectFormScript } from './assets.ts'
import { thanksUrl } from './connect-methods.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { dialog } from './parts/dialog.ts'
import { providerText, providerTexts, scopeList, setupGuide, time } from './parts/elements.ts'
import type { Prefill } from './parts/fields.ts'
import { keyForm } from './parts/key-form.ts'
import { signInForm } from './parts/sign-in-form.ts'
import { reasonFor } from './sign-in-result.ts'

type InvitationPageOptions = {
  invitation: Invitation
  settings: ProviderSettings
  /** Path of the invitation, to which the forms add theirs. */
  path: string
  siteHost: string
  /** Why the previous attempt failed: the untrusted query parameter `connect_error`, which selects a text and is never shown. */
  errorCode: string | undefined
  /** What the invited user has filled in before: their name, and what the provider asks. */
  name: string | undefined
  prefill: Prefill
}

/** Stands before the names of parameters in the form that accepts, which has a field `name` of its own. */
export const invitedParameterPrefix = 'parameters.'

/** Who asks for which access, and the choice to accept or decline. Invited users do not know this site. */
export function invitationPage(context: PageContext, options: InvitationPageOptions): string {
  const { invitation, settings, path, siteHost, errorCode, prefill } = options
  const { definition, client } = settings
  const { title, methods } = definition
  const own = providerTexts(context, definition)
  const texts = context.messages.invitation
  const name = invitation.name === '' ? texts.somebody : invitation.name
  const inviter = html`<bdi>${name}</bdi>`
  return page(
    context,
    { title: texts.title(name, title), scripts: [connectFormScript] },
    dialog(
      context,
      { provider: definition, heading: texts.heading(inviter, title) },
      html`<p class="lead">${texts.lead(providerText(own, own.description), siteName(context, siteHost), inviter)}</p>
${errorCode === undefined ? '' : html`<p class="message" role="alert" data-kind="error"><strong>${texts.failed(title)}</strong> ${reasonFor(context, errorCode)}</p>`}
<ul class="notes">
<li>${texts.onlyIfKnown}</li>
<li>${texts.noSecrets(inviter)}</li>
<li>${texts.expires(time(context, invitation.expiresAtMs))}</li>
</ul>
${nameField(context, client !== undefined, options.name)}
${client ? signInPanel(context, settings, path, prefill) : ''}
${methods.apiKey ? keyPanel(context, settings, path) : ''}
<form class="native-form" method="post" action="${path}/decline">
<p>${texts.declineHint}</p>
<button class="secondary">${texts.decline}</button>
</form>`
    )
  )
}

/** Anybody can give a product any name, but not the host. */
const siteName = ({ brand: { appName } }: PageContext, host: string): Html =>
  appName === undefined ? html`<strong>${host}</strong>` : html`<strong><bdi>${appName}</bdi></strong> (${host})`

const nameInput = 'invited-name'

/** One field for both ways to connect: it belongs to the form of the sign-in, and the script of the key's form reads it. */
const nameField = (
  { messages }: PageContext,
  hasSignIn: boolean,
  name: string | undefined
): Html => html`<div class="invited-name${hasSignIn ? '' : ' field'}">
<label for="${nameInput}">${messages.invitation.yourName}</label>
<div class="input-row"><input id="${nameInput}" name="name"${hasSignIn ? html` form="accept"` : ''} type="text" maxlength="80" autocomplete="name"${name && html` value="${name}"`}></div>
</div>
`

const signInPanel = (context: PageContext, { definition, client }: ProviderSettings, path: string, prefill: Prefill): Html => html`<section>
<h2>${context.messages.signInAt(definition.title)}</h2>
${setupGuide(context, definition, 'oauth2')}
${client && client.scopes.length > 0 ? html`<p>${context.messages.invitation.scopes(scopeList(context, definition, client.scopes))}</p>` : ''}
${acceptForm(context, definition, path, prefill)}
</section>
`

function acceptForm(context: PageContext, definition: Provider, path: string, prefill: Prefill): Html {
  const [id, url, label] = ['accept', `${path}/accept`, context.messages.invitation.continue(definition.title)]
  if (asksUsers(definition))
    return signInForm(context, definition, { id, url, method: 'post', namePrefix: invitedParameterPrefix, label, prefill })
  return html`<form class="native-form" id="${id}" method="post" action="${url}"><button>${label}</button></form>`
}

const keyPanel = (context: PageContext, { definition, client }: ProviderSettings, path: string): Html => html`<section>
<h2>${client ? context.messages.orUseKey : context.messages.useKey}</h2>
${keyForm(context, definition, { action: path, returnTo: thanksUrl(definition.name, context.site.basePath), nameInput })}
</section>
`

import type { Provider } from '../../core/provider/definition.ts'
import type { Parameter, Parameters } from '../../core/provider/parameter.ts'
import { askedOf, asksUsers } from '../../core/provider/parse-parameters.ts'
import { connectedUrl } from '../connect-methods.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { setupGuide } from './elements.ts'
import { noPrefill, type Prefill, parameterField } from './fields.ts'

type KeyFormOptions = {
  /** Path that receives `{"apiKey":"…"}` or `{"fields":{…},"parameters":{…}}`, with `account` and `name`. */
  action: string
  /** Where the browser goes when the key is accepted. */
  returnTo: string
  /** `add`, or the id of the connection to make anew. */
  account?: string | undefined
  /** Id of an input whose value is sent with the key, as `name`. */
  nameInput?: string
  /** Button next to Connect. */
  cancel?: Html
  prefill?: Prefill | undefined
}

/**
 * How to get a key, and a form that `src/browser/connect-form.ts` submits. The fields have no names and the method is POST: even if the script
 * fails to load, no browser puts a key into a URL.
 */
export function keyForm(context: PageContext, provider: Provider, options: KeyFormOptions): Html {
  const { name, title, methods } = provider
  const { keysUrl, fields, check, tokenRequest } = methods.apiKey ?? {}
  const { action, returnTo, account, nameInput, cancel, prefill = noPrefill } = options
  const texts = context.messages.keyForm
  const isKeyAlone = Object.keys(fields ?? {}).length < 2
  const isShown = check !== undefined || tokenRequest !== undefined
  const note = isShown ? texts.hint(title) : texts.hintUnchecked
  // Not one that depends on what the user has yet to say.
  const linkedUrl = keysUrl?.includes('{') ? undefined : keysUrl
  return html`<form class="key-form" method="post" action="${action}" data-return-to="${returnTo}"${account && html` data-account="${account}"`}${nameInput && html` data-name-input="${nameInput}"`} novalidate>
<p>${isKeyAlone ? texts.intro(title) : texts.introFields(title)}</p>
${setupGuide(context, provider, 'apiKey')}
${linkedUrl === undefined ? '' : html`<p><a href="${linkedUrl}" target="_blank" rel="noopener noreferrer">${texts.keysPage(title)}</a></p>`}
${Object.entries(askedOf(provider.parameters)).map(([field, parameter]) => parameterField(context, field, parameter, { id: `key-${name}_${field}`, kind: 'parameter', prefill }))}
${Object.entries(askedOf(fields ?? keyAlone)).map(([field, parameter]) => (field === 'key' ? keyField(context, provider, note) : parameterField(context, field, parameter, { id: `key-${name}_${field}`, kind: 'field', prefill })))}
${isKeyAlone && !asksUsers(provider) ? '' : html`<p class="error" role="alert"></p>`}
<p class="fine-print" role="status" data-text="${texts.progress(title)}"></p>
<div class="button-row">${cancel}<button type="submit">${texts.submit}</button></div>
<p class="no-script">${texts.noScript}</p>
</form>`
}

/** The field there is where the definition has none. */
const keyAlone: Parameters & { readonly key: Parameter } = { key: { title: '', example: '' } }

/** The credential, whose field has a title in the page's language unless the definition gives it one. */
function keyField(context: PageContext, { name, title, methods }: Provider, note: string): Html {
  const { key = keyAlone.key } = methods.apiKey?.fields ?? {}
  const label = key.title || context.messages.keyForm.field(title)
  // The gateway knows better what is wrong with a key.
  const options = { id: `key-${name}`, label, kind: 'field', isRequired: false, note } as const
  return parameterField(context, 'key', { ...key, secret: true }, options)
}

/**
 * The form in a dialog. `src/browser/connections.ts` opens it for the account of the link that was followed, and shows that link's note at
 * `data-note`. The heading gets the focus: if the field got it, a screen reader would skip the steps.
 */
export const keyDialog = (
  context: PageContext,
  provider: Provider
): Html => html`<dialog class="wide" id="key-dialog-${provider.name}" aria-labelledby="key-title-${provider.name}">
<h2 id="key-title-${provider.name}" tabindex="-1" autofocus>${context.messages.keyForm.dialogTitle(provider.title)}</h2>
<p class="callout" data-note hidden></p>
${keyForm(context, provider, {
  action: context.path(`/connections/${provider.name}`),
  returnTo: connectedUrl(provider.name, context.site.basePath),
  cancel: html`<button type="button" class="secondary" data-close>${context.messages.cancel}</button>`
})}
</dialog>
`

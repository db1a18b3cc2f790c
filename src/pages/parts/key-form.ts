import type { Provider } from '../../core/provider/definition.ts'
import { connectedUrl } from '../connect-methods.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { setupGuide } from './elements.ts'

type KeyFormOptions = {
  /** Path that receives the key as `{"apiKey":"…","account":"…","name":"…"}`. */
  action: string
  /** Where the browser goes when the key is accepted. */
  returnTo: string
  /** `add`, or the id of the connection to make anew. */
  account?: string | undefined
  /** Id of an input whose value is sent with the key, as `name`. */
  nameInput?: string
  /** Button next to Connect. */
  cancel?: Html
}

/**
 * How to get a key, and a form that `src/browser/key-form.ts` submits. The field has no name and the method is POST: even if the script
 * fails to load, no browser puts a key into a URL.
 */
export function keyForm(context: PageContext, provider: Provider, options: KeyFormOptions): Html {
  const { name, title, methods } = provider
  const keysUrl = shownUrl(methods.apiKey?.keysUrl)
  const { action, returnTo, account, nameInput, cancel } = options
  const { keyForm: texts, scripts } = context.messages
  return html`<form class="key-form" method="post" action="${action}" data-return-to="${returnTo}"${account && html` data-account="${account}"`}${nameInput && html` data-name-input="${nameInput}"`} novalidate>
<p>${texts.intro(title)}</p>
${setupGuide(context, provider, 'apiKey')}
${keysUrl === undefined ? '' : html`<p><a href="${keysUrl}" target="_blank" rel="noopener noreferrer">${texts.keysPage(title)}</a></p>`}
<div class="field">
<label for="key-${name}">${texts.field(title)}</label>
<p class="error" id="key-error-${name}" role="alert"></p>
<div class="input-row">
<input id="key-${name}" type="password" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="key-error-${name} key-hint-${name}">
<button type="button" class="secondary" data-reveal aria-label="${scripts.showKey.name}" aria-controls="key-${name}">${scripts.showKey.label}</button>
</div>
<p class="fine-print" id="key-hint-${name}">${texts.hint(title)}</p>
<p class="fine-print" role="status" data-text="${texts.progress(title)}"></p>
</div>
<div class="button-row">${cancel}<button type="submit">${texts.submit}</button></div>
<p class="no-script">${texts.noScript}</p>
</form>`
}

/** Not one that depends on what the user has yet to say. */
const shownUrl = (url: string | undefined) => (url?.includes('{') ? undefined : url)

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

import type { ApiKeyMethod, Provider } from '../../core/provider/definition.ts'
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
export const keyForm = (
  { name, title }: Provider,
  { help }: ApiKeyMethod,
  { action, returnTo, account, nameInput, cancel }: KeyFormOptions
): Html =>
  html`<form class="key-form" method="post" action="${action}" data-return-to="${returnTo}"${account && html` data-account="${account}"`}${nameInput && html` data-name-input="${nameInput}"`} novalidate>
<p>A key is a long code that lets this site use ${title}. This is how you get one:</p>
${setupGuide(help)}
<div class="field">
<label for="key-${name}">Your ${title} key</label>
<p class="error" id="key-error-${name}" role="alert"></p>
<div class="input-row">
<input id="key-${name}" type="password" autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="key-error-${name} key-hint-${name}">
<button type="button" class="secondary" data-reveal aria-label="Show the key" aria-controls="key-${name}">Show</button>
</div>
<p class="fine-print" id="key-hint-${name}">It is shown to ${title} once to see that it works, and kept encrypted on this server.</p>
<p class="fine-print" role="status" data-text="Asking ${title} …"></p>
</div>
<div class="button-row">${cancel}<button type="submit">Connect</button></div>
<p class="no-script"><strong>Pasting a key needs JavaScript, which is off in this browser.</strong> Switch it on for this site and open this page again.</p>
</form>`

/**
 * The form in a dialog. `src/browser/connections.ts` opens it for the account of the link that was followed, and shows that link's note at
 * `data-note`. The heading gets the focus: if the field got it, a screen reader would skip the steps.
 */
export const keyDialog = ({ path, site }: PageContext, provider: Provider, method: ApiKeyMethod): Html =>
  html`<dialog class="wide" id="key-dialog-${provider.name}" aria-labelledby="key-title-${provider.name}">
<h2 id="key-title-${provider.name}" tabindex="-1" autofocus>Connect ${provider.title} with a key</h2>
<p class="callout" data-note hidden></p>
${keyForm(provider, method, {
  action: path(`/connections/${provider.name}`),
  returnTo: connectedUrl(provider.name, site.basePath),
  cancel: html`<button type="button" class="secondary" data-close>Cancel</button>`
})}
</dialog>
`

import { popupScript } from './assets.ts'
import type { PageContext } from './context.ts'
import { html } from './html.ts'
import { page } from './layout.ts'

type PopupPageOptions = {
  /** Origin that receives the message. */
  opener: string
  provider: string
  title: string
  isConnected: boolean
  /** Error code, if this sign-in did not connect the provider. */
  error: string | undefined
  /** The error in words. */
  reason: string | undefined
  /** With which the opener's bearer takes the connection. */
  code?: string | undefined
  /** Page of the opener's site that is told in its URL when the opener cannot be reached. */
  fallback?: string
}

/** The end of a sign-in in a popup. `src/browser/popup.ts` posts the outcome to the opener; without an opener the user reads it here. */
export function popupPage(context: PageContext, options: PopupPageOptions): string {
  const { opener, provider, title, isConnected, error, reason, code, fallback } = options
  const status = error === undefined ? 'connected' : 'failed'
  const heading = `${title} ${error === undefined ? 'is connected' : isConnected ? 'stays connected as it was' : 'was not connected'}`
  return page(
    context,
    heading,
    html`<div class="panel" data-opener="${opener}" data-outcome="${JSON.stringify({ source: 'grantkeeper', provider, status, error, code })}" data-fallback="${fallback}">
<h1>${heading}</h1>
${reason === undefined ? '' : html`<p>${reason}</p>`}
<p>You can close this window and go on where you came from.</p>
</div>
<script src="${context.path(popupScript.url)}" type="module"></script>`
  )
}

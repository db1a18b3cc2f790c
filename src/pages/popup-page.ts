import type { ConnectionView } from '../core/connections/view.ts'
import { popupScript } from './assets.ts'
import type { PageContext } from './context.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { dialog } from './parts/dialog.ts'
import { choiceText, reasonFor } from './sign-in-result.ts'

type PopupPageOptions = {
  /** Origin that receives the message. */
  opener: string
  provider: string
  title: string
  isConnected: boolean
  /** The connection of this browser's session. */
  view?: ConnectionView | undefined
  /** Error code, if this sign-in did not connect the provider. */
  error: string | undefined
  /** The untrusted query parameter `connect_error`, if there is one: it selects a text. */
  signInError: string | undefined
  /** With which the opener's bearer takes the connection. */
  code?: string | undefined
  /** Page of the opener's site that is told in its URL when the opener cannot be reached. */
  fallback?: string
}

/** The end of a sign-in in a popup. `src/browser/popup.ts` posts the outcome to the opener; without an opener the user reads it here. */
export function popupPage(context: PageContext, options: PopupPageOptions): string {
  const { opener, provider, title, isConnected, view, error, signInError, code, fallback } = options
  const texts = context.messages.result
  const status = error === undefined ? 'connected' : 'failed'
  const heading = error === undefined ? texts.connected(title) : isConnected ? texts.stays(title) : texts.notConnected(title)
  return page(
    context,
    { title: heading, scripts: [popupScript] },
    dialog(
      context,
      { heading },
      html`<div data-opener="${opener}" data-outcome="${JSON.stringify({ source: 'grantkeeper', provider, status, error, code })}" data-fallback="${fallback}">
${signInError === undefined ? '' : html`<p>${reasonFor(context, signInError)}</p>`}
${view && error === undefined ? html`<p>${choiceText(context, view)}</p>` : ''}
<p>${texts.closeWindow}</p>
</div>`
    )
  )
}

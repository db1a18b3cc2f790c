import { popupScript } from './assets.ts'
import { html } from './html.ts'
import { page } from './layout.ts'

export type PopupResult = {
  /** The origin that may hear of it. */
  opener: string
  provider: string
  title: string
  isConnected: boolean
  /** The code of what kept it from being connected, and the same in words. */
  error: string | undefined
  reason: string | undefined
}

/** Said to the page that opened the popup, by `src/browser/popup.ts`; and to the person, who sees it where there is none. */
export function popupPage({ opener, provider, title, isConnected, error, reason }: PopupResult): string {
  const status = error === undefined ? 'connected' : 'failed'
  const head = `${title} ${error === undefined ? 'is connected' : isConnected ? 'stays connected as it was' : 'was not connected'}`
  return page(
    head,
    html`<div class="panel" data-opener="${opener}" data-outcome="${JSON.stringify({ source: 'grantkeeper', provider, status, error })}">
<h1>${head}</h1>
${reason === undefined ? '' : html`<p>${reason}</p>`}
<p>You can close this window and go on where you came from.</p>
</div>
<script src="${popupScript.url}" type="module"></script>`
  )
}

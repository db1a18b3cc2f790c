import type { Provider } from '../core/provider/definition.ts'
import type { PageContext } from './context.ts'
import { html } from './html.ts'
import { page } from './layout.ts'
import { dialog } from './parts/dialog.ts'

/** @param provider comes from an untrusted query parameter */
export function thanksPage(context: PageContext, provider: Provider | undefined): string {
  const { title, text, end } = context.messages.thanks
  return page(
    context,
    { title },
    dialog(
      context,
      { provider, heading: title },
      html`<p>${text(provider?.title)}</p>
<p class="fine-print">${end(provider?.title)}</p>`
    )
  )
}

export function declinedPage(context: PageContext): string {
  const { title, text, notTold } = context.messages.declined
  return page(
    context,
    { title },
    dialog(
      context,
      { heading: title },
      html`<p>${text}</p>
<p class="fine-print">${notTold}</p>`
    )
  )
}

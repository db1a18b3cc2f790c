import type { Provider } from '../core/provider/definition.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerHeading } from './parts/elements.ts'

const panelPage = (context: PageContext, title: string, content: Html): string =>
  page(context, { title }, html`<div class="panel">${content}</div>`)

/** @param provider comes from an untrusted query parameter */
export function thanksPage(context: PageContext, provider: Provider | undefined): string {
  const { title, text, end } = context.messages.thanks
  return panelPage(
    context,
    title,
    html`${providerHeading(provider, title)}
<p>${text(provider?.title)}</p>
<p class="fine-print">${end(provider?.title)}</p>`
  )
}

export function declinedPage(context: PageContext): string {
  const { title, text, notTold } = context.messages.declined
  return panelPage(
    context,
    title,
    html`<h1>${title}</h1>
<p>${text}</p>
<p class="fine-print">${notTold}</p>`
  )
}

import type { Provider } from '../core/provider/definition.ts'
import type { PageContext } from './context.ts'
import { type Html, html } from './html.ts'
import { page } from './layout.ts'
import { providerHeading } from './parts/elements.ts'

const panelPage = (context: PageContext, title: string, content: Html): string =>
  page(context, title, html`<div class="panel">${content}</div>`)

/** @param provider comes from an untrusted query parameter */
export const thanksPage = (context: PageContext, provider: Provider | undefined): string =>
  panelPage(
    context,
    'Thank you',
    html`${providerHeading(provider, 'Thank you')}
<p>${provider?.title ?? 'The service'} is connected for the person who asked you. Nothing more is to be done: you can close this page.</p>
<p class="fine-print">To end the access later, ask them to disconnect it${provider && `, or take it back in your settings at ${provider.title}`}.</p>`
  )

export const declinedPage = (context: PageContext): string =>
  panelPage(
    context,
    'Declined',
    html`<h1>Declined</h1>
<p>Nothing was connected, and the link does not work any more. You can close this page.</p>
<p class="fine-print">The person who asked is not told. If they should know, tell them.</p>`
  )

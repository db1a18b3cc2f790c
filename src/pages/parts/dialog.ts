import type { Provider } from '../../core/provider/definition.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { providerBadge } from './elements.ts'

type DialogOptions = {
  /** The provider that the page is about, if it is about one. */
  readonly provider?: Provider | undefined
  readonly heading: string | Html
}

/** The one card of a page, as at a sign-in: whose page this is, what it is to be connected with, a heading and what follows. */
export const dialog = (context: PageContext, { provider, heading }: DialogOptions, content: Html): Html => html`<div class="panel">
<div class="page-heading">
<div class="logos"><img src="${context.brand.iconUrl}" alt="" height="44">${provider && html`${linkSign}${providerBadge(provider)}`}</div>
<h1>${heading}</h1>
</div>
${content}
</div>`

/** Two arrows, between the logos of those who are connected. */
const linkSign = html`<svg class="link-sign" width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M4 9h15m-3-4 4 4-4 4M20 17H5m3 4-4-4 4-4" transform="translate(0 -1)"/></svg>`

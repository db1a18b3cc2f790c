import type { OAuth2Method, Provider } from '../../core/provider/definition.ts'
import { textColorOn } from '../colors.ts'
import { type Html, html } from '../html.ts'
import { initialsOf } from '../initials.ts'

/** Stands in for a logo, which would be another company's trademark: the initials of the title on the provider's colour. */
export function providerBadge({ title, color }: Provider): Html {
  const initials = initialsOf(title)
  const [baseline, size] = initials.length > 1 ? [29, 18] : [30, 22]
  return html`<svg class="badge" width="44" height="44" viewBox="0 0 44 44" aria-hidden="true"><rect width="44" height="44" fill="${color}"/><text x="22" y="${baseline}" text-anchor="middle" font-size="${size}" font-weight="700" fill="${textColorOn(color)}">${initials}</text></svg>`
}

/** Heading of a page about one provider. */
export const providerHeading = (provider: Provider | undefined, title: string | Html): Html => html`<div class="page-heading">
${provider && providerBadge(provider)}
<h1>${title}</h1>
</div>`

/** How to sign in or to get a key: the steps, numbered if there is more than one, and the plans that have it. */
export const setupGuide = ({ steps, plan }: OAuth2Method['help']): Html =>
  html`${steps.length > 1 ? html`<ol class="steps">${steps.map(step => html`<li>${step}</li>`)}</ol>` : html`<p>${steps}</p>`}
${plan === undefined ? '' : html`<p class="callout"><strong>Good to know:</strong> ${plan}</p>`}`

export const scopeList = (scopes: readonly string[]): Html[] => scopes.map((scope, i) => html`${i > 0 ? ', ' : ''}<code>${scope}</code>`)

const conjunction = new Intl.ListFormat('en', { type: 'conjunction' })

/** `A`, `A and B`, `A, B, and C`, each kept apart from the direction of the text around it. */
export const textList = (texts: readonly string[]): Html[] =>
  conjunction.formatToParts(texts).map(({ type, value }) => (type === 'element' ? html`<bdi>${value}</bdi>` : html`${value}`))

/** In UTC. The script of the Connections page shows it in the user's time zone. */
export function time(timestamp: string | number | undefined): Html | undefined {
  if (timestamp === undefined) return undefined
  const iso = new Date(timestamp).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

import type { OAuth2Method, Provider } from '../../core/provider/definition.ts'
import { textColorOn } from '../colors.ts'
import type { PageContext } from '../context.ts'
import { type Html, html } from '../html.ts'
import { initialsOf } from '../initials.ts'

/** The provider's logo on its colour; without one the initials of its title. */
export function providerBadge({ title, color, logo }: Provider): Html {
  const fill = textColorOn(color)
  return html`<svg class="badge" width="44" height="44" viewBox="0 0 44 44" aria-hidden="true"><rect width="44" height="44" fill="${color}"/>${logo === undefined ? initials(title, fill) : html`<path transform="translate(10 10)" fill="${fill}" d="${logo}"/>`}</svg>`
}

function initials(title: string, fill: string): Html {
  const text = initialsOf(title)
  const [baseline, size] = text.length > 1 ? [29, 18] : [30, 22]
  return html`<text x="22" y="${baseline}" text-anchor="middle" font-size="${size}" font-weight="700" fill="${fill}">${text}</text>`
}

/** Heading of a page about one provider. */
export const providerHeading = (provider: Provider | undefined, title: string | Html): Html => html`<div class="page-heading">
${provider && providerBadge(provider)}
<h1>${title}</h1>
</div>`

/** Attribute of an element with text of a definition, which is in English (WCAG 3.1.2). */
export const inEnglish = ({ language }: PageContext): Html | '' => (language === 'en' ? '' : html` lang="en"`)

/** Text of a definition within a sentence. */
export const definitionText = (context: PageContext, text: string): Html =>
  context.language === 'en' ? html`${text}` : html`<span lang="en">${text}</span>`

/** How to sign in or to get a key: the steps, numbered if there is more than one, and the plans that have it. */
export const setupGuide = (context: PageContext, { steps, plan }: OAuth2Method['help']): Html =>
  html`${steps.length > 1 ? html`<ol class="steps"${inEnglish(context)}>${steps.map(step => html`<li>${step}</li>`)}</ol>` : html`<p${inEnglish(context)}>${steps}</p>`}
${plan === undefined ? '' : html`<p class="callout">${context.messages.goodToKnow(definitionText(context, plan))}</p>`}`

export const scopeList = (scopes: readonly string[]): Html =>
  html`${scopes.map((scope, i) => html`${i > 0 ? ', ' : ''}<code>${scope}</code>`)}`

/** `A`, `A and B`, `A, B, and C`, each kept apart from the direction of the text around it. */
export const textList = ({ listFormat }: PageContext, texts: readonly string[]): Html =>
  html`${listFormat.formatToParts(texts).map(({ type, value }) => (type === 'element' ? html`<bdi>${value}</bdi>` : html`${value}`))}`

/** In UTC. The scripts of a page show it in the user's time zone. */
export function time(timestamp: string | number): Html
export function time(timestamp: string | number | undefined): Html | undefined
export function time(timestamp: string | number | undefined): Html | undefined {
  if (timestamp === undefined) return undefined
  const iso = new Date(timestamp).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

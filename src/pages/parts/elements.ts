import type { Provider, ProviderTexts } from '../../core/provider/definition.ts'
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

/** The texts of a definition, in the language of the page if the definition has them. */
type LocalizedTexts = ProviderTexts & {
  /** Attribute of an element with one of the texts, if they are in another language than the page (WCAG 3.1.2). */
  readonly lang: Html | ''
}

export function providerTexts({ language }: PageContext, { description, methods, translations }: Provider): LocalizedTexts {
  const translation = translations?.[language]
  if (translation) return { ...translation, lang: '' }
  const { oauth2, apiKey } = methods
  const help = {
    ...(oauth2 && { oauth2: { ...oauth2.help, ...(oauth2.scopeTexts && { scopeTexts: oauth2.scopeTexts }) } }),
    ...(apiKey && { apiKey: apiKey.help })
  }
  return { description, ...help, lang: language === 'en' ? '' : html` lang="en"` }
}

/** One of the texts of a definition within a sentence of the page. */
export const providerText = ({ lang }: LocalizedTexts, text: string): Html =>
  lang === '' ? html`${text}` : html`<span${lang}>${text}</span>`

/** How to sign in or to get a key: the steps, numbered if there is more than one, and the plans that have it. */
export function setupGuide(context: PageContext, provider: Provider, method: 'oauth2' | 'apiKey'): Html {
  const texts = providerTexts(context, provider)
  const { steps = [], plan } = texts[method] ?? {}
  return html`${steps.length > 1 ? html`<ol class="steps"${texts.lang}>${steps.map(step => html`<li>${step}</li>`)}</ol>` : html`<p${texts.lang}>${steps}</p>`}
${plan === undefined ? '' : html`<p class="callout">${context.messages.goodToKnow(providerText(texts, plan))}</p>`}`
}

/** In words, with the scope itself as the title; as it is where the definition has no words. */
export function scopeList(context: PageContext, provider: Provider, scopes: readonly string[]): Html {
  const { oauth2, lang } = providerTexts(context, provider)
  const words = new Map(Object.entries(oauth2?.scopeTexts ?? {}))
  return html`${scopes.map((scope, i) => {
    const text = words.get(scope)
    return html`${i > 0 ? ', ' : ''}${text === undefined ? html`<code>${scope}</code>` : html`<span title="${scope}"${lang}>${text}</span>`}`
  })}`
}

/** `A`, `A and B`, `A, B, and C`, each kept apart from the direction of the text around it. */
export const textList = ({ listFormat }: PageContext, texts: readonly string[]): Html =>
  html`${listFormat.formatToParts(texts).map(({ type, value }) => (type === 'element' ? html`<bdi>${value}</bdi>` : html`${value}`))}`

/** In UTC. The scripts of a page show it in the user's time zone, in the same form. */
export function time(context: PageContext, timestamp: string | number): Html
export function time(context: PageContext, timestamp: string | number | undefined): Html | undefined
export function time({ dateFormat }: PageContext, timestamp: string | number | undefined): Html | undefined {
  if (timestamp === undefined) return undefined
  const date = new Date(timestamp)
  return html`<time datetime="${date.toISOString()}">${dateFormat.format(date)} UTC</time>`
}

import type { Provider } from '../../core/provider/provider.ts'
import { type Html, html } from '../html.ts'

/** What stands where a logo would: the first letters of the name on the provider's colour. Logos themselves are others' property. */
export function providerBadge({ title, color }: Provider): Html {
  const words = title.split(' ').slice(0, 2)
  return html`<svg class="mark" width="44" height="44" viewBox="0 0 44 44" aria-hidden="true"><rect width="44" height="44" fill="${color}"/><text x="22" y="${words.length > 1 ? 29 : 30}" text-anchor="middle" font-size="${words.length > 1 ? 18 : 22}" font-weight="700" fill="#fff">${words.map(word => word.slice(0, 1))}</text></svg>`
}

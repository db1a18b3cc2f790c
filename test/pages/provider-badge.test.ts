import t from 'tap'
import { providerBadge } from '../../src/pages/parts/elements.ts'
import { providerWith } from '../core/support.ts'

const badge = (overrides: Parameters<typeof providerWith>[0]) => providerBadge(providerWith(overrides)).text

t.test('a badge has the provider’s logo on its colour', async t => {
  const svg = badge({ title: 'Acme', color: '#0a7d55', logo: 'M2 2h20v20H2z' })
  t.match(svg, '<rect width="44" height="44" fill="#0a7d55"/>')
  t.match(svg, /<path [^>]*fill="#ffffff" d="M2 2h20v20H2z"\/>/)
  t.notMatch(svg, '<text')
})

t.test('without a logo it has the initials of the first two words', async t => {
  const initials = (title: string) => />([^<]*)<\/text>/.exec(badge({ title }))?.[1]
  t.equal(initials('Acme'), 'A')
  t.equal(initials('Process Street'), 'PS')
  t.equal(initials(' One  Two Three'), 'OT')
  t.equal(initials('𝔄cme <b>'), '𝔄&lt;')
})

t.test('what is drawn can be told from a light colour too', async t => {
  t.match(badge({ color: '#ffe100' }), 'fill="#000000">A<')
  t.match(badge({ color: '#ffe100', logo: 'M2 2h20' }), 'fill="#000000" d=')
})

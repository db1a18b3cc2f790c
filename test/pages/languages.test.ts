import t from 'tap'
import { lookupLanguage } from '../../src/pages/languages.ts'

type Tagged = { readonly tag: string }
const available: readonly [Tagged, ...Tagged[]] = [{ tag: 'en' }, { tag: 'de' }, { tag: 'zh-hant' }, { tag: 'pt-br' }]
const lookup = (header: string | undefined) => lookupLanguage(header, available).tag

t.test('a range matches its language, or the longest that it begins with', async t => {
  for (const [header, tag] of [
    ['de', 'de'],
    ['DE-at', 'de'],
    ['de-CH-1996', 'de'],
    ['zh-Hant-CN-x-private1-private2', 'zh-hant'],
    ['pt-BR', 'pt-br']
  ] as const)
    t.equal(lookup(header), tag, header)
})

t.test('a single letter goes with what it introduces', async t => {
  t.equal(lookup('de-x-y'), 'de')
  t.equal(lookup('x-de'), 'en')
})

t.test('a range does not match a longer or another language', async t => {
  for (const header of ['pt', 'zh', 'zh-hans', 'deu', 'd', 'fr']) t.equal(lookup(header), 'en', header)
})

t.test('the preferred range that matches decides', async t => {
  t.equal(lookup('fr-CA, fr;q=0.9, de;q=0.5, en;q=0.4'), 'de')
  t.equal(lookup('en;q=0.5,de'), 'de')
  t.equal(lookup('de;q=0.5 , pt-BR ; q=0.8'), 'pt-br')
  t.equal(lookup('en-GB,de;q=0.9'), 'en', 'before a range of less weight is looked at')
  t.equal(lookup('de,pt-br'), 'de', 'in the order of the header where the weights are the same')
})

t.test('a weight of 0 refuses a language', async t => {
  t.equal(lookup('de;q=0'), 'en')
  t.equal(lookup('de;q=0.000, pt-br;q=0.1'), 'pt-br')
})

t.test('where nothing matches the first language is used', async t => {
  for (const header of [undefined, '', '*', 'fr, *;q=0.5', ',;=,', 'de-', '-de', 'de_AT', '"de"', 'q=1', '__proto__', 'constructor'])
    t.equal(lookup(header), 'en', header ?? 'no header')
})

t.test('a long header is read in part', async t => {
  t.equal(lookup(`${'fr,'.repeat(100_000)}de`), 'en')
  t.equal(lookup(`de-${'a-'.repeat(4_000)}a`), 'de')
})

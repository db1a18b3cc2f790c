import t from 'tap'
import { errorCodes } from '../../src/core/errors.ts'
import { languages } from '../../src/pages/languages.ts'
import { en } from '../../src/pages/messages/en.ts'
import { visitEveryPage } from '../support/every-page.ts'

const textOf = (html: string) => html.replaceAll('&#39;', "'").replaceAll('&quot;', '"').replaceAll('&amp;', '&')

/** Every text in a message file that takes no argument. */
function textsIn(messages: object): string[] {
  return Object.values(messages).flatMap(value => {
    if (typeof value === 'string') return [value]
    return typeof value === 'object' && value !== null ? textsIn(value) : []
  })
}

t.test('English is used where no other language of the pages is asked for', async t => {
  for (const headers of [{}, { 'accept-language': 'fr-FR,fr;q=0.9' }]) {
    const { pages } = await visitEveryPage(t, { headers })
    for (const { name, text, headers } of pages) {
      t.match(text, '<html lang="en">', name)
      t.equal(headers.get('content-language'), 'en', name)
    }
  }
})

for (const { tag, messages } of languages.slice(1)) {
  t.test(`every page is in ${tag} for a visitor who prefers it`, async t => {
    const { pages } = await visitEveryPage(t, { headers: { 'accept-language': `${tag}-XX,${tag};q=0.9,en;q=0.8` } })
    const own = new Set(textsIn(messages))
    const english = textsIn(en).filter(text => text.length > 8 && !own.has(text))
    t.ok(english.length > 80)
    for (const { name, text, headers } of pages) {
      t.match(text, `<html lang="${tag}">`, name)
      t.equal(headers.get('content-language'), tag, name)
      t.match(headers.get('vary'), /(^|, )Accept-Language$/, name)
      const shown = textOf(text)
      t.same(
        english.filter(one => shown.includes(one)),
        [],
        name
      )
    }
  })

  t.test(`in ${tag} the detail of a problem is marked as English`, async t => {
    const { pages } = await visitEveryPage(t, { headers: { 'accept-language': tag } })
    t.match(pages.find(({ name }) => name === 'not found')?.text, '<span lang="en">There is nothing at this address.')
  })

  t.test(`the scripts of a page get their texts in ${tag}, with one for each problem`, async t => {
    const { pages } = await visitEveryPage(t, { headers: { 'accept-language': tag } })
    const texts = JSON.parse(textOf(/data-texts="([^"]*)"/.exec(pages[0]?.text ?? '')?.[1] ?? ''))
    t.match(texts.failed, '{detail}')
    t.same(Object.keys(texts.problems).sort(), errorCodes.toSorted())
  })
}

t.test('a page varies by origin and language, and nothing else varies by language', async t => {
  const { url, origin, browser } = await visitEveryPage(t)
  const headers = { 'accept-language': 'de', accept: 'text/html' }
  for (const more of [{}, { origin }])
    t.equal((await browser.request(`${url}/`, { headers: { ...headers, ...more } })).headers.get('vary'), 'Origin, Accept-Language')
  const problem = await browser.request(`${url}/nothing`, { headers: { 'accept-language': 'de', accept: 'application/json' } })
  t.equal(problem.headers.get('vary'), 'Origin')
  t.equal(problem.headers.get('content-language'), null)
  t.match(await problem.json(), { title: 'Nothing here' })
})

import t from 'tap'
import { connectPage } from '../../src/pages/connect-page.ts'
import { keyDialog } from '../../src/pages/parts/key-form.ts'
import { apiKeyWith, providerWith } from '../core/support.ts'
import { pageContext } from '../support/page-context.ts'

const withKeysUrl = (keysUrl?: string) =>
  providerWith({ methods: { apiKey: { ...apiKeyWith({ in: 'basic' }), ...(keysUrl !== undefined && { keysUrl }) } } })
const connectMethods = [{ method: 'api_key', url: '/connect' }] as const
const bothPlaces = (keysUrl?: string) => [
  keyDialog(pageContext, withKeysUrl(keysUrl)).text,
  connectPage(pageContext, withKeysUrl(keysUrl), { connectMethods, returnTo: '/' })
]

t.test('the vendor’s page for keys opens in a new tab, which learns nothing of this one', async t => {
  for (const markup of bothPlaces('https://acme.example/keys?a=1&b=2'))
    t.match(
      markup,
      '<a href="https://acme.example/keys?a=1&amp;b=2" target="_blank" rel="noopener noreferrer">Make a key at Acme (opens a new tab)</a>'
    )
})

t.test('without a page for keys there is no link', async t => {
  for (const markup of bothPlaces()) t.notMatch(markup, 'target="_blank"')
})

t.test('a page for keys that depends on what the user has yet to say is not linked', async t => {
  for (const markup of bothPlaces('https://{shop}.acme.example/keys')) t.notMatch(markup, 'target="_blank"')
})

import t from 'tap'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import type { Parameter } from '../../src/core/provider/parameter.ts'
import { connectPage } from '../../src/pages/connect-page.ts'
import { connectionsPage } from '../../src/pages/connections-page.ts'
import { createPageContexts } from '../../src/pages/context.ts'
import { accountBody } from '../../src/pages/parts/account.ts'
import { connectionCard } from '../../src/pages/parts/connection-card.ts'
import { parameterField, shownValue } from '../../src/pages/parts/fields.ts'
import { keyDialog } from '../../src/pages/parts/key-form.ts'
import { connectedResult } from '../../src/pages/sign-in-result.ts'
import { apiKeyWith, oauth2With, providerWith } from '../core/support.ts'
import { pageContext } from '../support/page-context.ts'
import { desk, shop } from '../support/shop.ts'

const german = createPageContexts({ publicUrl: 'http://localhost:3000', basePath: '' }, {}).for('de')
const parameter: Parameter = { title: 'Shop', example: 'my-shop' }
const field = (
  more: Partial<Parameter>,
  options: Partial<Parameters<typeof parameterField>[3]> = {},
  name = 'shop',
  context = pageContext
) => parameterField(context, name, { ...parameter, ...more }, { id: 'f', inputName: name, ...options }).text
const hostile = `"><script>alert('x')</script>&{shop}`

t.test('a field has its title, hint, example and what follows the value', async t => {
  const text = field({ hint: 'See your address.', suffix: '.shop.example' })
  t.match(text, '<label for="f">Shop</label>')
  t.match(text, 'placeholder="my-shop"')
  t.match(text, 'aria-describedby="f_error f_suffix f_hint" required')
  t.match(text, '<span class="suffix" id="f_suffix">.shop.example</span>')
  t.match(text, '<p class="fine-print" id="f_hint">See your address.</p>')
  t.notMatch(field({ default: 'main' }), 'required')
  t.match(field({ default: 'main' }), 'value="main"')
})

t.test('the browser checks a pattern only where the gateway takes nothing else', async t => {
  t.match(field({ pattern: '[a-z]+' }), 'pattern="[\\s\\p{Cf}]*(?:[a-z]+)[\\s\\p{Cf}]*" title="my-shop"')
  for (const more of [{ suffix: '.shop.example' }, { isHost: true }, { verbatim: true }, { secret: true }])
    t.notMatch(field({ pattern: '[a-z]+', ...more }), 'pattern=')
})

t.test('a list is a choice of its words, with one that must be made unless there is a default', async t => {
  const oneOf = { eu: 'Europe', us: 'United <States>' }
  const asked = field({ oneOf, example: 'eu' })
  t.match(
    asked,
    '<option value="">Choose …</option><option value="eu">Europe</option><option value="us">United &lt;States&gt;</option></select>'
  )
  t.notMatch(field({ oneOf, example: 'eu', default: 'us' }), 'Choose …')
  t.match(field({ oneOf, example: 'eu', default: 'us' }), '<option value="us" selected>')
  t.match(field({ oneOf, example: 'eu' }, { prefill: { values: { shop: 'eu' } } }), '<option value="eu" selected>')
  t.match(field({ oneOf, example: 'eu' }, { prefill: { values: { shop: 'mars' } } }), 'Choose …', 'a value that is not on the list')
})

t.test('a secret is hidden, and never filled in', async t => {
  const text = field({ secret: true, default: 'd' }, { prefill: { values: { shop: 's3cret' }, invalid: 'shop' } })
  t.match(text, 'type="password" autocomplete="off"')
  t.match(text, '<button type="button" class="secondary" data-reveal="Shop" aria-label="Show: Shop" aria-controls="f">Show</button>')
  t.notMatch(text, 's3cret')
  t.notMatch(text, 'my-shop', 'an example of a secret helps nobody')
})

t.test('a value that was refused stays as text, with the error at its field', async t => {
  const refused = (value: string) => field({}, { prefill: { values: { shop: value }, invalid: 'shop' } })
  t.match(refused('a b'), '<p class="error" id="f_error" role="alert">That is not right. It looks like this: my-shop</p>')
  t.match(refused('a b'), 'aria-invalid="true" autofocus')
  t.match(refused(''), 'role="alert">Fill this in.</p>')
  t.match(refused(hostile), 'value="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;{shop}"')
  t.notMatch(refused(hostile), '<script>')
})

t.test('no text of a definition or a query is markup', async t => {
  const evil = { title: hostile, hint: hostile, example: hostile, suffix: hostile, pattern: hostile }
  for (const more of [evil, { ...evil, secret: true }, { ...evil, oneOf: { [hostile]: hostile } }])
    t.notMatch(field(more, { prefill: { values: { shop: hostile }, invalid: 'shop' } }), '<script>')
})

t.test('a phone or a browser is told that a field is for an e-mail address', async t => {
  t.match(field({}, {}, 'email'), 'inputmode="email" autocomplete="email"')
  t.match(field({}, {}, 'username'), 'autocomplete="username"')
  t.match(field({}), 'autocomplete="off"')
})

t.test('the words of a definition are marked as English on a page in another language', async t => {
  const text = field({ hint: 'See your address.' }, { prefill: { values: { shop: '' }, invalid: 'shop' } }, 'shop', german)
  t.match(text, '<label for="f" lang="en">Shop</label>')
  t.match(text, '<p class="fine-print" id="f_hint" lang="en">')
  t.match(text, 'role="alert">Füllen Sie dieses Feld aus.</p>')
})

t.test('ids are unique on a page with both ways to connect', async t => {
  const both = providerWith({
    ...shop,
    methods: { oauth2: oauth2With(), apiKey: { ...apiKeyWith({ in: 'basic' }), fields: desk.methods.apiKey?.fields ?? {} } }
  })
  const connectMethods = [
    { method: 'oauth2', url: '/auth/shop?return_to=%2F' },
    { method: 'api_key', url: '/connect/shop' }
  ] as const
  const markup = connectPage(pageContext, both, {
    connectMethods,
    returnTo: '/',
    prefill: { values: { shop: 'acme', email: 'ada@example.com' } }
  })
  const ids = [...markup.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  t.same(ids, [...new Set(ids)])
  for (const [, described = ''] of markup.matchAll(/aria-describedby="([^"]+)"/g))
    for (const id of described.split(' ')) t.ok(ids.includes(id), id)
  t.equal(markup.match(/value="acme"/g)?.length, 2, 'in both forms')
})

t.test('an error is shown in the form that was sent', async t => {
  const both = providerWith({ ...shop, methods: { oauth2: oauth2With(), apiKey: apiKeyWith({ in: 'basic' }) } })
  const connectMethods = [
    { method: 'oauth2', url: '/auth/shop' },
    { method: 'api_key', url: '/connect/shop' }
  ] as const
  const markup = connectPage(pageContext, both, { connectMethods, returnTo: '/', prefill: { values: { shop: 'a b' }, invalid: 'shop' } })
  t.equal(markup.match(/aria-invalid/g)?.length, 1)
})

t.test('a key that is not alone is introduced as what it is', async t => {
  const markup = keyDialog(pageContext, desk).text
  t.match(markup, 'This is how you find at Desk what is asked for below:')
  t.match(markup, '<p class="error" role="alert"></p>', 'a place for what is about no field')
  const unchecked = providerWith({ methods: { apiKey: { placements: [{ in: 'basic' }], help: { steps: ['Copy it.'] } } } })
  t.match(keyDialog(pageContext, unchecked).text, 'It is kept encrypted on this server.')
  t.notMatch(keyDialog(pageContext, unchecked).text, 'It is shown to')
})

const view: ConnectionView = {
  id: 'c-1',
  provider: 'desk',
  title: 'Desk',
  status: 'connected',
  methods: ['api_key'],
  method: 'api_key',
  parameters: { subdomain: 'acme', region: 'us', email: '<ada>@example.com' },
  connectUrl: '/connect/desk'
}
const account = {
  view,
  connectMethods: [{ method: 'api_key', url: 'http://localhost:3000/connect/desk', account: 'c-1' } as const],
  endsAtMs: undefined
}

t.test('a card shows what a connection was made with, in words', async t => {
  const text = accountBody(pageContext, desk, account, { hasName: false }).text
  t.match(text, '<dt><span>Subdomain</span></dt><dd><bdi>acme.desk.example</bdi></dd>')
  t.match(text, '<dt><span>Region</span></dt><dd><bdi>United States</bdi></dd>')
  t.match(text, '<bdi>&lt;ada&gt;@example.com</bdi>')
  t.match(accountBody(german, desk, account, { hasName: false }).text, '<span lang="en">Subdomain</span>')
  t.equal(shownValue({ title: '', example: '', oneOf: { eu: 'Europe' } }, 'constructor'), 'constructor')
})

t.test('a dialog for another key is filled with what the account was connected with', async t => {
  const card = connectionCard(pageContext, {
    provider: desk,
    accounts: [account],
    addMethods: [{ method: 'api_key', url: '/connect/desk', account: 'add' }]
  })
  t.match(card.text, 'data-account="c-1" data-values="{&quot;subdomain&quot;:&quot;acme&quot;')
  t.equal(card.text.match(/data-values/g)?.length, 1, 'not for another account')
})

t.test('a card links the vendor’s documentation, if there is one', async t => {
  const withDocs = { ...desk, docsUrl: 'https://docs.desk.example/?a&b' }
  t.match(
    connectionCard(pageContext, { provider: withDocs, accounts: [account], addMethods: [] }).text,
    /<a class="link-button" href="https:\/\/docs\.desk\.example\/\?a&amp;b" target="_blank" rel="noopener noreferrer"/
  )
  t.notMatch(connectionCard(pageContext, { provider: desk, accounts: [account], addMethods: [] }).text, 'target="_blank"')
})

const options = [
  { value: 's-1', name: 'Acme <site>' },
  { value: 's-2', name: 'Other' }
]
const choosing = { ...view, choice: { title: 'Site', value: 's-1', options } }

t.test('a card says which of several things is used, and changes it', async t => {
  const of = (view: ConnectionView) =>
    connectionCard(pageContext, { provider: desk, accounts: [{ ...account, view }], addMethods: [] }).text
  t.match(of(choosing), '<option value="s-1" selected>Acme &lt;site&gt;</option><option value="s-2">Other</option>')
  t.match(of(choosing), 'data-method="PUT" data-path="/connections/desk/c-1/choice" data-select="choice-c-1"')
  t.match(of(choosing), '<p class="fine-print no-script"><span>Site</span>: <bdi>Acme &lt;site&gt;</bdi></p>')
  t.notMatch(of({ ...choosing, choice: { ...choosing.choice, options: options.slice(0, 1) } }), 'choice-', 'one alone is no choice')
  t.notMatch(of({ ...choosing, status: 'reconnect_required' }), 'choice-')
})

t.test('after a sign-in it is said which of several things was taken', async t => {
  t.match(connectedResult(pageContext, choosing)?.text.text, '<span>Site</span>: <bdi>Acme &lt;site&gt;</bdi>, one of 2. You can change it')
  t.notMatch(connectedResult(pageContext, view)?.text.text, 'one of')
})

t.test('the page claims that nobody gives a password only where that is true', async t => {
  const pageOf = (verbatim: boolean) => {
    const fields = { key: { title: 'Password', example: 'p', secret: true, verbatim } }
    const provider = providerWith({ methods: { apiKey: { ...apiKeyWith({ in: 'basic' }), fields } } })
    const cards = [{ provider, accounts: [account], addMethods: [] }]
    const nothing = { signInResult: undefined, sessionExpiry: undefined, user: undefined, takeover: undefined }
    return connectionsPage(pageContext, { cards, invitations: [], ...nothing })
  }
  t.match(pageOf(false), '<h2>You never give a password</h2>')
  t.notMatch(pageOf(true), 'never give a password')
  t.match(pageOf(true), 'Only where a service has neither, you give a password.')
})

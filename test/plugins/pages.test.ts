import t, { type Test } from 'tap'
import vendor from '../../providers/productboard.ts'
import { backend } from '../../src/core/connections/connected-by.ts'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import { newServiceKey } from '../../src/core/users/service-keys.ts'
import { connectionsPage } from '../../src/pages/connections-page.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock } from '../support/gateway.ts'
import { pageContext } from '../support/page-context.ts'
import { pasteKey } from '../support/paste-key.ts'
import { startUserSession } from '../support/user-session.ts'

const withKeys = (t: Test, environment: Record<string, string> = {}) =>
  startGateway(t, {
    environment: { PROVIDERS: 'process-street,outgrow', OUTGROW_CLIENT_ID: 'i', OUTGROW_CLIENT_SECRET: 's', ...environment }
  })
const returns = (html: string) => /data-return-to="([^"]*)"/.exec(html)?.[1]

t.test('the page of one provider offers its enabled methods and keeps return_to', async t => {
  const gateway = await withKeys(t, { ALLOWED_ORIGINS: 'https://app.example.com' })
  const browser = new Browser()
  const open = async (rest: string) => (await browser.visit(`${gateway.url}/connect/${rest}`)).text

  const keysOnly = await open('process-street')
  t.equal(returns(keysOnly), '/?connected=process-street')
  t.notMatch(keysOnly, '/auth/')
  t.match(keysOnly, /<li>Choose New API Key and give it a name\.<\/li>/)

  const there = 'https://app.example.com/list?page=2#here'
  const both = await open(`outgrow?return_to=${encodeURIComponent(there)}`)
  t.equal(returns(both), there)
  t.match(both, `href="${gateway.url}/auth/outgrow?return_to=${encodeURIComponent(there)}"`)
  t.equal(returns(await open(`outgrow?return_to=${encodeURIComponent('/a?"><script>')}`)), '/a?%22%3E%3Cscript%3E')
  t.equal(returns(await open('outgrow?return_to=')), '/?connected=outgrow')
})

t.test('the page of one provider rejects other return URLs and disabled providers', async t => {
  const gateway = await withKeys(t)
  const browser = new Browser()
  for (const rest of [
    'return_to=https://elsewhere.example',
    'return_to=//elsewhere.example',
    'return_to=javascript:alert(1)',
    'return_to=/a&return_to=/b'
  ])
    await assertProblem(t, await browser.request(`${gateway.url}/connect/outgrow?${rest}`), 400, 'return_to_rejected')
  for (const name of ['productboard', 'nobody', '__proto__'])
    await assertProblem(t, await browser.request(`${gateway.url}/connect/${name}`), 404, 'provider_unknown')
  const { status, text } = await browser.visit(`${gateway.url}/connect/nobody`)
  t.equal(status, 404)
  t.match(text, '<h1>No such provider</h1>')
})

t.test('without its script the key form puts no key into a URL', async t => {
  const gateway = await withKeys(t)
  const { text } = await new Browser().visit(`${gateway.url}/connect/outgrow`)
  const [form] = /<form class="key-form"[\s\S]*?<\/form>/.exec(text) ?? ['']
  t.match(form, 'method="post"')
  t.match(form, /<input id="key-outgrow"[^>]* type="password"/)
  t.notMatch(form, / name="/)
})

t.test('the card shows when access ends only if it is not renewed', async t => {
  const page = async (s: Awaited<ReturnType<typeof startConnected>>) => (await s.browser.visit(s.gateway.url)).text
  const renewed = await startConnected(t)
  t.notMatch(await page(renewed), '<dt>Ends</dt>')
  const ending = await startConnected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: undefined, expires_in: 7200 })) })
  t.match(await page(ending), new RegExp(`<dt>Ends</dt><dd><time datetime="${new Date(ending.clock.now() + 7_200_000).toISOString()}">`))
})

t.test('the list and the card name missing scopes until they are granted', async t => {
  let scope: string | undefined = 'notes:read'
  const s = await startConnected(t, {
    environment: { PRODUCTBOARD_SCOPES: 'notes:read,entities:read,members:read' },
    token: (_, r) => json(r, 200, tokens({ scope }))
  })
  const missing = async () => {
    const { connections } = (await (await s.browser.fetch(`${s.gateway.url}/connections`)).json()) as { connections: ConnectionView[] }
    return connections[0]?.missingScopes
  }
  const card = async () => (await s.browser.visit(s.gateway.url)).text
  t.strictSame(await missing(), ['entities:read', 'members:read'])
  t.match(
    await card(),
    '<p>Not allowed: <span title="entities:read">see features and components</span>, <span title="members:read">see who the members are</span>. Connect again to allow them.</p>'
  )

  // Separated by commas, although this provider's requests use spaces.
  scope = 'notes:read,entities:read'
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })).status, 200)
  t.strictSame(await missing(), ['members:read'], 'a renewal may change the scopes')
  t.match(await card(), '<p>Not allowed: <span title="members:read">see who the members are</span>. Connect again to allow it.</p>')

  for (const all of ['notes:read entities:read members:read more', undefined]) {
    scope = all
    await signIn(s.gateway, s.browser)
    t.equal(await missing(), undefined)
    t.notMatch(await card(), 'Not allowed')
  }
})

t.test('the page shows when the session ends', async t => {
  const s = await startConnected(t, { environment: { SESSION_IDLE: '5400', SESSION_MAX: '86400' } })
  const { text } = await s.browser.visit(s.gateway.url)
  t.match(text, 'after 90 minutes without use')
  t.match(text, `<time datetime="${new Date(s.clock.now() + 86_400_000).toISOString()}">`)
  t.notMatch((await new Browser().visit(s.gateway.url)).text, 'without use')
})

/** A provider at which every key is the account of that name, and `unnamed…` one without a name. */
async function withAccounts(t: Test, environment: Record<string, string> = {}) {
  const { oauth2, apiKey } = vendor.methods
  if (!oauth2 || !apiKey) throw new Error('it has both methods')
  const account = { from: 'lookup', path: '/me', id: '/id', name: '/name' } as const
  const definition = { ...vendor, methods: { oauth2, apiKey: { ...apiKey, account } } }
  const provider = await startFakeProvider(t)
  provider.api = ({ headers }, response) => {
    const [name = '', id = name] = (headers.authorization ?? '').slice(7).split('_')
    json(response, 200, { id, ...(name !== 'unnamed' && { name }) })
  }
  const clock = new TestClock()
  const gateway = await startGateway(t, { clock, environment: { ...provider.environment, ...environment }, definitions: [definition] })
  const browser = new Browser()
  const add = async (...keys: string[]) => {
    for (const key of keys) {
      clock.advance(1000)
      t.equal((await pasteKey(gateway, browser, 'productboard', key, { more: { account: 'add' } })).status, 201, key)
    }
  }
  const open = async (path = '/') => (await browser.visit(gateway.url + path)).text
  const views = async () => {
    const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: ConnectionView[] }
    return connections
  }
  const idOf = async (name: string) => (await views()).find(({ account }) => account === name)?.id ?? ''
  return { gateway, provider, browser, add, open, views, idOf }
}

const labels = (page: string) => [...page.matchAll(/<h3><bdi>(.*?)<\/bdi><\/h3>/g)].map(([, label]) => label)
/** The accessible names of all links, buttons and menus of the cards. */
const controls = (page: string) => [...page.matchAll(/<(?:a|button|summary) [^>]*aria-label="([^"]*)"/g)].map(([, name]) => name)
/** The block of one account on a card with several. */
const blockOf = (page: string, label: string) =>
  page.split('<li class="account"').find(block => block.includes(`<h3><bdi>${label}</bdi>`)) ?? ''
/** The paragraph about the accounts that are connected, without its tags. */
const callout = (page: string) => /<p class="callout">(.*?)<\/p>/.exec(page)?.[1]?.replace(/<[^>]*>/g, '') ?? ''

t.test('the accounts of one provider share a card, each with its own actions', async t => {
  const { open, add, idOf } = await withAccounts(t)
  await add('ada', 'bob')
  const [ada, bob] = [await idOf('ada'), await idOf('bob')]
  const page = await open()
  t.equal(page.match(/<li class="card/g)?.length, 1)
  t.strictSame(labels(page), ['ada', 'bob'])
  for (const [label, id] of [
    ['ada', ada],
    ['bob', bob]
  ] as const) {
    const block = blockOf(page, label)
    t.match(block, `data-method="DELETE" data-path="/connections/productboard/${id}"`)
    t.match(block, `data-dialog="key-dialog-productboard" data-account="${id}" data-note="The key takes the place of ${label}."`)
    t.match(block, `data-invite="/connections/productboard/invitation" data-title="Productboard, ${label}" data-account="${id}"`)
    t.match(block, '<dt>Since</dt>')
  }
  t.match(blockOf(page, 'ada'), '<p class="default-mark">Default</p>')
  t.notMatch(blockOf(page, 'ada'), 'Make default')
  t.notMatch(blockOf(page, 'bob'), 'default-mark')
  t.match(blockOf(page, 'bob'), `data-path="/connections/productboard/default" data-body="{&quot;id&quot;:&quot;${bob}&quot;}"`)
  t.equal(new Set(controls(page)).size, controls(page).length, 'no two controls have the same name')
})

t.test('another default account does not move the blocks', async t => {
  const { gateway, browser, open, add, idOf } = await withAccounts(t)
  await add('ada', 'bob')
  const response = await browser.fetch(`${gateway.url}/connections/productboard/default`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: await idOf('bob') })
  })
  t.equal(response.status, 200)
  const page = await open()
  t.strictSame(labels(page), ['ada', 'bob'])
  t.match(blockOf(page, 'bob'), 'default-mark')
})

t.test('accounts of the same name, or without one, are numbered', async t => {
  const { open, add } = await withAccounts(t)
  await add('ada_1', 'ada_2', 'unnamed_3', 'unnamed_4', 'bob')
  const page = await open()
  t.strictSame(labels(page), ['ada (1)', 'ada (2)', 'Account 3', 'Account 4', 'bob'])
  t.equal(new Set(controls(page)).size, controls(page).length, 'no two controls have the same name')
})

t.test('a single account looks as before, and another can be added', async t => {
  const { open, add, idOf } = await withAccounts(t)
  const disconnected = await open()
  t.notMatch(disconnected, 'Add another account')
  await add('ada')
  const page = await open()
  t.strictSame(labels(page), [])
  t.notMatch(page, /class="default-mark"|Make default/)
  t.match(page, '<dt>Account</dt><dd>ada</dd>')
  t.match(page, `data-path="/connections/productboard/${await idOf('ada')}"`)
  t.match(page, 'aria-label="Add another account of Productboard" data-dialog="key-dialog-productboard" data-account="add"')
  t.match(page, /href="[^"]*\/auth\/productboard\?return_to=[^"]*&amp;account=add" aria-label="Add one by sign-in for Productboard"/)
})

t.test('with ten accounts the card offers no more, and the page of the provider refuses', async t => {
  const { gateway, browser, open, add, idOf } = await withAccounts(t)
  await add(...Array.from({ length: 10 }, (_, i) => `account-${i}`))
  const page = await open()
  t.equal(labels(page).length, 10)
  t.notMatch(page, /Add another account|Add one/)
  const refused = await browser.request(`${gateway.url}/connect/productboard?account=add`)
  t.match((await assertProblem(t, refused, 400, 'parameters_invalid')).detail, '10 accounts')
  t.notMatch(await open(`/connect/productboard?account=${await idOf('account-3')}`), 'Add another account')
})

t.test('the page of one provider says what becomes of the accounts', async t => {
  const { open, add, idOf } = await withAccounts(t)
  await add('ada')
  t.match(callout(await open('/connect/productboard')), /^It was connected as ada on .*takes its place\. Add another account instead\.$/)
  t.equal(
    callout(await open('/connect/productboard?account=add')),
    'Connected already: ada. It stays, and the account that you choose now is added.'
  )
  await add('bob')
  t.match(callout(await open('/connect/productboard')), /takes the place of ada, the default account, connected on .* Add another account/)
  t.match(callout(await open(`/connect/productboard?account=${await idOf('bob')}`)), /takes the place of bob connected on/)
  t.match(callout(await open('/connect/productboard?account=add')), /^Connected already: ada and bob\. They stay/)
})

t.test('the page of one provider passes the account on', async t => {
  const { gateway, browser, open, add, idOf } = await withAccounts(t)
  await add('ada')
  const there = encodeURIComponent('/done')
  for (const account of ['add', await idOf('ada')]) {
    for (const path of [
      `/connect/productboard?return_to=${there}&account=${account}`,
      `/auth/productboard?return_to=${there}&account=${account}`
    ]) {
      const { text } = await browser.visit(gateway.url + path, { headers: { 'sec-fetch-site': 'cross-site' } })
      t.match(text, `href="${gateway.url}/auth/productboard?return_to=${there}&amp;account=${account}"`)
      t.match(text, `data-return-to="/done" data-account="${account}"`)
    }
  }
  t.notMatch(await open('/connect/productboard'), 'data-account')
  t.match(await open(`/connect/productboard?return_to=${there}`), `/connect/productboard?return_to=${there}&amp;account=add`)
})

t.test('the page of one provider refuses accounts that are not there', async t => {
  const { gateway, browser } = await withAccounts(t)
  const request = (query: string) => browser.request(`${gateway.url}/connect/productboard?${query}`)
  await assertProblem(t, await request('account=c29tZWJvZHkgZWxzZQ'), 404, 'connection_unknown')
  await assertProblem(t, await request('account=add&account=add'), 400, 'parameters_invalid')
  await assertProblem(t, await request('account=%3Cscript%3E'), 400, 'parameters_invalid')
})

t.test('a failed sign-in is tried again for the same account', async t => {
  const { open, add, idOf } = await withAccounts(t)
  await add('ada', 'bob')
  const failed = '/?connected=productboard&connect_error=access_denied&provider=productboard'
  const added = await open(`${failed}&account=add`)
  t.match(added, 'No other Productboard account was connected')
  t.match(added, /\/auth\/productboard\?return_to=[^"]*&amp;account=add">Try Productboard again/)
  const bob = await idOf('bob')
  t.match(await open(`${failed}&account=${bob}`), new RegExp(`&amp;account=${bob}">Try Productboard again`))
  for (const account of ['unknown', '%22%3E', 'add&account=add'])
    t.match(await open(`${failed}&account=${account}`), /return_to=%2F%3Fconnected%3Dproductboard">Try Productboard again/)
})

t.test('after a sign-in the message names the account that was connected last', async t => {
  const { open, add } = await withAccounts(t)
  await add('ada', 'bob')
  t.match(await open('/?connected=productboard'), 'Productboard is connected as <bdi>bob</bdi>.')
})

t.test('a user sees who is signed in, and signs out without disconnecting', async t => {
  const key = newKey()
  const { gateway, browser, open } = await withAccounts(t, { SESSION_KEYS: key })
  const { name, value } = await startUserSession(gateway, key, { id: 'u-1', name: 'Ada <Lovelace>' })
  browser.cookies.set(`localhost ${name}`, { name, value, path: '/', attributes: '' })
  const empty = await open()
  t.match(empty, 'Signed in as <bdi>Ada &lt;Lovelace&gt;</bdi>')
  t.match(
    empty,
    'id="invite-name" type="text" maxlength="80" autocomplete="name" aria-describedby="invite-error" value="Ada &lt;Lovelace&gt;"'
  )
  t.notMatch(empty, 'data-path="/connections"')

  t.equal((await pasteKey(gateway, browser, 'productboard', 'ada')).status, 201)
  const page = await open()
  t.match(page, 'data-method="DELETE" data-path="/connections" data-question="Disconnect all?"')
  t.notMatch(page, /without use|Sign out and disconnect all/)
  t.equal((await browser.fetch(`${gateway.url}/logout`, { method: 'POST' })).status, 204)
  t.notMatch(await open(), 'Signed in as')
  const again = await startUserSession(gateway, key, { id: 'u-1' })
  browser.cookies.set(`localhost ${name}`, { ...again, path: '/', attributes: '' })
  const later = await open()
  t.match(later, 'Signed in as <bdi>Ada &lt;Lovelace&gt;</bdi>', 'a sign-in that tells no name does not erase it')
  t.match(later, '<dt>Account</dt><dd>ada</dd>')
})

t.test('a user whose name nobody tells is shown by their id', async t => {
  const key = newKey()
  const { gateway, browser, open } = await withAccounts(t, { SESSION_KEYS: key })
  const { name, value } = await startUserSession(gateway, key, { id: 'u-2' })
  browser.cookies.set(`localhost ${name}`, { name, value, path: '/', attributes: '' })
  t.match(await open(), 'Signed in as <bdi>u-2</bdi>')
})

t.test('without a session of the user there is nothing to sign out of', async t => {
  const { key, entry } = newServiceKey('nightly')
  const { gateway } = await withAccounts(t, { SERVICE_KEYS: entry })
  const headers = { authorization: `Bearer ${key.reveal()}`, 'grantkeeper-user': 'u-2' }
  const { text } = await new Browser().visit(gateway.url, { headers })
  t.match(text, 'Signed in as <bdi>u-2</bdi>')
  t.notMatch(text, '/logout')
})

t.test('what a browser had connected before is offered to its user', async t => {
  const options = { cards: [], invitations: [], signInResult: undefined, sessionExpiry: undefined, user: { id: 'u', hasSession: true } }
  const one = connectionsPage(pageContext, { ...options, takeover: { titles: ['<A>'] } })
  t.match(one, 'Before you signed in, this browser had connected <bdi>&lt;A&gt;</bdi>. Keep it if you did that.')
  const two = connectionsPage(pageContext, { ...options, takeover: { titles: ['A', 'B'] } })
  t.match(two, 'this browser had connected <bdi>A</bdi> and <bdi>B</bdi>. Keep them')
  t.match(two, 'data-method="POST" data-path="/takeover" data-question="Keep A and B?"')
  t.match(two, 'data-method="DELETE" data-path="/takeover" data-question="Disconnect A and B?"')
  t.notMatch(connectionsPage(pageContext, { ...options, takeover: undefined }), 'takeover')
})

t.test('the card says who connected an account, if not its user', async t => {
  const view = (method: 'oauth2' | 'api_key', connectedBy: string): ConnectionView => ({
    id: 'id',
    provider: vendor.name,
    title: vendor.title,
    status: 'connected',
    methods: [],
    method,
    connectedBy,
    connectUrl: ''
  })
  const cardOf = (method: 'oauth2' | 'api_key', connectedBy: string) =>
    connectionsPage(pageContext, {
      cards: [
        { provider: vendor, accounts: [{ view: view(method, connectedBy), connectMethods: [], endsAtMs: undefined }], addMethods: [] }
      ],
      invitations: [],
      signInResult: undefined,
      sessionExpiry: undefined,
      user: undefined,
      takeover: undefined
    })
  t.match(cardOf('oauth2', backend('nightly')), '<dt>Connected by</dt><dd><bdi>a backend (nightly)</bdi></dd>')
  t.match(cardOf('api_key', backend('nightly')), '<dd><bdi>a backend (nightly)</bdi>, with a key</dd>')
})

t.test('the name that an invited person gives is on the card and in the list', async t => {
  const { gateway, browser, open, add, views, idOf } = await withAccounts(t)
  await add('ada')
  const invite = async (account: string) => {
    const response = await browser.fetch(`${gateway.url}/connections/productboard/invitation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Ada', account })
    })
    return ((await response.json()) as { url: string }).url
  }
  const guest = new Browser()
  const pasteFor = (url: string, body: unknown) =>
    guest.fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

  const byKey = await invite('add')
  for (const name of ['x'.repeat(81), 'a\u202eb', 'a\nb', 7, ['a', 'b']])
    t.match(
      (await assertProblem(t, await pasteFor(byKey, { apiKey: 'bob', name }), 400, 'request_malformed')).detail,
      /"name" is your name/
    )
  t.equal((await pasteFor(byKey, { apiKey: 'bob', name: ` ${'Grace & co'} ` })).status, 201)
  t.match(blockOf(await open(), 'bob'), '<dt>Connected by</dt><dd><bdi>Grace &amp; co (invited)</bdi>, with a key</dd>')
  t.match(
    (await views()).map(({ account, connectedBy }) => [account, connectedBy]),
    [
      ['ada', undefined],
      ['bob', 'Grace & co (invited)']
    ]
  )

  const accept = (url: string, body: string) =>
    guest.request(`${url}/accept`, {
      method: 'POST',
      body,
      headers: { origin: gateway.url, 'content-type': 'application/x-www-form-urlencoded' }
    })
  const bySignIn = await invite(await idOf('ada'))
  await assertProblem(t, await accept(bySignIn, `name=${'x'.repeat(81)}`), 400, 'request_malformed')
  await assertProblem(t, await accept(bySignIn, 'name=a&name=b'), 400, 'request_malformed')
  const started = await accept(bySignIn, `name=${encodeURIComponent('語'.repeat(80))}`)
  t.equal(started.status, 303)
  t.ok(started.headers.getSetCookie().every(line => line.length < 4096))
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const done = await guest.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
  t.equal(done.headers.get('location'), '/invitations/thanks?provider=productboard')
  t.match((await views()).find(({ method }) => method === 'oauth2')?.connectedBy, `${'語'.repeat(80)} (invited)`)
  t.notMatch(gateway.logs.join(''), /語|Grace/, 'no log has a name')
})

t.test('who is invited and gives no name is not named', async t => {
  const { gateway, browser, open } = await withAccounts(t)
  const response = await browser.fetch(`${gateway.url}/connections/productboard/invitation`, { method: 'POST' })
  const { url } = (await response.json()) as { url: string }
  const guest = new Browser()
  t.equal((await pasteKeyTo(guest, url)).status, 201)
  t.match(await open(), '<dt>Connected by</dt><dd>Key</dd>')
})

const pasteKeyTo = (guest: Browser, url: string) =>
  guest.fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ apiKey: 'ada', name: '' }) })

import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { startGateway } from '../support/gateway.ts'
import { desk, hostileShops, shop, startShops } from '../support/shop.ts'
import { startUserGateway } from '../support/users.ts'

const page = { accept: 'text/html', 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' }
const crossSite = { ...page, 'sec-fetch-site': 'cross-site' }

async function setUp(t: Test, environment: Record<string, string> = {}) {
  const shops = await startShops(t)
  const gateway = await startGateway(t, { definitions: [shop, desk], environment: { ...shops.environment, ...environment } })
  const browser = new Browser()
  const auth = (query: Record<string, string> | string = '') =>
    `${gateway.url}/auth/shop${query === '' ? '' : `?${new URLSearchParams(query)}`}`
  return { ...shops, gateway, browser, auth }
}

const addressOf = (response: Response) => {
  const { origin, pathname } = new URL(response.headers.get('location') ?? 'none:')
  return origin + pathname
}

/** The field of a form, with its error. */
const fieldOf = (html: string, id: string) => {
  const [, error = '', rest = ''] = html.split(`<p class="error" id="${id}_error" role="alert">`)[1]?.match(/^([^<]*)([\s\S]*)/) ?? []
  const input = /<(?:input|select)[^>]*>/.exec(rest)?.[0] ?? ''
  return { error, input, value: /[^-]value="([^"]*)"/.exec(input)?.[1] }
}

t.test('a sign-in begins at the address that a parameter names, however it is written', async t => {
  const { auth, browser, provider } = await setUp(t)
  for (const given of ['acme', ' acme ', 'acme.shop.example', 'https://acme.shop.example/settings?tab=1#x', '\u200bacme']) {
    const response = await browser.request(auth({ shop: given }), { headers: page })
    t.equal(response.status, 302, given)
    t.equal(addressOf(response), `${provider.origin}/authorize/acme`)
  }
})

t.test('a parameter that is left out is asked for on a page, which keeps what else was asked', async t => {
  const { auth, browser, gateway, seen } = await setUp(t, { SHOP_SCOPES: 'read write' })
  const query = { return_to: '/done?x=1', account: 'add', scopes: 'read', login_hint: 'ada@example.com', prompt: 'consent' }
  const asked = await browser.request(auth(query), { headers: page })
  t.equal(asked.status, 303)
  const location = asked.headers.get('location') ?? ''
  t.ok(location.startsWith(`${gateway.url}/connect/shop?`))
  const html = await (await browser.request(location, { headers: page })).text()
  const [form = ''] = /<form class="native-form sign-in-form"[\s\S]*?<\/form>/.exec(html) ?? []
  t.match(form, `method="get" action="${auth()}"`)
  for (const [name, value] of Object.entries(query)) t.match(form, `<input type="hidden" name="${name}" value="${value}">`)
  t.match(form, /<input id="parameter-shop" name="shop"[^>]* required[^>]* placeholder="my-shop"/)
  t.match(form, '<span class="suffix" id="parameter-shop_suffix">.shop.example</span>')
  t.match(form, 'The first part of its address.')
  t.equal((await browser.request(auth(), { headers: page })).headers.get('location'), `${gateway.url}/connect/shop`)
  t.same(seen(), [])
})

t.test('a request that is no navigation is told which parameter is missing', async t => {
  const { auth, browser } = await setUp(t)
  const problem = await assertProblem(t, await browser.request(auth()), 400, 'parameters_invalid')
  t.match(problem, { provider: 'shop', parameter: 'shop', detail: /^shop \(Your shop\) is missing, for example my-shop\.$/ })
})

t.test('SEC-62: no value of a parameter leads a sign-in elsewhere, and the provider sees no request', async t => {
  const { auth, browser, seen } = await setUp(t, { SIGN_INS_PER_MINUTE: '1000' })
  for (const given of hostileShops) {
    const title = JSON.stringify(given.slice(0, 40))
    const response = await browser.request(auth({ shop: given }))
    const problem = await assertProblem(t, response, 400, 'parameters_invalid')
    t.match(problem, { parameter: 'shop', provider: 'shop' }, title)
    if (given.length > 5) t.notOk(problem.detail.includes(given), `${title} is not repeated`)
    t.notOk(
      [...response.headers].some(([, value]) => given.length > 5 && value.includes(given)),
      title
    )
    t.same(response.headers.getSetCookie(), [], title)
  }
  for (const twice of ['shop=acme&shop=evil', 'shop[]=acme&shop=', 'shop=acme&shop=acme'])
    await assertProblem(t, await browser.request(`${auth()}?${twice}`), 400, 'parameters_invalid')
  t.same(seen(), [])
})

t.test('a browser gets the form with the error at its field, and what was typed stays as text', async t => {
  const { auth, browser, seen } = await setUp(t, { SIGN_INS_PER_MINUTE: '1000' })
  for (const given of hostileShops) {
    const response = await browser.request(auth({ shop: given, return_to: '/done' }), {
      headers: { ...page, 'sec-fetch-site': 'same-origin' }
    })
    t.match(
      { status: response.status, code: response.headers.get('grantkeeper-error'), cookies: response.headers.getSetCookie() },
      {
        status: 400,
        code: 'parameters_invalid',
        cookies: []
      }
    )
    const html = await response.text()
    t.notMatch(html, '<script>')
    const { error, input, value } = fieldOf(html, 'parameter-shop')
    t.equal(error, given === '' ? 'Fill this in.' : 'That is not right. It looks like this: my-shop')
    t.match(input, 'aria-invalid="true" autofocus aria-describedby="parameter-shop_error parameter-shop_suffix parameter-shop_hint"')
    if (/^[\w.@:]{1,300}$/.test(given)) t.equal(value, given)
    t.match(html, '<input type="hidden" name="return_to" value="/done">')
  }
  t.same(seen(), [])
})

t.test('SEC-62: a link from another site begins nothing, and shows what it gives', async t => {
  const { auth, browser, seen } = await setUp(t)
  for (const given of ['evil', 'evil.example', '"><img src=x>']) {
    const response = await browser.request(auth({ shop: given }), { headers: crossSite })
    t.match(
      { status: response.status, location: response.headers.get('location'), cookies: response.headers.getSetCookie() },
      {
        status: 200,
        location: null,
        cookies: []
      }
    )
    const html = await response.text()
    t.equal(fieldOf(html, 'parameter-shop').value, given.replaceAll('"', '&quot;').replaceAll('>', '&gt;').replaceAll('<', '&lt;'))
    t.match(html, '<button>Sign in at Shop</button>')
  }
  t.same(seen(), [])
})

t.test('a page with a form that leaves for the provider may be redirected there, and others not', async t => {
  const { browser, gateway } = await setUp(t)
  const policy = async (path: string) =>
    (await browser.request(gateway.url + path, { headers: page })).headers.get('content-security-policy') ?? ''
  t.notMatch(await policy('/connect/shop'), 'form-action')
  t.match(await policy('/'), "form-action 'self'")
})

t.test('SEC-62: what the operator has fixed is not asked, and must not be given', async t => {
  const { auth, browser, gateway, provider } = await setUp(t, { SHOP_PARAMETER_SHOP: 'ours' })
  const started = await browser.request(auth(), { headers: page })
  t.equal(addressOf(started), `${provider.origin}/authorize/ours`)
  t.match(await assertProblem(t, await browser.request(auth({ shop: 'theirs' })), 400, 'parameters_invalid'), { parameter: 'shop' })
  t.equal((await browser.request(auth({ shop: 'theirs' }), { headers: page })).status, 400)
  const html = await (await browser.request(`${gateway.url}/connect/shop`, { headers: page })).text()
  t.notMatch(html, 'parameter-shop')
  t.match(html, /<a class="button" href="[^"]*\/auth\/shop\?/)
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: { provider: string }[] }
  t.match(
    connections.find(({ provider }) => provider === 'shop'),
    { connectUrl: `${gateway.url}/auth/shop` }
  )
})

t.test('a query may have names that are not meant for the provider', async t => {
  const { auth, browser } = await setUp(t)
  t.equal((await browser.request(auth({ shop: 'acme', utm_source: 'mail', email: 'x' }))).status, 302)
})

t.test('a connection shows what it was made with, and is made anew with it', async t => {
  const { auth, browser, gateway, seen } = await setUp(t)
  const home = await browser.visit(auth({ shop: 'acme', return_to: '/?connected=shop' }), { headers: page })
  t.match(home.text, '<dt><span>Your shop</span></dt><dd><bdi>acme.shop.example</bdi></dd>')
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: Record<string, unknown>[] }
  const connected = connections.find(({ provider }) => provider === 'shop')
  t.match(connected, { status: 'connected', parameters: { shop: 'acme' }, connectUrl: `${gateway.url}/connect/shop` })
  t.match(home.text, new RegExp(`<a class="link-button" href="${gateway.url}/connect/shop\\?[^"]*account=${connected?.id}"`))
  const asks = async (query: string) =>
    fieldOf(await (await browser.request(`${gateway.url}/connect/shop${query}`, { headers: page })).text(), 'parameter-shop').value
  t.equal(await asks(''), 'acme')
  t.equal(await asks(`?account=${connected?.id}`), 'acme')
  t.equal(await asks('?shop=other'), 'other', 'what is asked for now comes first')
  t.equal(await asks('?account=add'), undefined)
  t.equal((await browser.fetch(`${gateway.url}/proxy/shop/orders`)).status, 200)
  t.same(
    seen().filter(one => !one.startsWith('GET /authorize/acme?')),
    ['POST /token/acme', 'GET /shops/acme/orders']
  )
})

t.test('a sign-in that the provider refuses is tried again by way of the form', async t => {
  const { browser, gateway } = await setUp(t)
  const { text } = await browser.visit(`${gateway.url}/?connect_error=access_denied&provider=shop`)
  t.match(text, new RegExp(`<a href="${gateway.url}/connect/shop\\?return_to=[^"]*">Try Shop again</a>`))
})

t.test('parameters and return_to that fit into no cookie are refused, and the longest that do are kept', async t => {
  const { auth, browser, provider } = await setUp(t, { DESK_API_URL: '' })
  const shopName = 'a'.repeat(63)
  let longest = ''
  for (let length = 1500; length < 2000; length += 10) {
    const response = await browser.request(auth({ shop: shopName, return_to: `/${'x'.repeat(length - 1)}` }))
    if (response.status === 302) longest = response.headers.getSetCookie().at(-1) ?? ''
    else {
      const problem = await assertProblem(t, response, 400, 'parameters_invalid')
      t.match(problem, { detail: /too long together.*Shorten return_to/, provider: 'shop' })
      break
    }
  }
  t.ok(longest.length > 2000 && longest.length <= 4096, `${longest.length} bytes`)
  t.same(provider.seen.token, [])
})

t.test('a bearer gives parameters in the body, and is told which is missing or wrong', async t => {
  const shops = await startShops(t)
  const { as, frontend, gateway } = await startUserGateway(t, { definitions: [shop, desk], environment: { ...shops.environment } })
  const begin = (body: object) => as('ada').send('POST', '/auth/shop', { returnTo: frontend, ...body })
  for (const parameters of [undefined, {}, { shop: '' }, { shop: 7 }, { shop: ['acme'] }, ...hostileShops.map(one => ({ shop: one }))])
    t.match(await assertProblem(t, await begin({ parameters }), 400, 'parameters_invalid'), { parameter: 'shop', provider: 'shop' })
  for (const parameters of [null, [], 'acme', 7]) await assertProblem(t, await begin({ parameters }), 400, 'parameters_invalid')
  t.match(await assertProblem(t, await begin({ parameters: { shop: 'acme', shpo: 'x' } }), 400, 'parameters_invalid'), {
    parameter: 'shpo'
  })

  const begun = await begin({ parameters: { shop: 'https://acme.shop.example' } })
  t.equal(begun.status, 201)
  const browser = new Browser()
  const started = await browser.request(((await begun.json()) as { url: string }).url)
  t.equal(addressOf(started), `${shops.provider.origin}/authorize/acme`)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const back = await browser.request(`${gateway.url}/auth/shop/callback?${new URLSearchParams({ code: 'c', state })}`)
  const code = new URL(back.headers.get('location') ?? '').searchParams.get('connect_code')
  const completed = await as('ada').send('POST', '/connections/complete', { code })
  t.match(await completed.json(), { provider: 'shop', parameters: { shop: 'acme' } })
})

t.test('a bearer’s link to a choice asks for what was not given', async t => {
  const shops = await startShops(t)
  const { as, frontend } = await startUserGateway(t, { definitions: [shop, desk], environment: { ...shops.environment } })
  const begun = await as('ada').send('POST', '/auth/shop', { returnTo: frontend, choose: true })
  const { url } = (await begun.json()) as { url: string }
  const browser = new Browser()
  const first = await browser.visit(url, { headers: page })
  t.match(first.text, `method="get" action="${new URL(url).pathname}"`)
  t.match(first.text, '<input type="hidden" name="method" value="oauth2">')
  const wrong = await browser.visit(`${url}?method=oauth2&shop=a%2Fb`, { headers: page })
  t.equal(wrong.status, 400)
  t.match(fieldOf(wrong.text, 'parameter-shop'), { value: 'a/b', error: /^That is not right/ })
  t.equal((await browser.request(`${url}?method=oauth2`, { headers: page })).status, 400)
  t.equal(addressOf(await browser.request(`${url}?method=oauth2&shop=acme`, { headers: page })), `${shops.provider.origin}/authorize/acme`)
  t.same(shops.seen(), [])
})

t.test('an invited person is asked, and what is wrong is said at its field', async t => {
  const { browser, gateway, provider } = await setUp(t)
  const created = await browser.fetch(`${gateway.url}/connections/shop/invitation`, {
    method: 'POST',
    body: JSON.stringify({ name: 'Ada' }),
    headers: { 'content-type': 'application/json' }
  })
  const { url } = (await created.json()) as { url: string }
  const guest = new Browser()
  t.match((await guest.visit(url)).text, /<form class="native-form sign-in-form" id="accept" method="post"[\s\S]*name="parameters.shop"/)
  const accept = (fields: Record<string, string> | string, headers: Record<string, string> = page) =>
    guest.request(`${url}/accept`, {
      method: 'POST',
      body: String(new URLSearchParams(fields)),
      headers: { ...headers, origin: gateway.url, 'sec-fetch-site': 'same-origin', 'content-type': 'application/x-www-form-urlencoded' }
    })
  const refused = await accept({ name: 'Grace <b>', 'parameters.shop': 'evil.example/x' })
  t.equal(refused.status, 400)
  const html = await refused.text()
  t.match(html, 'value="Grace &lt;b&gt;"')
  t.match(fieldOf(html, 'parameter-shop'), { value: 'evil.example/x', error: /^That is not right/ })
  for (const fields of [{}, { 'parameters.shop': '' }, { 'parameters.shop': 'acme', 'parameters.other': 'x' }])
    await assertProblem(t, await accept(fields, { accept: 'application/json' }), 400, 'parameters_invalid')
  t.equal((await accept('parameters.shop=acme&parameters.shop=acme')).status, 400)
  const started = await accept({ name: 'Grace', 'parameters.shop': 'acme' })
  t.equal(started.status, 303)
  t.equal(addressOf(started), `${provider.origin}/authorize/acme`)
})

t.test('a key’s form has a field for each parameter and field, and no secret of a query', async t => {
  const { browser, gateway } = await setUp(t)
  const query = 'subdomain=acme&region=us&email=eve@evil.example&pin=1234&key=s3cret'
  const { text } = await browser.visit(`${gateway.url}/connect/desk?${query}`)
  const [form = ''] = /<form class="key-form"[\s\S]*?<\/form>/.exec(text) ?? []
  t.equal(fieldOf(form, 'key-desk_subdomain').value, 'acme')
  t.match(form, '<option value="us" selected>United States</option>')
  t.match(form, /<input id="key-desk_email" data-field="email"[^>]* type="text" inputmode="email" autocomplete="email"/)
  t.match(form, /<input id="key-desk_pin" data-field="pin"[^>]* type="password" autocomplete="off"/)
  t.match(form, /<input id="key-desk" data-field="key"[^>]* type="password" autocomplete="off"/)
  for (const secret of ['1234', 's3cret', 'eve@']) t.notMatch(text, secret, 'only parameters of the provider are taken from a query')
  t.notMatch(form, / name="/)
  const order = [...form.matchAll(/data-(?:parameter|field)="(\w+)"/g)].map(([, name]) => name)
  t.same(order, ['subdomain', 'region', 'email', 'pin', 'key'])
})

import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertConnectError, assertProblem } from '../support/connected.ts'
import { flowCookie, sessionCookie } from '../support/cookie-names.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { type GatewayOptions, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'

type Setup = { gateway: TestGateway; provider: FakeProvider; other: FakeProvider; clock: TestClock; browser: Browser }

async function setUp(t: Test, options: GatewayOptions = {}): Promise<Setup> {
  const clock = new TestClock()
  const provider = await startFakeProvider(t)
  const other = await startFakeProvider(t, 'IGNITION')
  const environment = { ...provider.environment, ...other.environment, ...options.environment }
  const gateway = await startGateway(t, { clock, ...options, environment })
  return { gateway, provider, other, clock, browser: new Browser() }
}

/** Starts a sign-in. @returns the parameters of the authorization request */
async function startSignIn({ gateway }: Setup, browser: Browser, path = '/auth/productboard'): Promise<URLSearchParams> {
  const response = await browser.request(gateway.url + path)
  return new URL(response.headers.get('location') ?? 'none:').searchParams
}

const stateOf = (params: URLSearchParams): string => params.get('state') ?? ''

const sendCallback = (
  { gateway }: Setup,
  browser: Browser,
  query: string | Record<string, string>,
  provider = 'productboard'
): Promise<Response> => browser.request(`${gateway.url}/auth/${provider}/callback?${new URLSearchParams(query)}`)

const statusOf = async ({ gateway }: Setup, browser: Browser, provider = 'productboard'): Promise<string | undefined> => {
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as {
    connections: { provider: string; status: string }[]
  }
  return connections.find(c => c.provider === provider)?.status
}

t.test('SEC-1, SEC-5: each sign-in has its own state and S256 challenge', async t => {
  const s = await setUp(t)
  const [first, second] = [await startSignIn(s, s.browser), await startSignIn(s, s.browser)]
  t.match(first.get('state'), /^[\w-]{22,}$/, '128 bits or more in base64url')
  t.not(first.get('state'), second.get('state'))
  t.equal(first.get('code_challenge_method'), 'S256')
  t.not(first.get('code_challenge'), second.get('code_challenge'))
  t.equal(first.get('response_type'), 'code')
})

t.test('SEC-5: the token request has the verifier of the challenge and authenticates the client', async t => {
  const s = await setUp(t)
  const params = await startSignIn(s, s.browser)
  await sendCallback(s, s.browser, { code: 'c', state: stateOf(params) })
  const body = new URLSearchParams(s.provider.seen.token[0]?.body.toString())
  t.match(body.get('code_verifier'), /^[\w-]{43,128}$/)
  t.equal(
    createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url'),
    params.get('code_challenge')
  )
  t.equal(body.get('client_id'), 'client-1')
  t.equal(body.get('client_secret'), 'client-secret-canary')
  t.equal(body.get('redirect_uri'), `${s.gateway.url}/auth/productboard/callback`)
})

t.test('SEC-1: a repeated callback repeats its outcome without another token request', async t => {
  const s = await setUp(t)
  const params = await startSignIn(s, s.browser)
  const withFlowCookie = s.browser.copy()
  t.equal((await sendCallback(s, s.browser, { code: 'c', state: stateOf(params) })).status, 303)
  for (const browser of [s.browser, withFlowCookie]) {
    const repeated = await sendCallback(s, browser, { code: 'c', state: stateOf(params) })
    t.same([repeated.status, repeated.headers.get('location')], [303, '/'])
  }
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-1: a used state is refused in another browser', async t => {
  const s = await setUp(t)
  const params = await startSignIn(s, s.browser)
  t.equal((await sendCallback(s, s.browser, { code: 'c', state: stateOf(params) })).status, 303)
  await assertProblem(t, await sendCallback(s, new Browser(), { code: 'c', state: stateOf(params) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-1: a sign-in expires after ten minutes', async t => {
  const s = await setUp(t)
  const [late, inTime] = [await startSignIn(s, s.browser), await startSignIn(s, s.browser)]
  s.clock.advance(10 * 60_000 - 1)
  t.equal((await sendCallback(s, s.browser, { code: 'c', state: stateOf(inTime) })).status, 303)
  s.clock.advance(1)
  await assertProblem(t, await sendCallback(s, s.browser, { code: 'c', state: stateOf(late) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-2: a callback in another browser sends no token request', async t => {
  const s = await setUp(t)
  const params = await startSignIn(s, s.browser)
  await assertProblem(t, await sendCallback(s, new Browser(), { code: 'c', state: stateOf(params) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 0)
})

t.test('SEC-2: a callback in another session sends no token request, despite its flow cookie', async t => {
  const s = await setUp(t)
  const params = await startSignIn(s, s.browser)
  const victim = new Browser()
  await sendCallback(s, victim, { code: 'c', state: stateOf(await startSignIn(s, victim)) })
  t.equal(s.provider.seen.token.length, 1, 'the victim’s own')
  // The attacker's flow cookie is planted in the victim's browser.
  for (const [key, cookie] of s.browser.cookies) if (cookie.name.includes('signin')) victim.cookies.set(key, cookie)
  await assertProblem(t, await sendCallback(s, victim, { code: 'c', state: stateOf(params) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-2: a sign-in started before signing out cannot be finished after it', async t => {
  const s = await setUp(t)
  await sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser)) })
  const params = await startSignIn(s, s.browser)
  const withOldCookies = s.browser.copy()
  t.equal((await s.browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status, 204)
  await assertProblem(t, await sendCallback(s, withOldCookies, { code: 'c', state: stateOf(params) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-3: a state of one provider is refused at the callback of another', async t => {
  const s = await setUp(t)
  const params = await startSignIn(s, s.browser, '/auth/ignition')
  await assertProblem(t, await sendCallback(s, s.browser, { code: 'c', state: stateOf(params) }, 'productboard'), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length + s.other.seen.token.length, 0)
})

t.test('SEC-4: an issuer in the callback must be at the provider’s origin', async t => {
  const s = await setUp(t)
  const callbackFrom = async (iss: string) =>
    sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser)), iss })
  await assertProblem(t, await callbackFrom('https://attacker.example'), 400, 'state_invalid')
  t.equal((await callbackFrom(s.provider.origin)).status, 303)
})

t.test('SEC-4: a configured issuer is required and compared exactly', async t => {
  const s = await setUp(t, { environment: { PRODUCTBOARD_ISSUER: 'https://issuer.example/one' } })
  const callbackWith = async (params: Record<string, string>) =>
    sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser)), ...params })
  for (const params of [{}, { iss: 'https://issuer.example/two' }, { iss: 'https://issuer.example/one/' }, { iss: s.provider.origin }]) {
    await assertProblem(t, await callbackWith(params), 400, 'state_invalid')
  }
  t.equal(s.provider.seen.token.length, 0)
  t.equal((await callbackWith({ iss: 'https://issuer.example/one' })).status, 303)
})

t.test('SEC-6: two tabs finish their sign-ins in either order', async t => {
  for (const order of [
    [0, 1],
    [1, 0]
  ] as const) {
    const s = await setUp(t)
    const params = [await startSignIn(s, s.browser), await startSignIn(s, s.browser, '/auth/ignition')] as const
    const names = ['productboard', 'ignition'] as const
    for (const i of order) t.equal((await sendCallback(s, s.browser, { code: 'c', state: stateOf(params[i]) }, names[i])).status, 303)
    t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
  }
})

t.test('SEC-6: only the cookie of the finished sign-in is deleted', async t => {
  const s = await setUp(t)
  const [, second] = [await startSignIn(s, s.browser), await startSignIn(s, s.browser)]
  t.equal((await sendCallback(s, s.browser, { code: 'c', state: stateOf(second) })).status, 303)
  t.equal(s.browser.flows(s.gateway.url).length, 1)
})

t.test('SEC-6: two tabs that finish at the same moment share a new session', async t => {
  const s = await setUp(t)
  const params = [await startSignIn(s, s.browser), await startSignIn(s, s.browser, '/auth/ignition')] as const
  const [one, two] = [s.browser.copy(), s.browser.copy()]
  await Promise.all([
    sendCallback(s, one, { code: 'c', state: stateOf(params[0]) }),
    sendCallback(s, two, { code: 'c', state: stateOf(params[1]) }, 'ignition')
  ])
  const holder = one.session(s.gateway.url) ? one : two
  t.same([await statusOf(s, holder), await statusOf(s, holder, 'ignition')], ['connected', 'connected'])
})

t.test('SEC-6: two tabs that start at the same moment share a new session', async t => {
  for (const together of [true, false]) {
    const s = await setUp(t)
    const params = await Promise.all([startSignIn(s, s.browser), startSignIn(s, s.browser, '/auth/ignition')])
    const names = ['productboard', 'ignition'] as const
    const finish = (i: 0 | 1) => sendCallback(s, s.browser, { code: 'c', state: stateOf(params[i]) }, names[i])
    const responses = together ? await Promise.all([finish(0), finish(1)]) : [await finish(1), await finish(0)]
    t.same(
      responses.map(({ status }) => status),
      [303, 303]
    )
    t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
  }
})

t.test('SEC-6: a tab finishes that starts while another waits for the token endpoint', async t => {
  const s = await setUp(t)
  const tokenRequest = Promise.withResolvers<() => void>()
  s.provider.token = (_seen, response) => tokenRequest.resolve(() => json(response, 200, tokens()))
  const slow = sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser)) })
  const respond = await tokenRequest.promise
  const params = await startSignIn(s, s.browser, '/auth/ignition')
  respond()
  t.equal((await slow).status, 303)
  t.equal((await sendCallback(s, s.browser, { code: 'c', state: stateOf(params) }, 'ignition')).status, 303)
  t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
})

t.test('SEC-6: at most five sign-ins are in flight, and the oldest are evicted', async t => {
  const s = await setUp(t)
  const states: string[] = []
  for (let i = 0; i < 7; i++) states.push(stateOf(await startSignIn(s, s.browser)))
  for (const state of states.slice(0, 2))
    await assertProblem(t, await sendCallback(s, s.browser.copy(), { code: 'c', state }), 400, 'state_invalid')
  for (const state of states.slice(2)) t.equal((await sendCallback(s, s.browser, { code: 'c', state })).status, 303)
})

t.test('SEC-6: with the longest return URLs the flow cookies stay below 4,000 characters', async t => {
  const s = await setUp(t)
  for (let i = 0; i < 4; i++) await startSignIn(s, s.browser, `/auth/productboard?return_to=/${'x'.repeat(1999)}`)
  const cookies = s.browser.flows(s.gateway.url)
  t.equal(cookies.length, 1)
  for (const { value, attributes } of cookies) t.ok(value.length + attributes.length < 4000)
})

t.test('SEC-7: a provider’s error redirects with its code alone, without a token request', async t => {
  const s = await setUp(t)
  const params = await startSignIn(s, s.browser, '/auth/productboard?return_to=%2Fdone%3Fa%3D1%23part')
  const query = { error: 'access_denied', error_description: '<b>description-canary', state: stateOf(params) }
  const response = await sendCallback(s, s.browser, query)
  t.equal(response.status, 303)
  t.equal(response.headers.get('location'), '/done?a=1&connect_error=access_denied&provider=productboard#part')
  t.equal(s.provider.seen.token.length, 0)
})

t.test('SEC-7: an unknown error is not repeated in the redirect', async t => {
  const s = await setUp(t)
  const response = await sendCallback(s, s.browser, { error: 'x<script>', state: stateOf(await startSignIn(s, s.browser)) })
  t.equal(response.headers.get('location'), '/?connect_error=provider_error&provider=productboard')
  t.equal(s.provider.seen.token.length, 0)
})

t.test('SEC-8: a callback parameter that appears twice is refused', async t => {
  const s = await setUp(t)
  const state = stateOf(await startSignIn(s, s.browser))
  for (const query of [`code=a&code=b&state=${state}`, `code=a&state=${state}&state=${state}`, `code=a&state=${state}&error=a&error=b`]) {
    await assertProblem(t, await s.browser.request(`${s.gateway.url}/auth/productboard/callback?${query}`), 400, 'state_invalid')
  }
  t.equal(s.provider.seen.token.length, 0)
})

t.test('SEC-8: a return_to that appears twice is refused', async t => {
  const s = await setUp(t)
  await assertProblem(t, await s.browser.request(`${s.gateway.url}/auth/productboard?return_to=/a&return_to=/b`), 400, 'return_to_rejected')
})

t.test('SEC-9: redirect URIs come from PUBLIC_URL, whatever the request’s headers say', async t => {
  const s = await setUp(t, { environment: { TRUST_PROXY: '127.0.0.1' } })
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' }
  const response = await s.browser.request(`${s.gateway.url}/auth/productboard`, { headers })
  t.equal(new URL(response.headers.get('location') ?? '').searchParams.get('redirect_uri'), `${s.gateway.url}/auth/productboard/callback`)
})

t.test('SEC-10: an invalid token response connects nothing and redirects with the reason', async t => {
  const s = await setUp(t)
  const cases: Record<string, FakeProvider['token']> = {
    'an HTML page': (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<b>hello'),
    'an empty body': (_, r) => void r.writeHead(200).end(),
    'JSON null': (_, r) => json(r, 200, null),
    'an empty object': (_, r) => json(r, 200, {}),
    'half a document': (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token": "a'),
    'a mac token': (_, r) => json(r, 200, tokens({ token_type: 'mac' })),
    'a token with a line break': (_, r) => json(r, 200, tokens({ access_token: 'a\r\nx: y' })),
    'a huge response': (_, r) => json(r, 200, tokens({ filler: 'x'.repeat(200_000) })),
    'a 500': (_, r) => json(r, 500, { error: 'server_error' }),
    'a 503': (_, r) => void r.writeHead(503).end(),
    'a redirect': (_, r) => void r.writeHead(302, { location: 'https://attacker.example/' }).end(),
    'a closed connection': (_, r) => void r.destroy()
  }
  for (const [what, token] of Object.entries(cases)) {
    s.provider.token = token
    const response = await sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser)) })
    assertConnectError(t, response, 'provider_unavailable', what)
    t.equal(await statusOf(s, s.browser), 'disconnected', what)
  }
})

t.test('SEC-10: a token endpoint that stalls is given up at sign-in and refresh', async t => {
  const s = await setUp(t, { tokenTimeouts: { exchangeMs: 2_000, refreshMs: 2_000 } })
  const { provider, browser, gateway, clock } = s
  await sendCallback(s, browser, { code: 'c', state: stateOf(await startSignIn(s, browser)) })
  const stalls: ReadonlyArray<[what: string, token: FakeProvider['token']]> = [
    ['no response head', () => {}],
    ['half a body', (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).write('{"access_token": "a')]
  ]
  for (const [what, token] of stalls) {
    provider.token = token
    const newBrowser = new Browser()
    const [signedIn, refreshed] = await Promise.all([
      sendCallback(s, newBrowser, { code: 'c', state: stateOf(await startSignIn(s, newBrowser)) }),
      browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' })
    ])
    assertConnectError(t, signedIn, 'provider_timeout', what)
    await assertProblem(t, refreshed, 504, 'provider_timeout')
    t.equal(await statusOf(s, newBrowser), 'disconnected', what)
    t.equal(await statusOf(s, browser), 'connected', 'an existing connection stays')
    // The backoff after the failed refresh.
    clock.advance(60_000)
  }
})

t.test('a rejected code redirects to return_to with the reason', async t => {
  const s = await setUp(t)
  const body = { error: 'invalid_grant', error_description: 'description-canary' }
  for (const status of [400, 200]) {
    s.provider.token = (_, r) => json(r, status, body)
    const response = await sendCallback(s, s.browser, {
      code: 'c',
      state: stateOf(await startSignIn(s, s.browser, '/auth/productboard?return_to=/x'))
    })
    t.equal(response.status, 303)
    t.equal(response.headers.get('location'), '/x?connect_error=invalid_grant&provider=productboard')
  }
  t.notMatch(s.gateway.logs.join(''), /client-secret-canary/)
})

t.test('SEC-11: the operator chooses the requested scopes', async t => {
  const s = await setUp(t, { environment: { PRODUCTBOARD_SCOPES: 'notes:read,entities:read' } })
  t.equal((await startSignIn(s, s.browser)).get('scope'), 'notes:read entities:read')
})

t.test('SEC-11: the granted scopes are shown, not the requested ones', async t => {
  const s = await setUp(t, { environment: { PRODUCTBOARD_SCOPES: 'notes:read,entities:read' } })
  s.provider.token = (_, r) => json(r, 200, tokens({ scope: 'notes:read' }))
  await sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser)) })
  const { connections } = (await (await s.browser.fetch(`${s.gateway.url}/connections`)).json()) as { connections: unknown[] }
  t.match(connections, [
    { provider: 'ignition' },
    { provider: 'productboard', status: 'connected', method: 'oauth2', scopes: ['notes:read'] }
  ])
})

t.test('SEC-17: the callback’s response is a 303 without referrer and not stored', async t => {
  const s = await setUp(t)
  const response = await sendCallback(s, s.browser, { code: 'code-canary', state: stateOf(await startSignIn(s, s.browser)) })
  t.equal(response.status, 303)
  t.equal(response.headers.get('referrer-policy'), 'no-referrer')
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.equal(response.headers.get('location'), '/')
})

t.test('SEC-17: no log line at level trace contains a secret of a sign-in', async t => {
  const s = await setUp(t)
  await sendCallback(s, s.browser, { code: 'code-canary', state: stateOf(await startSignIn(s, s.browser)) })
  t.equal(await statusOf(s, s.browser), 'connected')
  t.notMatch(s.gateway.logs.join(''), /code-canary|access-\d|refresh-\d|client-secret-canary/)
})

t.test('SEC-18: on https both cookies are __Host-, Secure and HttpOnly, without a domain', async t => {
  const s = await setUp(t, { environment: { PUBLIC_URL: 'https://connect.example.com', ALLOW_PUBLIC_DEVELOPMENT: '1' } })
  await startSignIn(s, s.browser)
  const params = await startSignIn(s, s.browser)
  const response = await sendCallback(s, s.browser, { code: 'c', state: stateOf(params) })
  const cookies = response.headers.getSetCookie()
  t.equal(cookies.length, 2)
  for (const cookie of cookies) {
    t.match(cookie, /^__Host-grantkeeper(?:=|-signin-)/)
    for (const attribute of ['Secure', 'HttpOnly', 'Path=/', 'SameSite=Lax']) t.ok(cookie.includes(`; ${attribute}`), attribute)
    t.notMatch(cookie, /domain/i)
  }
})

t.test('SEC-19: a sign-in rotates the session id, and presenting the new one ends the old', async t => {
  const s = await setUp(t)
  await sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser)) })
  const old = s.browser.copy()
  t.equal(await statusOf(s, old), 'connected')
  await sendCallback(s, s.browser, { code: 'c', state: stateOf(await startSignIn(s, s.browser, '/auth/ignition')) }, 'ignition')
  t.same([await statusOf(s, old), await statusOf(s, old, 'ignition')], ['connected', 'disconnected'], 'before the new id is presented')
  t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
  t.same([await statusOf(s, old), await statusOf(s, old, 'ignition')], ['disconnected', 'disconnected'])
})

t.test('SEC-26: a return_to on another origin is refused before a sign-in starts', async t => {
  const s = await setUp(t, { environment: { ALLOWED_ORIGINS: 'https://app.example.com' } })
  for (const returnTo of [
    '//evil.example',
    '/\\evil.example',
    '/%09/evil.example',
    '/\t/evil.example',
    'https:evil.example',
    'https://app.example.com@evil.example',
    'https://app.example.com.evil.example',
    'javascript:alert(1)',
    'http://app.example.com'
  ]) {
    await assertProblem(
      t,
      await s.browser.request(`${s.gateway.url}/auth/productboard?return_to=${encodeURIComponent(returnTo)}`),
      400,
      'return_to_rejected'
    )
  }
  t.equal(s.browser.cookies.size, 0)
})

t.test('SEC-26: a sign-in redirects to a return_to on an allowed origin', async t => {
  const s = await setUp(t, { environment: { ALLOWED_ORIGINS: 'https://app.example.com' } })
  const params = await startSignIn(s, s.browser, `/auth/productboard?return_to=${encodeURIComponent('https://app.example.com/x?y=1')}`)
  t.equal(
    (await sendCallback(s, s.browser, { code: 'c', state: stateOf(params) })).headers.get('location'),
    'https://app.example.com/x?y=1'
  )
})

t.test('a provider that is off is unknown, at sign-in and callback', async t => {
  const s = await setUp(t)
  for (const path of ['/auth/outgrow', '/auth/outgrow/callback?code=a&state=b', '/auth/constructor', '/auth/__proto__']) {
    await assertProblem(t, await s.browser.request(s.gateway.url + path), 404, 'provider_unknown')
  }
})

t.test('a tampered or malformed cookie is ignored', async t => {
  const s = await setUp(t)
  await startSignIn(s, s.browser)
  const [flow] = s.browser.flows(s.gateway.url)
  if (!flow) throw new Error('no cookie')
  const { name, value: validValue } = flow
  const [sessionName, flowName] = [sessionCookie(s.gateway.url), flowCookie(s.gateway.url)]
  const values = [
    '',
    'x',
    ';',
    '%',
    '%00',
    'a;b',
    '%3B%3B',
    `${validValue.slice(0, -4)}AAAA`,
    `A${validValue.slice(1)}`,
    validValue.split('%3B').reverse().join('%3B'),
    'x'.repeat(3000)
  ]
  for (const value of values) {
    for (const path of ['/connections', '/', '/auth/productboard', '/proxy/productboard/x']) {
      const response = await fetch(s.gateway.url + path, {
        headers: { cookie: `${sessionName}=${value}; ${name}=${value}; ${flowName}-x=${value}; ${flowName}=${value}`, 'x-csrf': '1' },
        redirect: 'manual'
      })
      t.ok(response.status < 500, `${path} with ${JSON.stringify(value.slice(0, 20))} is ${response.status}`)
    }
  }
})

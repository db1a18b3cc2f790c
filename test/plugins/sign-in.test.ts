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

/** Begins a sign-in and reads what the provider is asked. */
async function begin({ gateway }: Setup, browser: Browser, path = '/auth/productboard'): Promise<URLSearchParams> {
  const response = await browser.request(gateway.url + path)
  return new URL(response.headers.get('location') ?? 'none:').searchParams
}

const stateOf = (asked: URLSearchParams): string => asked.get('state') ?? ''

const back = ({ gateway }: Setup, browser: Browser, query: string | Record<string, string>, provider = 'productboard'): Promise<Response> =>
  browser.request(`${gateway.url}/auth/${provider}/callback?${new URLSearchParams(query)}`)

async function refused(t: Test, response: Response, status: number, code: string): Promise<void> {
  const problem = (await response.json()) as Record<string, unknown>
  t.match(
    { status: response.status, header: response.headers.get('grantkeeper-error'), problem },
    { status, header: code, problem: { code, status } }
  )
}

const statusOf = async ({ gateway }: Setup, browser: Browser, provider = 'productboard'): Promise<string | undefined> => {
  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as {
    connections: { provider: string; status: string }[]
  }
  return connections.find(c => c.provider === provider)?.status
}

t.test('SEC-1, SEC-5: each sign-in has a state and a verifier of its own, and shows the verifier only by its S256 challenge', async t => {
  const s = await setUp(t)
  const [first, second] = [await begin(s, s.browser), await begin(s, s.browser)]
  t.match(first.get('state'), /^[\w-]{22,}$/, '128 bits or more in base64url')
  t.not(first.get('state'), second.get('state'))
  t.equal(first.get('code_challenge_method'), 'S256')
  t.not(first.get('code_challenge'), second.get('code_challenge'))
  t.equal(first.get('response_type'), 'code')

  await back(s, s.browser, { code: 'c', state: stateOf(first) })
  const body = new URLSearchParams(s.provider.seen.token[0]?.body.toString())
  t.match(body.get('code_verifier'), /^[\w-]{43,128}$/)
  t.equal(
    createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url'),
    first.get('code_challenge')
  )
  t.equal(body.get('client_id'), 'client-1')
  t.equal(body.get('client_secret'), 'client-secret-canary')
  t.equal(body.get('redirect_uri'), `${s.gateway.url}/auth/productboard/callback`)
})

t.test(
  'SEC-1: a state is good once: a second use makes no token call, repeats the outcome where it was begun, and is refused elsewhere',
  async t => {
    const s = await setUp(t)
    const asked = await begin(s, s.browser)
    const before = s.browser.copy()
    t.equal((await back(s, s.browser, { code: 'c', state: stateOf(asked) })).status, 303)
    for (const same of [s.browser, before]) {
      const again = await back(s, same, { code: 'c', state: stateOf(asked) })
      t.same([again.status, again.headers.get('location')], [303, '/'])
    }
    await refused(t, await back(s, new Browser(), { code: 'c', state: stateOf(asked) }), 400, 'state_invalid')
    t.equal(s.provider.seen.token.length, 1)
  }
)

t.test('SEC-1: a sign-in ends after ten minutes', async t => {
  const s = await setUp(t)
  const [late, intime] = [await begin(s, s.browser), await begin(s, s.browser)]
  s.clock.advance(10 * 60_000 - 1)
  t.equal((await back(s, s.browser, { code: 'c', state: stateOf(intime) })).status, 303)
  s.clock.advance(1)
  await refused(t, await back(s, s.browser, { code: 'c', state: stateOf(late) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-2: a callback in another browser or another session makes no token call', async t => {
  const s = await setUp(t)
  const asked = await begin(s, s.browser)
  await refused(t, await back(s, new Browser(), { code: 'c', state: stateOf(asked) }), 400, 'state_invalid')

  const stranger = new Browser()
  await back(s, stranger, { code: 'c', state: stateOf(await begin(s, stranger)) })
  // The victim's browser with the attacker's cookie of sign-ins put into it.
  const mixed = stranger.copy()
  for (const [key, cookie] of s.browser.cookies) if (cookie.name.includes('signin')) mixed.cookies.set(key, cookie)
  await refused(t, await back(s, mixed, { code: 'c', state: stateOf(asked) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 1, 'only the stranger’s own')
})

t.test('SEC-2: a sign-in that was begun before signing out cannot be finished after it', async t => {
  const s = await setUp(t)
  await back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser)) })
  const asked = await begin(s, s.browser)
  const kept = s.browser.copy()
  t.equal((await s.browser.fetch(`${s.gateway.url}/logout`, { method: 'POST' })).status, 204)
  await refused(t, await back(s, kept, { code: 'c', state: stateOf(asked) }), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length, 1)
})

t.test('SEC-3: a state of one provider is refused at the callback of another', async t => {
  const s = await setUp(t)
  const asked = await begin(s, s.browser, '/auth/ignition')
  await refused(t, await back(s, s.browser, { code: 'c', state: stateOf(asked) }, 'productboard'), 400, 'state_invalid')
  t.equal(s.provider.seen.token.length + s.other.seen.token.length, 0)
})

t.test('SEC-4: an issuer in the answer must be the provider’s', async t => {
  const s = await setUp(t)
  await refused(
    t,
    await back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser)), iss: 'https://attacker.example' }),
    400,
    'state_invalid'
  )
  t.equal((await back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser)), iss: s.provider.origin })).status, 303)

  const exact = await setUp(t, { environment: { PRODUCTBOARD_ISSUER: 'https://issuer.example/one' } })
  const at = async (iss: Record<string, string>) =>
    back(exact, exact.browser, { code: 'c', state: stateOf(await begin(exact, exact.browser)), ...iss })
  for (const iss of [{}, { iss: 'https://issuer.example/two' }, { iss: 'https://issuer.example/one/' }, { iss: exact.provider.origin }]) {
    await refused(t, await at(iss), 400, 'state_invalid')
  }
  t.equal(exact.provider.seen.token.length, 0)
  t.equal((await at({ iss: 'https://issuer.example/one' })).status, 303)
})

t.test('SEC-6: two tabs begin, and both finish, in either order', async t => {
  for (const order of [
    [0, 1],
    [1, 0]
  ] as const) {
    const s = await setUp(t)
    const asked = [await begin(s, s.browser), await begin(s, s.browser, '/auth/ignition')] as const
    const names = ['productboard', 'ignition'] as const
    for (const i of order) t.equal((await back(s, s.browser, { code: 'c', state: stateOf(asked[i]) }, names[i])).status, 303)
    t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
  }
})

t.test('SEC-6: the cookie of a finished sign-in is gone, and those of others are not', async t => {
  const s = await setUp(t)
  const [, second] = [await begin(s, s.browser), await begin(s, s.browser)]
  t.equal((await back(s, s.browser, { code: 'c', state: stateOf(second) })).status, 303)
  t.equal(s.browser.flows(s.gateway.url).length, 1)
})

t.test('SEC-6: two tabs of a browser without a session that come back at the same moment end in one session', async t => {
  const s = await setUp(t)
  const asked = [await begin(s, s.browser), await begin(s, s.browser, '/auth/ignition')] as const
  const [one, two] = [s.browser.copy(), s.browser.copy()]
  await Promise.all([
    back(s, one, { code: 'c', state: stateOf(asked[0]) }),
    back(s, two, { code: 'c', state: stateOf(asked[1]) }, 'ignition')
  ])
  const holder = one.session(s.gateway.url) ? one : two
  t.same([await statusOf(s, holder), await statusOf(s, holder, 'ignition')], ['connected', 'connected'])
})

t.test('SEC-6: two tabs of a browser without a session that begin at the same moment both finish, in one session', async t => {
  for (const together of [true, false]) {
    const s = await setUp(t)
    const asked = await Promise.all([begin(s, s.browser), begin(s, s.browser, '/auth/ignition')])
    const names = ['productboard', 'ignition'] as const
    const finish = (i: 0 | 1) => back(s, s.browser, { code: 'c', state: stateOf(asked[i]) }, names[i])
    const ends = together ? await Promise.all([finish(0), finish(1)]) : [await finish(1), await finish(0)]
    t.same(
      ends.map(end => end.status),
      [303, 303]
    )
    t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
  }
})

t.test('SEC-6: a tab that begins while another waits for a slow token endpoint finishes too', async t => {
  const s = await setUp(t)
  const arrived = Promise.withResolvers<() => void>()
  s.provider.token = (_seen, response) => arrived.resolve(() => json(response, 200, tokens()))
  const slow = back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser)) })
  const answer = await arrived.promise
  const asked = await begin(s, s.browser, '/auth/ignition')
  answer()
  t.equal((await slow).status, 303)
  t.equal((await back(s, s.browser, { code: 'c', state: stateOf(asked) }, 'ignition')).status, 303)
  t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
})

t.test(
  'SEC-6: at most five sign-ins are under way, and their cookies fit into a browser and a header with the longest return addresses',
  async t => {
    const s = await setUp(t)
    const states: string[] = []
    for (let i = 0; i < 7; i++) states.push(stateOf(await begin(s, s.browser)))
    for (const state of states.slice(0, 2)) await refused(t, await back(s, s.browser.copy(), { code: 'c', state }), 400, 'state_invalid')
    for (const state of states.slice(2)) t.equal((await back(s, s.browser, { code: 'c', state })).status, 303)

    for (let i = 0; i < 4; i++) await begin(s, s.browser, `/auth/productboard?return_to=/${'x'.repeat(1999)}`)
    const held = s.browser.flows(s.gateway.url)
    t.equal(held.length, 1)
    for (const { value, attributes } of held) t.ok(value.length + attributes.length < 4000)
  }
)

t.test('SEC-7: a refusal makes no token call, goes back with its code, and nobody is shown its description', async t => {
  const s = await setUp(t)
  const asked = await begin(s, s.browser, '/auth/productboard?return_to=%2Fdone%3Fa%3D1%23part')
  const response = await back(s, s.browser, { error: 'access_denied', error_description: '<b>description-canary', state: stateOf(asked) })
  t.equal(response.status, 303)
  t.equal(response.headers.get('location'), '/done?a=1&connect_error=access_denied&provider=productboard#part')

  const odd = await back(s, s.browser, { error: 'x<script>', state: stateOf(await begin(s, s.browser)) })
  t.equal(odd.headers.get('location'), '/?connect_error=provider_error&provider=productboard')
  t.equal(s.provider.seen.token.length, 0)
})

t.test('SEC-8: a parameter that is given twice is refused', async t => {
  const s = await setUp(t)
  const state = stateOf(await begin(s, s.browser))
  for (const query of [`code=a&code=b&state=${state}`, `code=a&state=${state}&state=${state}`, `code=a&state=${state}&error=a&error=b`]) {
    await refused(t, await s.browser.request(`${s.gateway.url}/auth/productboard/callback?${query}`), 400, 'state_invalid')
  }
  t.equal(s.provider.seen.token.length, 0)
  await refused(t, await s.browser.request(`${s.gateway.url}/auth/productboard?return_to=/a&return_to=/b`), 400, 'return_to_rejected')
})

t.test('SEC-9: callback addresses come from PUBLIC_URL, whatever the request says of its host', async t => {
  const s = await setUp(t, { environment: { TRUST_PROXY: '127.0.0.1' } })
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'host=evil.example' }
  const response = await s.browser.request(`${s.gateway.url}/auth/productboard`, { headers })
  t.equal(new URL(response.headers.get('location') ?? '').searchParams.get('redirect_uri'), `${s.gateway.url}/auth/productboard/callback`)
})

t.test('SEC-10: an answer that is no token answer connects nothing, and the person is sent back with the reason', async t => {
  const s = await setUp(t)
  const cases: Record<string, FakeProvider['token']> = {
    'an HTML page': (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<b>hello'),
    'an empty answer': (_, r) => void r.writeHead(200).end(),
    'JSON null': (_, r) => json(r, 200, null),
    'an empty object': (_, r) => json(r, 200, {}),
    'half a document': (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token": "a'),
    'a mac token': (_, r) => json(r, 200, tokens({ token_type: 'mac' })),
    'a token with a line break': (_, r) => json(r, 200, tokens({ access_token: 'a\r\nx: y' })),
    'a huge answer': (_, r) => json(r, 200, tokens({ filler: 'x'.repeat(200_000) })),
    'a fault': (_, r) => json(r, 500, { error: 'server_error' }),
    'a 503': (_, r) => void r.writeHead(503).end(),
    'a redirect': (_, r) => void r.writeHead(302, { location: 'https://attacker.example/' }).end(),
    'a closed connection': (_, r) => void r.destroy()
  }
  for (const [what, answer] of Object.entries(cases)) {
    s.provider.token = answer
    const response = await back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser)) })
    assertConnectError(t, response, 'provider_unavailable', what)
    t.equal(await statusOf(s, s.browser), 'disconnected', what)
  }
})

t.test('SEC-10: a token endpoint that begins no answer, or does not end it, is given up: at a sign-in and at a refresh', async t => {
  const s = await setUp(t, { tokenTimeouts: { exchangeMs: 2_000, refreshMs: 2_000 } })
  const { provider, browser, gateway, clock } = s
  await back(s, browser, { code: 'c', state: stateOf(await begin(s, browser)) })
  const stalls: ReadonlyArray<[what: string, answer: FakeProvider['token']]> = [
    ['no head', () => {}],
    ['half a body', (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).write('{"access_token": "a')]
  ]
  for (const [what, answer] of stalls) {
    provider.token = answer
    const stranger = new Browser()
    const [signedIn, refreshed] = await Promise.all([
      back(s, stranger, { code: 'c', state: stateOf(await begin(s, stranger)) }),
      browser.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' })
    ])
    assertConnectError(t, signedIn, 'provider_timeout', what)
    await assertProblem(t, refreshed, 504, 'provider_timeout')
    t.equal(await statusOf(s, stranger), 'disconnected', what)
    t.equal(await statusOf(s, browser), 'connected', 'what is connected stays so')
    // A refresh that failed is not tried again at once.
    clock.advance(60_000)
  }
})

t.test('a provider that refuses the code sends the person back with the reason', async t => {
  const s = await setUp(t)
  const body = { error: 'invalid_grant', error_description: 'description-canary' }
  for (const status of [400, 200]) {
    s.provider.token = (_, r) => json(r, status, body)
    const response = await back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser, '/auth/productboard?return_to=/x')) })
    t.equal(response.status, 303)
    t.equal(response.headers.get('location'), '/x?connect_error=invalid_grant&provider=productboard')
  }
  t.notMatch(s.gateway.logs.join(''), /client-secret-canary/)
})

t.test('SEC-11: the scopes asked are the definition’s or the operator’s, and those granted are shown', async t => {
  const s = await setUp(t, { environment: { PRODUCTBOARD_SCOPES: 'notes:read,entities:read' } })
  s.provider.token = (_, r) => json(r, 200, tokens({ scope: 'notes:read' }))
  const asked = await begin(s, s.browser)
  t.equal(asked.get('scope'), 'notes:read entities:read')
  await back(s, s.browser, { code: 'c', state: stateOf(asked) })
  const { connections } = (await (await s.browser.fetch(`${s.gateway.url}/connections`)).json()) as { connections: unknown[] }
  t.match(connections, [
    { provider: 'ignition' },
    { provider: 'productboard', status: 'connected', method: 'oauth2', scopes: ['notes:read'] }
  ])
})

t.test('SEC-17: the callback gives no referrer, is stored nowhere and never answers 307', async t => {
  const s = await setUp(t)
  const response = await back(s, s.browser, { code: 'code-canary', state: stateOf(await begin(s, s.browser)) })
  t.equal(response.status, 303)
  t.equal(response.headers.get('referrer-policy'), 'no-referrer')
  t.equal(response.headers.get('cache-control'), 'no-store')
  t.equal(response.headers.get('location'), '/')
  t.notMatch(s.gateway.logs.join(''), /code-canary|access-\d|refresh-\d|client-secret-canary/, 'nothing secret in the logs at trace')
})

t.test('SEC-18: on https both cookies are __Host-, Secure, HttpOnly, for every path and no domain', async t => {
  const s = await setUp(t, { environment: { PUBLIC_URL: 'https://connect.example.com', ALLOW_PUBLIC_DEVELOPMENT: '1' } })
  await begin(s, s.browser)
  const asked = await begin(s, s.browser)
  const response = await back(s, s.browser, { code: 'c', state: stateOf(asked) })
  const cookies = response.headers.getSetCookie()
  t.equal(cookies.length, 2)
  for (const cookie of cookies) {
    t.match(cookie, /^__Host-grantkeeper(?:=|-signin-)/)
    for (const attribute of ['Secure', 'HttpOnly', 'Path=/', 'SameSite=Lax']) t.ok(cookie.includes(`; ${attribute}`), attribute)
    t.notMatch(cookie, /domain/i)
  }
})

t.test('SEC-19: the session’s id turns at every sign-in, and the old one is dead once the new one is shown', async t => {
  const s = await setUp(t)
  await back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser)) })
  const old = s.browser.copy()
  t.equal(await statusOf(s, old), 'connected')
  await back(s, s.browser, { code: 'c', state: stateOf(await begin(s, s.browser, '/auth/ignition')) }, 'ignition')
  t.same([await statusOf(s, old), await statusOf(s, old, 'ignition')], ['connected', 'disconnected'], 'until then it sees what it saw')
  t.same([await statusOf(s, s.browser), await statusOf(s, s.browser, 'ignition')], ['connected', 'connected'])
  t.same([await statusOf(s, old), await statusOf(s, old, 'ignition')], ['disconnected', 'disconnected'])
})

t.test('SEC-26: a return address that is not ours is refused before anything is begun', async t => {
  const s = await setUp(t, { environment: { ALLOWED_ORIGINS: 'https://app.example.com' } })
  for (const address of [
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
    await refused(
      t,
      await s.browser.request(`${s.gateway.url}/auth/productboard?return_to=${encodeURIComponent(address)}`),
      400,
      'return_to_rejected'
    )
  }
  t.equal(s.browser.cookies.size, 0)
  const asked = await begin(s, s.browser, `/auth/productboard?return_to=${encodeURIComponent('https://app.example.com/x?y=1')}`)
  t.equal((await back(s, s.browser, { code: 'c', state: stateOf(asked) })).headers.get('location'), 'https://app.example.com/x?y=1')
})

t.test('a provider that is off is unknown, at its sign-in and at its callback', async t => {
  const s = await setUp(t)
  for (const path of ['/auth/outgrow', '/auth/outgrow/callback?code=a&state=b', '/auth/constructor', '/auth/__proto__']) {
    await refused(t, await s.browser.request(s.gateway.url + path), 404, 'provider_unknown')
  }
})

t.test('a tampered or malformed cookie is no cookie, and no fault', async t => {
  const s = await setUp(t)
  await begin(s, s.browser)
  const [flow] = s.browser.flows(s.gateway.url)
  if (!flow) throw new Error('no cookie')
  const { name, value: good } = flow
  const [ofSession, ofFlow] = [sessionCookie(s.gateway.url), flowCookie(s.gateway.url)]
  const values = [
    '',
    'x',
    ';',
    '%',
    '%00',
    'a;b',
    '%3B%3B',
    `${good.slice(0, -4)}AAAA`,
    `A${good.slice(1)}`,
    good.split('%3B').reverse().join('%3B'),
    'x'.repeat(3000)
  ]
  for (const value of values) {
    for (const path of ['/connections', '/', '/auth/productboard', '/proxy/productboard/x']) {
      const response = await fetch(s.gateway.url + path, {
        headers: { cookie: `${ofSession}=${value}; ${name}=${value}; ${ofFlow}-x=${value}; ${ofFlow}=${value}`, 'x-csrf': '1' },
        redirect: 'manual'
      })
      t.ok(response.status < 500, `${path} with ${JSON.stringify(value.slice(0, 20))} is ${response.status}`)
    }
  }
})

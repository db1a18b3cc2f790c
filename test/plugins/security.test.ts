import t from 'tap'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

const provider = await startFakeProvider(t)
const frontend = 'https://app.example.com'
const environment = { ...provider.environment, ALLOWED_ORIGINS: frontend }
const plain = await startGateway(t, { environment })
const secure = await startGateway(t, {
  environment: { ...environment, PUBLIC_URL: 'https://connect.example.com', ALLOW_PUBLIC_DEVELOPMENT: '1' }
})
const browser = new Browser()
await signIn(plain, browser)

const pageText = await (await browser.request(`${plain.url}/`)).text()
const popupText = await (await browser.request(`${plain.url}/popup?opener=${frontend}&provider=productboard`)).text()
const assets = [...`${pageText}${popupText}`.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, url]) => url as string)

const immutable = 'public, max-age=31536000, immutable'

/** Requests with their status, and the headers that differ from the defaults. */
const routes: ReadonlyArray<readonly [request: string, status: number, overrides?: Record<string, string>]> = [
  ['GET /', 200],
  ['GET /connections', 200],
  ['GET /connect/productboard', 200],
  ['GET /connect/nobody', 404],
  ['GET /auth/productboard', 302],
  ['GET /auth/productboard?return_to=//evil.example', 400],
  ['GET /auth/productboard/callback?state=x&code=y', 400],
  ['GET /auth/nobody', 404],
  ['POST /auth/productboard', 403],
  ['POST /auth/nobody', 403],
  ['GET /start/unknown', 400],
  ['POST /start/unknown', 403],
  ['GET /auth/nobody/callback', 404],
  ['GET /invitations', 200],
  ['GET /invitations/unknown', 410],
  ['GET /invitations/thanks?provider=productboard', 200],
  ['GET /invitations/declined', 200],
  ['GET /popup?opener=https://app.example.com&provider=productboard', 200],
  ['GET /popup?opener=https://evil.example&provider=productboard', 400],
  // Frontends on other origins import it, also from cross-origin isolated pages.
  ['GET /client.js', 200, { 'cache-control': 'public, max-age=300', 'cross-origin-resource-policy': 'cross-origin' }],
  ...assets.map(url => [`GET ${url}`, 200, { 'cache-control': immutable }] as const),
  ['GET /health/live', 200],
  ['GET /health/ready', 200],
  ['GET /nothing', 404],
  ['GET /%zz', 400],
  ['PUT /connections', 405],
  ['POST /connections/productboard', 403],
  ['DELETE /connections', 403],
  ['DELETE /connections/productboard', 403],
  ['DELETE /connections/productboard/unknown', 403],
  ['PUT /connections/productboard/default', 403],
  ['PUT /connections/productboard/unknown/choice', 403],
  ['POST /connections/productboard/refresh', 403],
  ['POST /connections/productboard/invitation', 403],
  ['POST /connections/complete', 403],
  ['POST /connections/productboard/token', 403],
  ['POST /links', 403],
  ['GET /links/unknown', 404],
  ['POST /logout', 403],
  ['POST /invitations/unknown', 403],
  ['DELETE /invitations/unknown', 403],
  ['POST /invitations/unknown/accept', 403],
  ['POST /invitations/unknown/decline', 403],
  ['GET /proxy/productboard/x', 403],
  ['POST /proxy/nobody/x', 403]
]

const defaults: Record<string, string | RegExp> = {
  'content-security-policy':
    /^default-src 'none'; (?=.*base-uri 'none')(?=.*frame-ancestors 'none')(?=.*form-action 'self')(?!.*(unsafe|\*|data:|http))/,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'unsafe-none',
  'permissions-policy': /camera=\(\), geolocation=\(\), microphone=\(\)/,
  'cache-control': 'no-store'
}

t.test('every route is tested below', async t => {
  const tested = routes.map(([request]) => request.split(/[ ?]/))
  const known = [...plain.routes].filter(([pattern]) => pattern !== '*')
  /** As a router does: the matching pattern with the fewest parameters. */
  const patternOf = (path: string) =>
    known
      .map(([pattern]) => pattern)
      .filter(pattern => new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+').replace('*', '.*')}$`).test(path))
      .sort((a, b) => a.split(':').length - b.split(':').length)[0]
  for (const [pattern, { methods }] of known) {
    const method = ['DELETE', 'PUT', 'POST', 'GET'].filter(name => methods.has(name))
    // The proxy has one route for all methods.
    for (const name of pattern.startsWith('/proxy/') ? ['GET'] : method)
      t.ok(
        tested.some(([testedMethod, path = '']) => testedMethod === name && patternOf(path) === pattern),
        `${name} ${pattern}`
      )
  }
})

for (const accept of ['text/html', '*/*']) {
  t.test(`every response of the gateway has the security headers (Accept: ${accept})`, async t => {
    t.ok(assets.length >= 3, `${assets.length} assets`)
    for (const [request, status, overrides = {}] of routes) {
      const [method = '', path = ''] = request.split(' ')
      for (const { gateway, isSecure } of [
        { gateway: plain, isSecure: false },
        { gateway: secure, isSecure: true }
      ]) {
        const response = await browser.request(gateway.url + path, { method, headers: { accept } })
        t.equal(response.status, status, request)
        const headers = Object.fromEntries(response.headers)
        t.match(headers, { ...defaults, ...overrides }, request)
        t.equal(headers['strict-transport-security'], isSecure ? 'max-age=31536000' : undefined, `${request}: HSTS`)
        for (const name of ['server', 'x-powered-by', 'access-control-allow-origin'])
          t.equal(headers[name], undefined, `${request}: ${name}`)
      }
    }
  })
}

t.test('an invitation page allows form redirects and a same-origin referrer, and is not indexed', async t => {
  const invitation = await browser.fetch(`${plain.url}/connections/productboard/invitation`, { method: 'POST' })
  const { url } = (await invitation.json()) as { url: string }
  const { headers } = await new Browser().request(url)
  t.match(Object.fromEntries(headers), {
    ...defaults,
    'content-security-policy':
      /^default-src 'none'; (?=.*base-uri 'none')(?=.*frame-ancestors 'none')(?!.*(form-action|unsafe|\*|data:|http))/,
    'referrer-policy': 'same-origin',
    'x-robots-tag': 'noindex'
  })
})

const preflight = (path: string, origin: string) =>
  browser.request(plain.url + path, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'DELETE', 'access-control-request-headers': 'x-csrf,content-type' }
  })

const preflightPaths = [
  '/',
  '/connections',
  '/connections/productboard',
  '/proxy/productboard/v2/x',
  '/proxy/nobody/x',
  '/auth/productboard',
  '/invitations',
  '/logout',
  '/client.js',
  '/health/ready',
  '/nothing'
]

t.test('SEC-25: a preflight from an allowed origin succeeds on every path', async t => {
  for (const path of preflightPaths) {
    for (const origin of [frontend, plain.url]) {
      const response = await preflight(path, origin)
      t.equal(response.status, 204, `${path} from ${origin}`)
      t.match(Object.fromEntries(response.headers), {
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-max-age': '600',
        vary: /origin/i
      })
      t.equal(await response.text(), '')
    }
  }
})

t.test('SEC-25: a preflight from any other origin is refused on every path', async t => {
  const otherOrigins = ['null', '*', 'https://evil.example', `${frontend}.evil.example`, `${frontend}:444`, 'http://app.example.com', '']
  for (const path of preflightPaths) {
    for (const origin of otherOrigins) {
      const response = await preflight(path, origin)
      t.equal(response.status, 403, `${path} from ${origin}`)
      const corsHeaders = [...response.headers.keys()].filter(name => name.startsWith('access-control-'))
      t.same(
        corsHeaders.filter(name => name !== 'access-control-expose-headers'),
        [],
        `${path} from ${origin}`
      )
    }
  }
})

t.test('SEC-25: only an allowed origin can read a response', async t => {
  // The last route writes its response itself.
  for (const path of ['/connections', '/client.js', '/nothing', '/proxy/nobody/x']) {
    const read = async (origin: string) => (await browser.fetch(plain.url + path, { headers: { origin } })).headers
    t.equal((await read(frontend)).get('access-control-allow-origin'), frontend)
    t.equal((await read(frontend)).get('access-control-allow-credentials'), 'true')
    t.match((await read(frontend)).get('vary'), /Origin/)
    t.match((await read(frontend)).get('access-control-expose-headers'), 'Grantkeeper-Error, Retry-After')
    for (const origin of ['null', 'https://evil.example']) t.equal((await read(origin)).get('access-control-allow-origin'), null, origin)
  }
})

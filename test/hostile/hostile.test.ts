import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { startConnected } from '../support/connected.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { forgedFlows, forgedSessions, forgedStates } from './cookies.ts'
import { type Exchange, exchangeAll } from './exchange.ts'
import { hostileFraming } from './framing.ts'
import { strippedHeaders, unusualHeaders } from './headers.ts'
import { crossOriginRequests } from './origins.ts'
import { hostilePaths, unusualPaths } from './paths.ts'
import { base, buildBareRequest, buildRequest, type HostileRequest } from './requests.ts'
import { hostileReturnUrls, unusualReturnUrls } from './return-urls.ts'

// Sends bytes that an HTTP client would normalize to the socket of a real gateway, whose provider records every request.

const frontend = 'https://app.example.com'
const { gateway, provider, browser } = await startConnected(t, { environment: { ALLOWED_ORIGINS: frontend } })
const client = { port: Number(new URL(gateway.url).port), cookie: browser.sessionPair(gateway.url) }
const allowedOrigins = [gateway.url, frontend]

/** Another browser, with a sign-in in flight that it could finish. */
const other = new Browser()
const started = await other.request(`${gateway.url}/auth/productboard`)
const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
const [flow] = other.cookies.values()
const sealed = { name: sessionCookie(gateway.url), session: browser.session(gateway.url)?.value ?? '', flow: flow?.value ?? '' }

const counts = { tried: 0, rejected: 0, stripped: 0, passed: 0 }

const seenBy = (caseId: string) => provider.seen.api.filter(({ headers }) => headers['x-case'] === caseId)

/** Asserts that each request gets its error, that the provider sees none, and that shared connections go on. */
async function rejectsEach(t: Test, requests: readonly HostileRequest[]): Promise<void> {
  const tokenRequests = provider.seen.token.length
  const { exchanges, broken } = await exchangeAll(client, requests)
  const wrong = exchanges.filter(exchange => !isRejected(exchange))
  counts.tried += requests.length
  counts.rejected += exchanges.length - wrong.length
  t.strictSame(wrong.map(describe), [], `all ${requests.length} are rejected with the expected error`)
  t.equal(exchanges.length, requests.length, 'each has been tried')
  t.equal(broken, 0, 'every shared connection serves the valid request at its end')
  t.equal(provider.seen.token.length, tokenRequests, 'the token endpoint gets no request')
}

function isRejected({ request, caseId, response }: Exchange<HostileRequest>): boolean {
  return (
    response?.status === request.status &&
    response.headers.get('grantkeeper-error') === (request.code ?? null) &&
    !response.headers.has('location') &&
    !response.headers.has('set-cookie') &&
    seenBy(caseId).length === 0
  )
}

const describe = ({ request, caseId, response }: Exchange<HostileRequest>): string =>
  `${request.title}: ${response?.status} ${response?.headers.get('grantkeeper-error')} instead of ${request.status} ${request.code}; the provider saw ${seenBy(caseId).length}`

t.test('SEC-27, SEC-28: paths that could leave the base are rejected, in every encoding and place', t => rejectsEach(t, hostilePaths))

t.test('SEC-26: return URLs that could lead elsewhere are rejected before the sign-in starts', t =>
  rejectsEach(t, hostileReturnUrls(allowedOrigins))
)

t.test('SEC-32, SEC-33: ambiguous framing, lines and methods are rejected, and nothing after them is read', t =>
  rejectsEach(t, hostileFraming)
)

t.test('SEC-24, SEC-25: cross-origin requests are rejected on every route that acts', t =>
  rejectsEach(t, crossOriginRequests(allowedOrigins))
)

t.test('SEC-1, SEC-2, SEC-8, SEC-20: forged cookies and states authenticate no session and finish no sign-in', async t => {
  const flowName = flow?.name ?? ''
  await rejectsEach(t, [...forgedSessions(sealed), ...forgedFlows(sealed, flowName, state), ...forgedStates(sealed, flowName, state)])
  const finished = await other.request(`${gateway.url}/auth/productboard/callback?code=c&state=${state}`)
  t.equal(finished.status, 303, 'the genuine callback still finishes its sign-in')
})

t.test('SEC-29: headers that must be stripped are, in every spelling and with any Connection', async t => {
  const { exchanges, broken } = await exchangeAll(client, strippedHeaders)
  t.equal(broken, 0)
  for (const { request, caseId, response } of exchanges) {
    const [seen, ...more] = seenBy(caseId)
    const isStripped =
      response?.status === 200 &&
      seen !== undefined &&
      more.length === 0 &&
      !seen.rawHeaders.some(text => text.includes('forged')) &&
      /^Bearer access-\d+$/.test(seen.headers.authorization ?? '') &&
      seen.headers.host === new URL(provider.origin).host &&
      seen.headers.cookie === undefined &&
      seen.body.length === (seen.method === 'POST' ? 5 : 0)
    if (isStripped) counts.stripped++
    else t.fail(request.title, { status: response?.status, seen: seen?.rawHeaders, body: seen?.body.toString() })
  }
  t.equal(counts.stripped, strippedHeaders.length)
})

t.test('SEC-28: unusual valid paths are forwarded byte for byte', async t => {
  const { exchanges, broken } = await exchangeAll(
    client,
    unusualPaths.map(path => ({ path, bytes: buildRequest({ target: base + path }) }))
  )
  t.equal(broken, 0)
  for (const { request, caseId, response } of exchanges) {
    const urls = seenBy(caseId).map(({ url }) => url)
    if (response?.status === 200 && urls.length === 1 && urls[0] === `/base${request.path}`) counts.passed++
    else t.fail(request.path.slice(0, 100), { status: response?.status, urls })
  }
})

t.test('SEC-29: unusual valid headers are forwarded unchanged', async t => {
  const { exchanges, broken } = await exchangeAll(
    client,
    unusualHeaders.map(([name, value]) => ({ name, value, bytes: buildRequest({ lines: [`${name}: ${value}`] }) }))
  )
  t.equal(broken, 0)
  for (const { request, caseId, response } of exchanges) {
    const raw = seenBy(caseId)[0]?.rawHeaders ?? []
    if (response?.status === 200 && raw[raw.indexOf(request.name) + 1] === request.value) counts.passed++
    else t.fail(request.name, { status: response?.status, raw })
  }
})

t.test('SEC-26: the browser returns to an unusual valid URL', async t => {
  const { exchanges: signIns } = await exchangeAll(
    client,
    unusualReturnUrls(allowedOrigins).map(returnTo => ({
      returnTo,
      bytes: buildBareRequest({ target: `/auth/productboard?return_to=${encodeURIComponent(returnTo)}` }, () => [])
    }))
  )
  const callbacks = signIns.map(({ request, response }) => {
    const signInState = new URL(response?.headers.get('location') ?? 'x:').searchParams.get('state')
    const cookie = response?.headers
      .getSetCookie()
      .map(line => line.split(';', 1)[0])
      .join('; ')
    const target = `/auth/productboard/callback?error=access_denied&state=${signInState}`
    return { ...request, bytes: buildBareRequest({ target }, () => [`Cookie: ${cookie}`]) }
  })
  const { exchanges } = await exchangeAll(client, callbacks)
  for (const { request, response } of exchanges) {
    const [before = '', fragment = ''] = request.returnTo.split(/(?=#)/)
    const expected = `${before}${before.includes('?') ? '&' : '?'}connect_error=access_denied&provider=productboard${fragment}`
    if (response?.status === 303 && response.headers.get('location') === expected) counts.passed++
    else t.fail(request.returnTo.slice(0, 100), { status: response?.status, location: response?.headers.get('location'), expected })
  }
})

t.test('SEC-35: the client pool and the session work as before after all hostile requests', async t => {
  const requests = Array.from({ length: 200 }, () => browser.fetch(`${gateway.url}${base}/x`))
  t.strictSame(new Set((await Promise.all(requests)).map(({ status }) => status)), new Set([200]))
  const [tried, rejected, stripped, passed] = [counts.tried, counts.rejected, counts.stripped, counts.passed].map(n =>
    n.toLocaleString('en')
  )
  t.comment(`hostile inputs: ${tried} tried, ${rejected} rejected; ${stripped} headers stripped; ${passed} unusual valid inputs unchanged`)
  t.ok(counts.tried > 0)
  t.equal(counts.rejected, counts.tried)
  t.equal(counts.stripped, strippedHeaders.length)
  t.equal(counts.passed, unusualPaths.length + unusualHeaders.length + unusualReturnUrls(allowedOrigins).length)
})

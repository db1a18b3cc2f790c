import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { connected } from '../support/connected.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { forgedFlows, forgedSessions, forgedStates } from './cookies.ts'
import { type Exchange, exchangeAll } from './exchange.ts'
import { hostileFraming } from './framing.ts'
import { oddButGoodHeaders, stoppedHeaders } from './headers.ts'
import { foreignCalls } from './origins.ts'
import { hostilePaths, oddButGood } from './paths.ts'
import { bareCall, base, call, type Hostile } from './requests.ts'
import { hostileReturns, oddButGoodReturns } from './return-addresses.ts'

// What an HTTP client would tidy up, as bytes on a socket of a real gateway, in front of a provider that notes what it sees.

const frontend = 'https://app.example.com'
const { gateway, provider, browser } = await connected(t, { environment: { ALLOWED_ORIGINS: frontend } })
const person = { port: Number(new URL(gateway.url).port), cookie: browser.sessionPair(gateway.url) }
const allowedOrigins = [gateway.url, frontend]

/** A sign-in that another browser has begun, and could finish. */
const other = new Browser()
const started = await other.request(`${gateway.url}/auth/productboard`)
const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
const [flow] = other.cookies.values()
const sealed = { name: sessionCookie(gateway.url), session: browser.session(gateway.url)?.value ?? '', flow: flow?.value ?? '' }

const counts = { tried: 0, refused: 0, stopped: 0, passed: 0 }

const seenAs = (caseId: string) => provider.seen.api.filter(({ headers }) => headers['x-case'] === caseId)

/** Asserts that each is refused as the table says, that the provider saw nothing of it, and that its connection still serves. */
async function refusesEach(t: Test, table: readonly Hostile[]): Promise<void> {
  const tokenCalls = provider.seen.token.length
  const { exchanges, broken } = await exchangeAll(person, table)
  const wrong = exchanges.filter(exchange => !isRefused(exchange))
  counts.tried += table.length
  counts.refused += exchanges.length - wrong.length
  t.strictSame(wrong.map(told), [], `${table.length} are refused as they should be`)
  t.equal(broken, 0, 'every connection that may go on serves the call after them')
  t.equal(provider.seen.token.length, tokenCalls, 'no code and no token was spent')
}

function isRefused({ sent, caseId, answer }: Exchange<Hostile>): boolean {
  return (
    answer?.status === sent.status &&
    answer.headers.get('grantkeeper-error') === (sent.code ?? null) &&
    !answer.headers.has('location') &&
    !answer.headers.has('set-cookie') &&
    seenAs(caseId).length === 0
  )
}

const told = ({ sent, caseId, answer }: Exchange<Hostile>): string =>
  `${sent.what}: ${answer?.status} ${answer?.headers.get('grantkeeper-error')}, and not ${sent.status} ${sent.code}; the provider saw ${seenAs(caseId).length}`

t.test('SEC-27, SEC-28: a path that could leave the base, at every depth of decoding and in every place, is refused', t =>
  refusesEach(t, hostilePaths)
)

t.test('SEC-26: a return address that could lead elsewhere, however it is spelled, is refused before anything is begun', t =>
  refusesEach(t, hostileReturns(allowedOrigins))
)

t.test('SEC-32, SEC-33: framing, lines and methods that two servers could read differently are refused, and what follows is not read', t =>
  refusesEach(t, hostileFraming)
)

t.test('SEC-24, SEC-25: no call of another origin is served, on any route that changes something or calls a provider', t =>
  refusesEach(t, foreignCalls(allowedOrigins))
)

t.test(
  'SEC-1, SEC-2, SEC-8, SEC-20: a cookie that was not sealed here is no session and no sign-in, and no other state finishes one',
  async t => {
    const flowName = flow?.name ?? ''
    await refusesEach(t, [...forgedSessions(sealed), ...forgedFlows(sealed, flowName, state), ...forgedStates(sealed, flowName, state)])
    const finished = await other.request(`${gateway.url}/auth/productboard/callback?code=c&state=${state}`)
    t.equal(finished.status, 303, 'the true one still finishes its sign-in')
  }
)

t.test('SEC-29: a header that must stop stops, in every spelling and whatever Connection says', async t => {
  const { exchanges, broken } = await exchangeAll(person, stoppedHeaders)
  t.equal(broken, 0)
  for (const { sent, caseId, answer } of exchanges) {
    const [seen, ...more] = seenAs(caseId)
    const isStopped =
      answer?.status === 200 &&
      seen !== undefined &&
      more.length === 0 &&
      !seen.rawHeaders.some(text => text.includes('theirs')) &&
      /^Bearer access-\d+$/.test(seen.headers.authorization ?? '') &&
      seen.headers.host === new URL(provider.origin).host &&
      seen.headers.cookie === undefined &&
      seen.body.length === (seen.method === 'POST' ? 5 : 0)
    if (isStopped) counts.stopped++
    else t.fail(sent.what, { status: answer?.status, seen: seen?.rawHeaders, body: seen?.body.toString() })
  }
  t.equal(counts.stopped, stoppedHeaders.length)
})

t.test('SEC-28: a path that is merely odd goes up byte for byte', async t => {
  const { exchanges, broken } = await exchangeAll(
    person,
    oddButGood.map(path => ({ path, bytes: call({ target: base + path }) }))
  )
  t.equal(broken, 0)
  for (const { sent, caseId, answer } of exchanges) {
    const urls = seenAs(caseId).map(({ url }) => url)
    if (answer?.status === 200 && urls.length === 1 && urls[0] === `/base${sent.path}`) counts.passed++
    else t.fail(sent.path.slice(0, 100), { status: answer?.status, urls })
  }
})

t.test('SEC-29: a header that is merely odd goes up as it is', async t => {
  const { exchanges, broken } = await exchangeAll(
    person,
    oddButGoodHeaders.map(([name, value]) => ({ name, value, bytes: call({ lines: [`${name}: ${value}`] }) }))
  )
  t.equal(broken, 0)
  for (const { sent, caseId, answer } of exchanges) {
    const raw = seenAs(caseId)[0]?.rawHeaders ?? []
    if (answer?.status === 200 && raw[raw.indexOf(sent.name) + 1] === sent.value) counts.passed++
    else t.fail(sent.name, { status: answer?.status, raw })
  }
})

t.test('SEC-26: a return address that is merely odd is where the browser comes back to', async t => {
  const addresses = oddButGoodReturns(allowedOrigins)
  const { exchanges: begun } = await exchangeAll(
    person,
    addresses.map(address => ({
      address,
      bytes: bareCall({ target: `/auth/productboard?return_to=${encodeURIComponent(address)}` }, () => [])
    }))
  )
  const callbacks = begun.map(({ sent, answer }) => {
    const given = new URL(answer?.headers.get('location') ?? 'x:').searchParams.get('state')
    const cookie = answer?.headers
      .getSetCookie()
      .map(line => line.split(';', 1)[0])
      .join('; ')
    return {
      ...sent,
      bytes: bareCall({ target: `/auth/productboard/callback?error=access_denied&state=${given}` }, () => [`Cookie: ${cookie}`])
    }
  })
  const { exchanges: ended } = await exchangeAll(person, callbacks)
  for (const { sent, answer } of ended) {
    const [before = '', after = ''] = sent.address.split(/(?=#)/)
    const expected = `${before}${before.includes('?') ? '&' : '?'}connect_error=access_denied&provider=productboard${after}`
    if (answer?.status === 303 && answer.headers.get('location') === expected) counts.passed++
    else t.fail(sent.address.slice(0, 100), { status: answer?.status, location: answer?.headers.get('location'), expected })
  }
})

t.test('SEC-35: after all of it the pool serves at full width, and the session as before', async t => {
  const calls = Array.from({ length: 200 }, () => browser.fetch(`${gateway.url}${base}/x`))
  t.strictSame(new Set((await Promise.all(calls)).map(({ status }) => status)), new Set([200]))
  const good = oddButGood.length + oddButGoodHeaders.length + oddButGoodReturns(allowedOrigins).length
  const [tried, refused, stopped, passed] = [counts.tried, counts.refused, counts.stopped, counts.passed].map(n => n.toLocaleString('en'))
  const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8')
  for (const said of [`${tried} hostile requests`, `**${refused} refused`, `${stopped} headers`, `${passed} inputs`])
    t.ok(readme.includes(said), said)
  t.comment(
    `hostile inputs: ${tried} tried, ${refused} refused; ${stopped} headers stopped; ${passed} legitimate odd ones passed unchanged`
  )
  t.equal(counts.refused, counts.tried)
  t.equal(counts.stopped, stoppedHeaders.length)
  t.equal(counts.passed, good)
})

import fc from 'fast-check'
import t from 'tap'
import { Browser } from '../../support/browser.ts'
import { startConnected } from '../../support/connected.ts'
import { flowCookie } from '../../support/cookie-names.ts'
import { bytes } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { alteration } from './alteration.ts'

const { gateway, provider, browser } = await startConnected(t)
/** Another browser, with a sign-in in flight that it could finish. */
const other = new Browser()
const started = await other.request(`${gateway.url}/auth/productboard`)
const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''

const session = browser.session(gateway.url) ?? { name: '', value: '' }
const [flow = { name: '', value: '' }] = other.cookies.values()

/** The ciphertext and nonce of a cookie. */
const decodeCookie = (value: string): Buffer[] =>
  decodeURIComponent(value)
    .split(';')
    .map(part => Buffer.from(part, 'base64'))
const encodeCookie = (parts: readonly Buffer[]): string => encodeURIComponent(parts.map(part => part.toString('base64')).join(';'))

const isGenuine = (parts: readonly Buffer[]): boolean =>
  [session, flow].some(({ value }) => Buffer.concat(decodeCookie(value)).equals(Buffer.concat(parts)))

const forgedCookie = fc
  .tuple(fc.constantFrom(session, flow), fc.constantFrom(session, flow), fc.array(alteration, { maxLength: 2 }), fc.boolean())
  .map(([one, other, alterations, second]) => {
    const [[sealed, nonce], [, otherNonce]] = [decodeCookie(one.value), decodeCookie(other.value)]
    const parts = [sealed ?? Buffer.of(), otherNonce ?? nonce ?? Buffer.of()]
    const at = second ? 1 : 0
    for (const altered of alterations) parts[at] = altered(parts[at] ?? Buffer.of())
    return isGenuine(parts) ? '' : encodeCookie(parts)
  })
const value = fc.oneof(forgedCookie, bytes, fc.constantFrom('', '%', '%3B', ';', 'null', '{}', 'A'.repeat(4000), '%00%3B%00', '%ff;%ff'))
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(session.name, flow.name, `${flowCookie(gateway.url)}-x`, `${flowCookie(gateway.url)}-`) },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'Grantkeeper', '', 'x') }
)
const pairs = fc.array(fc.tuple(name, fc.constantFrom('=', '=', '=', '', '==', ' = ', '="'), value), { maxLength: 5 })
const line = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(pairs, fc.constantFrom('; ', ';', ',', ';;')).map(([list, comma]) => list.map(parts => parts.join('')).join(comma))
  },
  { weight: 1, arbitrary: bytes }
)

property('SEC-20: a forged Cookie header is no session or sign-in, and causes no error', 100, line, async cookie => {
  const get = (url: string) => gateway.app.inject({ url, headers: { cookie, 'x-csrf': '1' } })
  const list = await get('/connections')
  must(list.statusCode === 200 && !list.body.includes('"connected"'), `the list is ${list.statusCode}`)
  must(list.headers['set-cookie'] === undefined, 'it set a cookie')
  const response = await get('/proxy/productboard/x')
  must(
    response.statusCode === 401 && response.headers['grantkeeper-error'] === 'connection_required',
    `a proxied request is ${response.statusCode}`
  )
  const callback = await get(`/auth/productboard/callback?code=c&state=${state}`)
  must(callback.statusCode === 400 && callback.headers['grantkeeper-error'] === 'state_invalid', `a callback is ${callback.statusCode}`)
  must(provider.seen.api.length === 0 && provider.seen.token.length === 1, 'the provider got a request')
  return true
})

t.test('the unaltered cookies are valid', async t => {
  const response = await gateway.app.inject({
    url: '/proxy/productboard/x',
    headers: { cookie: browser.sessionPair(gateway.url), 'x-csrf': '1' }
  })
  t.equal(response.statusCode, 200)
  const cookie = `${flow.name}=${flow.value}`
  const callback = await gateway.app.inject({ url: `/auth/productboard/callback?code=c&state=${state}`, headers: { cookie } })
  t.equal(callback.statusCode, 303)
})

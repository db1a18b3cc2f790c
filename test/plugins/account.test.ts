import t, { type Test } from 'tap'
import vendor from '../../providers/productboard.ts'
import type { AccountLookup, Provider } from '../../src/core/provider/definition.ts'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

type Method = NonNullable<Provider['methods']['oauth2']>

/** A gateway and a provider whose definition finds accounts in this way. */
async function setUp(t: Test, { oauth2 = {}, apiKey }: { oauth2?: Partial<Method>; apiKey?: AccountLookup }) {
  const { methods } = vendor
  if (!methods.oauth2 || !methods.apiKey) throw new Error('it has both methods')
  const definition = {
    ...vendor,
    methods: { oauth2: { ...methods.oauth2, ...oauth2 }, apiKey: { ...methods.apiKey, ...(apiKey && { account: apiKey }) } }
  }
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment, definitions: [definition] })
  const browser = new Browser()
  const connection = async () => {
    const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: unknown[] }
    return connections[0] as { status: string; account?: string }
  }
  const warnings = () => gateway.logs.map(line => JSON.parse(line)).filter(({ level }) => level === 40)
  return { provider, gateway, browser, connection, warnings }
}

const lookup = { from: 'lookup', path: '/me', id: '/id', name: '/name' } as const
/** Knows each access token and key as an account of the same name. */
const nameBearer: FakeProvider['api'] = ({ headers }, r) => json(r, 200, { id: 'id-canary', name: headers.authorization?.slice(7) })

t.test('a sign-in looks up the account with the new access token', async t => {
  const s = await setUp(t, { oauth2: { account: lookup } })
  s.provider.token = (_, r) => json(r, 200, tokens({ access_token: 'ada' }))
  s.provider.api = nameBearer
  t.equal((await signIn(s.gateway, s.browser)).status, 303)
  t.strictSame(
    s.provider.seen.api.map(({ method, url }) => `${method} ${url}`),
    ['GET /base/me']
  )
  t.match(await s.connection(), { status: 'connected', account: 'ada' })
  t.notMatch(await (await s.browser.fetch(`${s.gateway.url}/connections`)).text(), 'id-canary', 'the id is not shown')
})

t.test('a look-up that fails does not fail the sign-in', async t => {
  for (const [respond, logged] of [
    [(_: unknown, r: Parameters<typeof json>[0]) => json(r, 403, { error: 'canary' }), { status: 403 }],
    [(_: unknown, r: Parameters<typeof json>[0]) => void r.destroy(), { code: 'provider_unavailable' }]
  ] as const) {
    const s = await setUp(t, { oauth2: { account: lookup } })
    s.provider.api = respond
    const response = await signIn(s.gateway, s.browser)
    t.equal(response.status, 303)
    t.notMatch(response.headers.get('location'), /error/)
    const connection = await s.connection()
    t.match([connection.status, connection.account], ['connected', undefined])
    t.match(s.warnings(), [{ provider: 'productboard', ...logged, msg: /could not be looked up/ }])
    t.notMatch(s.gateway.logs.join(''), /canary|access-\d/)
    s.provider.api = (seen, r) => json(r, 200, { url: seen.url })
    t.equal((await s.browser.fetch(`${s.gateway.url}/proxy/productboard/x`)).status, 200, 'the grant works')
    t.equal(s.provider.seen.revoke.length, 0)
  }
})

t.test('a sign-in reads the account from the ID token for its own client', async t => {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
  for (const [aud, account] of [
    ['client-1', 'Ada'],
    ['client-2', undefined]
  ] as const) {
    const s = await setUp(t, { oauth2: { account: { from: 'id_token', id: '/sub', name: '/name' } } })
    const idToken = `${encode({ alg: 'RS256' })}.${encode({ aud, sub: '7', name: 'Ada' })}.c2ln`
    s.provider.token = (_, r) => json(r, 200, tokens({ id_token: idToken }))
    await signIn(s.gateway, s.browser)
    t.strictSame([(await s.connection()).status, (await s.connection()).account], ['connected', account], aud)
    t.equal(s.provider.seen.api.length, 0)
  }
})

t.test('a key is looked up after its check', async t => {
  const s = await setUp(t, { apiKey: lookup })
  s.provider.api = nameBearer
  const paste = (apiKey: string) =>
    s.browser.fetch(`${s.gateway.url}/connections/productboard`, {
      method: 'POST',
      body: JSON.stringify({ apiKey }),
      headers: { 'content-type': 'application/json' }
    })
  t.match(await (await paste('ada-key')).json(), { status: 'connected', account: 'ada-key' })
  t.strictSame(
    s.provider.seen.api.map(({ url }) => url),
    ['/base/v2/notes', '/base/me']
  )
  s.provider.api = (seen, r) => (seen.url === '/base/me' ? json(r, 500, {}) : nameBearer(seen, r, undefined as never))
  const response = await paste('other-key')
  const body = (await response.json()) as object
  t.strictSame([response.status, 'account' in body], [201, false])
  s.provider.api = (_, r) => json(r, 401, {})
  const requests = s.provider.seen.api.length
  t.equal((await paste('bad-key')).status, 422)
  t.equal(s.provider.seen.api.length, requests + 1, 'a rejected key is not looked up')
})

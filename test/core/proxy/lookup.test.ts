import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createEvents, type GatewayEvents } from '../../../src/core/events.ts'
import type { AccountLookup, Provider } from '../../../src/core/provider/definition.ts'
import { createLookups } from '../../../src/core/proxy/lookup.ts'
import { Secret } from '../../../src/core/secret.ts'
import { createLookup } from '../../../src/upstream/lookup.ts'
import { openUpstream } from '../../../src/upstream/send.ts'
import { json } from '../../support/fake-provider.ts'
import { apiKeyWith, connectionWith, oauth2With, providerWith, revealSecrets } from '../support.ts'

type Seen = { readonly path: string | undefined; readonly authorization: string | undefined; readonly version: unknown }

const acmeInc = { id: 7, name: 'Acme Inc.' }
const byPath: AccountLookup = { from: 'lookup', id: '/id', name: '/name', path: '/me?fields=id' }

/** A provider on a real socket with this look-up, and what it receives. */
async function setUp(t: Test, respond: (response: ServerResponse) => void, timeoutMs?: number) {
  const seen: Seen[] = []
  const server = createServer(({ url, headers }, response) => {
    seen.push({ path: url, authorization: headers.authorization, version: headers['x-version'] })
    respond(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { send, close } = openUpstream(createLookup({ production: false, providers: new Map() }))
  t.teardown(async () => {
    await close()
    server.closeAllConnections()
    server.close()
  })
  const events = createEvents()
  const failures: GatewayEvents['account-lookup.failed'][] = []
  events.subscribe('account-lookup.failed', failure => failures.push(failure))
  /** Looks up the account of a connection, here `connectionWith()`, by a definition. */
  const lookUp = async (definition: Provider, connection = connectionWith()) => {
    const providers = new Map([['acme', { definition, trustedOrigins: [] }]])
    const { addAccount } = createLookups({ send, events, providers, ...(timeoutMs !== undefined && { timeoutMs }) })
    return revealSecrets(await addAccount(connection))
  }
  const definitionWith = (account: AccountLookup): Provider =>
    providerWith({
      api: { baseUrl: `${origin}/v1`, headers: { 'x-version': '2' } },
      methods: { oauth2: oauth2With({ account }), apiKey: { ...apiKeyWith({ in: 'basic' }), account } }
    })
  return { origin, server, seen, failures, lookUp, definitionWith }
}

const unchanged = revealSecrets(connectionWith())

t.test('a look-up adds the account that its response names', async t => {
  const s = await setUp(t, r => json(r, 200, acmeInc))
  t.strictSame(await s.lookUp(s.definitionWith(byPath)), { ...unchanged, account: 'Acme Inc.', accountId: '7' })
  t.strictSame(s.seen, [{ path: '/v1/me?fields=id', authorization: 'Bearer access-1', version: '2' }])
  t.strictSame(s.failures, [])
})

t.test('a look-up at an absolute URL carries the credential too', async t => {
  const s = await setUp(t, r => json(r, 201, acmeInc))
  const byUrl = { from: 'lookup', id: '/id', url: `${s.origin}/oauth/userinfo?x=1` } as const
  t.strictSame(await s.lookUp(s.definitionWith(byUrl)), { ...unchanged, accountId: '7' })
  t.strictSame(s.seen, [{ path: '/oauth/userinfo?x=1', authorization: 'Bearer access-1', version: '2' }])
})

t.test('a key is looked up with the key', async t => {
  const s = await setUp(t, r => json(r, 200, acmeInc))
  const key = connectionWith({ method: 'api_key', credential: new Secret('key') })
  t.match(await s.lookUp(s.definitionWith(byPath), key), { account: 'Acme Inc.', accountId: '7', credential: 'key' })
  t.equal(s.seen[0]?.authorization, `Basic ${Buffer.from('key:').toString('base64')}`)
})

t.test('no credential is sent to a URL that the operator’s servers have replaced', async t => {
  const s = await setUp(t, r => json(r, 200, acmeInc))
  const byUrl = { from: 'lookup', id: '/id', url: `${s.origin}/userinfo` } as const
  const elsewhere = { ...s.definitionWith(byUrl), api: { baseUrl: 'https://api.operator.example' } }
  t.strictSame(await s.lookUp(elsewhere), unchanged)
  t.strictSame([s.seen, s.failures], [[], []])
})

t.test('without a look-up in the definition nothing is requested', async t => {
  const s = await setUp(t, r => json(r, 200, acmeInc))
  const { api } = s.definitionWith(byPath)
  for (const oauth2 of [oauth2With(), oauth2With({ account: { from: 'token', id: '/id' } })])
    t.strictSame(await s.lookUp(providerWith({ api, methods: { oauth2 } })), unchanged)
  const otherProvider = connectionWith({ provider: 'umbrella' })
  t.strictSame(await s.lookUp(s.definitionWith(byPath), otherProvider), revealSecrets(otherProvider))
  t.strictSame([s.seen, s.failures], [[], []])
})

t.test('a response without the account leaves the connection as it is', async t => {
  for (const [status, body] of [
    [403, acmeInc],
    [302, acmeInc],
    [500, {}],
    [200, {}],
    [200, [acmeInc]],
    [200, { data: acmeInc }],
    [200, null]
  ] as const) {
    const s = await setUp(t, r => json(r, status, body, { location: '/me' }))
    t.strictSame(await s.lookUp(s.definitionWith(byPath)), unchanged, `${status} ${JSON.stringify(body)}`)
    t.strictSame(s.failures, [{ provider: 'acme', status, code: undefined }])
    t.equal(s.seen.length, 1, 'no redirect is followed')
  }
})

t.test('a name without the id that the definition names is kept and reported', async t => {
  const s = await setUp(t, r => json(r, 200, { name: 'Acme Inc.' }))
  t.strictSame(await s.lookUp(s.definitionWith(byPath)), { ...unchanged, account: 'Acme Inc.' })
  t.strictSame(s.failures, [{ provider: 'acme', status: 200, code: undefined }])
})

t.test('a body that is too long, cut off or no JSON is no account', async t => {
  for (const respond of [
    (r: ServerResponse) => json(r, 200, { ...acmeInc, padding: 'x'.repeat(300_000) }),
    (r: ServerResponse) => r.writeHead(200, { 'content-length': '1000' }).write(JSON.stringify(acmeInc), () => r.destroy()),
    (r: ServerResponse) => void r.end('<html>')
  ]) {
    const s = await setUp(t, respond)
    t.strictSame(await s.lookUp(s.definitionWith(byPath)), unchanged)
    t.equal(s.failures.length, 1)
  }
})

t.test('a provider that closes the connection or cannot be reached is no error', async t => {
  const s = await setUp(t, r => void r.destroy())
  t.strictSame(await s.lookUp(s.definitionWith(byPath)), unchanged)
  s.server.close()
  t.strictSame(await s.lookUp(s.definitionWith(byPath)), unchanged)
  const failure = { provider: 'acme', status: undefined, code: 'provider_unavailable' }
  t.strictSame(s.failures, [failure, failure])
})

t.test('a look-up that takes too long is given up', async t => {
  for (const respond of [() => {}, (r: ServerResponse) => void r.writeHead(200).write('{"id":')]) {
    const s = await setUp(t, respond, 50)
    t.strictSame(await s.lookUp(s.definitionWith(byPath)), unchanged)
    t.equal(s.failures.length, 1)
  }
})

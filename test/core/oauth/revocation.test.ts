import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createRevocation } from '../../../src/core/oauth/revocation.ts'
import { RevocationError } from '../../../src/core/oauth/revocation-error.ts'
import type { RevocableGrant, TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createRecords, pendingOwner } from '../../../src/core/vault/records.ts'
import { openSqliteStore } from '../../../src/stores/sqlite/store.ts'
import { connectionWith, hour, type ManualClock, manualClock, minute, newKey, second, startMs } from '../support.ts'
import { collect } from './renewal-world.ts'

const day = 24 * hour

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise(setImmediate)
}

type World = { directory: string; keys: readonly Buffer[]; clock: ManualClock }

/** Timers and the clock move only when the test moves them. */
function newWorld(t: Test): World {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  return { directory: t.testdir(), keys: [newKey()], clock: manualClock() }
}

type Provider = { error?: () => Error | undefined; respond?: () => Promise<void>; scope?: 'token' | 'grant'; needs?: readonly string[] }

/** One instance, and a provider whose revocation endpoint fails while `error` returns one. */
function openInstance(t: Test, world = newWorld(t), { error = () => undefined, respond, scope = 'token', needs = [] }: Provider = {}) {
  const { directory, keys, clock } = world
  const store = openSqliteStore({ directory, clock })
  t.teardown(() => store.close())
  const requests: RevocableGrant[] = []
  const events = createEvents()
  const failures = collect(events, 'revocation.failed')
  const endpoint: Pick<TokenEndpoint, 'revoke'> = {
    async revoke(token) {
      requests.push(token)
      await respond?.()
      const failure = error()
      if (failure) throw failure
    }
  }
  const createWith = (revocationStore: Store) =>
    createRevocation({
      store: revocationStore,
      cipher: createCipher(keys),
      clock,
      endpointOf: ({ provider }) => (provider === 'acme' ? endpoint : undefined),
      scopeOf: ({ provider }) => (provider === 'unconfigured' ? undefined : scope),
      needsOf: () => new Set(needs),
      events
    })
  const revocation = createWith(store)
  t.teardown(() => void revocation.close(0))
  const elapse = async (ms: number) => {
    // A `Timeout` runs in steps, each started when the one before has ended.
    const maxStepMs = ms <= 10_000 ? 100 : ms
    for (let leftMs = ms, stepMs = 0; leftMs > 0; leftMs -= stepMs) {
      stepMs = Math.min(maxStepMs, leftMs)
      clock.advance(stepMs)
      mock.timers.tick(stepMs)
      await settled()
    }
  }
  const queueLength = async () => (await store.readAll(pendingOwner)).size
  return { ...revocation, world, store, createWith, requests, failures, elapse, queueLength }
}

const unavailable = () => new RevocationError('the provider refused', { status: 503 })
const tokenAndType = ({ token, type }: RevocableGrant) => [token.reveal(), type]

t.test('SEC-15: a grant is revoked once, by its refresh token or else its access token', async t => {
  const { revoke, requests, elapse, queueLength } = openInstance(t)
  await revoke(connectionWith())
  const { refreshToken: _, ...withoutRefresh } = connectionWith()
  await revoke(withoutRefresh)
  t.strictSame(requests.map(tokenAndType), [
    ['refresh-1', 'refresh_token'],
    ['access-1', 'access_token']
  ])
  await elapse(day)
  t.equal(requests.length, 2)
  t.equal(await queueLength(), 0)
})

t.test('SEC-15: nothing is sent if there is nothing to revoke', async t => {
  const { revoke, requests, failures, queueLength } = openInstance(t)
  await revoke(connectionWith({ provider: 'unconfigured' }))
  const { refreshToken: _, ...ended } = connectionWith({ expiresAtMs: startMs })
  await revoke(ended)
  const { refreshToken: _1, ...key } = connectionWith({ method: 'api_key' })
  await revoke(key)
  await revoke(connectionWith({ method: 'api_key', expiresAtMs: startMs }))
  t.strictSame([requests, failures, await queueLength()], [[], [], 0])
})

t.test('SEC-15: a failed revocation is retried with growing delays, from 5 s to 1 h', async t => {
  const { revoke, requests, failures, elapse, queueLength } = openInstance(t, undefined, {
    error: () => (requests.length < 5 ? unavailable() : undefined)
  })
  await revoke(connectionWith())
  t.equal(requests.length, 1, 'the user does not wait for a retry')
  const delaysMs = [5 * second, minute, 10 * minute, hour]
  for (const [i, delayMs] of delaysMs.entries()) {
    t.equal(await queueLength(), 1)
    await elapse(delayMs - 1)
    t.equal(requests.length, i + 1, `${delayMs} ms are not over`)
    await elapse(1)
    t.equal(requests.length, i + 2, `${delayMs} ms are over`)
  }
  t.equal(await queueLength(), 0)
  await elapse(day)
  t.equal(requests.length, 5)
  t.strictSame(
    failures,
    delaysMs.map(nextTryMs => ({ provider: 'acme', status: 503, code: undefined, message: 'the provider refused', nextTryMs }))
  )
})

t.test('SEC-15: a revocation that always fails is retried hourly for seven days and given up', async t => {
  const { revoke, requests, failures, elapse, queueLength } = openInstance(t, undefined, { error: unavailable })
  await revoke(connectionWith())
  for (let hours = 0; hours < 8 * 24; hours++) await elapse(hour)
  t.ok(requests.length > 7 * 24 && requests.length < 7 * 24 + 8, String(requests.length))
  t.equal(failures.filter(({ nextTryMs }) => nextTryMs === undefined).length, 1)
  t.equal(failures.at(-1)?.nextTryMs, undefined)
  t.equal(await queueLength(), 0)
})

t.test('an error that no retry can change is given up at once', async t => {
  const { revoke, requests, failures, elapse, queueLength } = openInstance(t, undefined, {
    error: () => new RevocationError('the provider refused', { status: 400, code: 'unsupported_token_type' })
  })
  await revoke(connectionWith())
  await elapse(hour)
  t.equal(requests.length, 1)
  t.equal(failures.length, 1)
  t.equal(await queueLength(), 0)
})

t.test('an error that says the token is already invalid counts as revoked', async t => {
  const world = newWorld(t)
  for (const [code, status] of [
    ['invalid_token', 400],
    ['invalid_grant', 400],
    ['token_revoked', 200]
  ] as const) {
    const { revoke, requests, failures, elapse, queueLength } = openInstance(t, world, {
      error: () => new RevocationError('the provider refused', { status, code })
    })
    await revoke(connectionWith())
    await elapse(hour)
    t.equal(requests.length, 1, code)
    t.equal(failures.length, 0, code)
    t.equal(await queueLength(), 0, code)
  }
})

t.test('a user who disconnects waits for the provider for two seconds at most', async t => {
  const { revoke, elapse } = openInstance(t, undefined, { respond: () => new Promise(() => {}) })
  let done = false
  const waiting = revoke(connectionWith()).then(() => {
    done = true
  })
  await settled()
  await elapse(1900)
  t.notOk(done)
  await elapse(100)
  t.ok(done)
  await waiting
})

t.test('SEC-15: after a shutdown one other instance retries what is pending, when it is due', async t => {
  const before = openInstance(t, undefined, { error: unavailable })
  await before.revoke(connectionWith())
  void before.close(0)
  await before.store.close()
  const [one, two] = [openInstance(t, before.world), openInstance(t, before.world)]
  one.start()
  two.start()
  await one.elapse(5 * second - 1)
  t.equal(one.requests.length + two.requests.length, 0)
  await one.elapse(1)
  t.strictSame([...one.requests, ...two.requests].map(tokenAndType), [['refresh-1', 'refresh_token']])
  await one.elapse(day)
  t.equal(one.requests.length + two.requests.length, 1)
  t.equal(await one.queueLength(), 0)
})

t.test('SEC-15: another instance retries if this one dies during the request', async t => {
  const before = openInstance(t, undefined, { respond: () => new Promise(() => {}) })
  const waiting = before.revoke(connectionWith())
  await settled()
  await before.elapse(2 * second)
  await waiting
  void before.close(0)
  await before.store.close()
  const after = openInstance(t, before.world)
  after.start()
  await after.elapse(minute)
  t.equal(after.requests.length, 0, 'the first request may still be in flight')
  await after.elapse(minute)
  await after.elapse(minute)
  t.equal(after.requests.length, 1)
})

t.test('SEC-41: while the store is down a revocation is sent, and retried from memory', async t => {
  let isDown = true
  const world = openInstance(t, undefined, { error: () => (world.requests.length < 2 ? unavailable() : undefined) })
  const store: Store = {
    ...world.store,
    commit: (...args) => (isDown ? Promise.reject(new Error('down')) : world.store.commit(...args)),
    readAll: owner => (isDown ? Promise.reject(new Error('down')) : world.store.readAll(owner))
  }
  const revocation = world.createWith(store)
  await revocation.revoke(connectionWith())
  t.equal(world.requests.length, 1)
  t.equal(await world.queueLength(), 0)
  await world.elapse(5 * second)
  isDown = false
  await world.elapse(minute)
  t.equal(world.requests.length, 2)
  t.equal(await world.queueLength(), 0)
  await revocation.close(0)
})

t.test('SEC-15: a replaced grant is revoked, unless that would end its replacement', async t => {
  const { refreshToken: _, ...key } = connectionWith({ method: 'api_key', credential: new Secret('key') })
  const [before, after] = [connectionWith(), connectionWith({ credential: new Secret('access-2'), refreshToken: new Secret('refresh-2') })]
  const cases: Array<[what: string, scope: 'token' | 'grant', replaced: Connection | undefined, by: Connection, requestCount: number]> = [
    ['a new sign-in', 'token', before, after, 1],
    ['a new sign-in where a revocation ends the whole grant', 'grant', before, after, 0],
    ['a key over a grant', 'token', before, key, 1],
    ['a key over a whole grant', 'grant', before, key, 1],
    ['the same refresh token again', 'token', before, { ...after, refreshToken: new Secret('refresh-1') }, 0],
    ['the same access token again', 'token', before, { ...after, credential: new Secret('access-1') }, 0],
    ['a key that is replaced', 'token', key, after, 0],
    ['nothing', 'token', undefined, after, 0]
  ]
  const world = newWorld(t)
  for (const [what, scope, replaced, by, requestCount] of cases) {
    const instance = openInstance(t, world, { scope })
    instance.revokeReplaced(replaced, by)
    await settled()
    t.equal(instance.requests.length, requestCount, what)
  }
})

t.test('SEC-38: a pending revocation is encrypted and contains only the token to revoke', async t => {
  const { revoke, store, world } = openInstance(t, undefined, { error: unavailable })
  const parameters = { shop: 'ada-shop' }
  await revoke(connectionWith({ account: 'ada@acme.example', scopes: ['read'], parameters, values: { bot: 'bot-token' } }))
  const [[field = '', record = Buffer.of()] = []] = [...(await store.readAll(pendingOwner))]
  t.notMatch(record.toString('latin1'), /refresh-1|acme/)
  const plain = createCipher(world.keys).open(record, `v1\0${pendingOwner}\0${field}`)?.toString()
  t.match(plain, /refresh-1/)
  t.notMatch(plain, /access-1|ada|read|bot/)
})

t.test('what a vendor’s own form of a revocation needs waits with the token, and nothing else', async t => {
  const needs = ['access_token', 'shop', 'key']
  const before = openInstance(t, undefined, { error: unavailable, needs })
  const known = { parameters: { shop: 'one', other: 'x' }, values: { bot: 'y' } }
  await before.revoke(connectionWith(known))
  await before.revoke(connectionWith({ ...known, method: 'api_key', refreshToken: new Secret('the-key') }))
  await before.close(0)
  await before.store.close()
  const after = openInstance(t, before.world, { needs })
  after.start()
  await after.elapse(minute)
  // They come in no order.
  const sent = Object.fromEntries(
    after.requests.map(({ token, type, accessToken, key, method = '', parameters, values }) => [
      method,
      { tokens: [token.reveal(), type, accessToken?.reveal(), key?.reveal()], parameters, values }
    ])
  )
  const needed = { parameters: { shop: 'one' }, values: undefined }
  t.strictSame(sent, {
    oauth2: { tokens: ['refresh-1', 'refresh_token', 'access-1', undefined], ...needed },
    api_key: { tokens: ['access-1', 'access_token', undefined, 'the-key'], ...needed }
  })
})

t.test('a revocation that waits since before there were other forms is still sent', async t => {
  const { start, store, world, requests, elapse, queueLength } = openInstance(t)
  const { seal } = createRecords(createCipher(world.keys))
  const plain = { provider: 'acme', token: 'refresh-1', type: 'refresh_token', createdAtMs: startMs, failures: 0, dueAtMs: startMs }
  const put = seal(pendingOwner, 'revocation:old', Buffer.from(JSON.stringify(plain)))
  await store.commit(pendingOwner, { put: [put], ttlMs: day })
  start()
  await elapse(minute)
  t.strictSame(requests.map(tokenAndType), [['refresh-1', 'refresh_token']])
  t.equal(await queueLength(), 0)
})

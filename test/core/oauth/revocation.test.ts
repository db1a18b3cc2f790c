import { mock } from 'node:test'
import t, { type Test } from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createRevocation } from '../../../src/core/oauth/revocation.ts'
import { RevocationError } from '../../../src/core/oauth/revocation-error.ts'
import type { RevocableToken, TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { pendingOwner } from '../../../src/core/vault/records.ts'
import { openSqliteStore } from '../../../src/stores/sqlite/store.ts'
import { connectionWith, hour, type ManualClock, manualClock, minute, newKey, second, startMs } from '../support.ts'
import { collect } from './renewal-world.ts'

const day = 24 * hour

async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise(setImmediate)
}

type World = { directory: string; keys: readonly Buffer[]; clock: ManualClock }

/** Timers stand until the test moves them, and the clock with them. */
function newWorld(t: Test): World {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  return { directory: t.testdir(), keys: [newKey()], clock: manualClock() }
}

type Provider = { fails?: () => Error | undefined; answer?: () => Promise<void>; ends?: 'token' | 'grant' }

/** One instance beside a provider that fails as long as the test says. */
function begin(t: Test, world = newWorld(t), { fails = () => undefined, answer, ends = 'token' }: Provider = {}) {
  const { directory, keys, clock } = world
  const store = openSqliteStore({ directory, clock })
  t.teardown(() => store.close())
  const asked: RevocableToken[] = []
  const events = createEvents()
  const failures = collect(events, 'revocation.failed')
  const endpoint: Pick<TokenEndpoint, 'revoke'> = {
    async revoke(token) {
      asked.push(token)
      await answer?.()
      const error = fails()
      if (error) throw error
    }
  }
  const open = (of: Store) =>
    createRevocation({
      store: of,
      cipher: createCipher(keys),
      clock,
      endpointOf: name => (name === 'acme' ? (endpoint as TokenEndpoint) : undefined),
      scopeOf: name => (name === 'unconfigured' ? undefined : ends),
      events
    })
  const revocation = open(store)
  t.teardown(() => void revocation.close(0))
  const elapse = async (ms: number) => {
    // A Timeout runs in pieces, of which each is started when the one before has ended.
    const maxStepMs = ms <= 10_000 ? 100 : ms
    for (let leftMs = ms, stepMs = 0; leftMs > 0; leftMs -= stepMs) {
      stepMs = Math.min(maxStepMs, leftMs)
      clock.advance(stepMs)
      mock.timers.tick(stepMs)
      await settled()
    }
  }
  const kept = async () => (await store.readAll(pendingOwner)).size
  return { ...revocation, world, store, open, asked, failures, elapse, kept }
}

const unavailable = () => new RevocationError('the provider refused', { status: 503 })
const told = ({ token, type }: RevocableToken) => [token.reveal(), type]

t.test('SEC-15: a grant is revoked at its provider, once, by its refresh token where it has one', async t => {
  const { revoke, asked, elapse, kept } = begin(t)
  await revoke(connectionWith())
  const { refreshToken: _, ...withoutRefresh } = connectionWith()
  await revoke(withoutRefresh)
  t.strictSame(asked.map(told), [
    ['refresh-1', 'refresh_token'],
    ['access-1', 'access_token']
  ])
  await elapse(day)
  t.equal(asked.length, 2)
  t.equal(await kept(), 0)
})

t.test('SEC-15: where there is nothing to revoke nobody is asked', async t => {
  const { revoke, asked, failures, kept } = begin(t)
  await revoke(connectionWith({ provider: 'unconfigured' }))
  await revoke(connectionWith({ method: 'api_key' }))
  const { refreshToken: _, ...ended } = connectionWith({ expiresAtMs: startMs })
  await revoke(ended)
  t.strictSame([asked, failures, await kept()], [[], [], 0])
})

t.test('SEC-15: a provider that fails is asked again after 5 s, 1 min, 10 min and 1 h, until it says yes', async t => {
  const { revoke, asked, failures, elapse, kept } = begin(t, undefined, { fails: () => (asked.length < 5 ? unavailable() : undefined) })
  await revoke(connectionWith())
  t.equal(asked.length, 1, 'the person does not wait for the second try')
  const delays = [5 * second, minute, 10 * minute, hour]
  for (const [i, delayMs] of delays.entries()) {
    t.equal(await kept(), 1)
    await elapse(delayMs - 1)
    t.equal(asked.length, i + 1, `${delayMs} ms are not over`)
    await elapse(1)
    t.equal(asked.length, i + 2, `${delayMs} ms are over`)
  }
  t.equal(await kept(), 0)
  await elapse(day)
  t.equal(asked.length, 5)
  t.strictSame(
    failures,
    delays.map(nextTryMs => ({ provider: 'acme', status: 503, code: undefined, message: 'the provider refused', nextTryMs }))
  )
})

t.test('SEC-15: a provider that always fails is asked hourly for seven days, and then given up, which is said once', async t => {
  const { revoke, asked, failures, elapse, kept } = begin(t, undefined, { fails: unavailable })
  await revoke(connectionWith())
  for (let hours = 0; hours < 8 * 24; hours++) await elapse(hour)
  t.ok(asked.length > 7 * 24 && asked.length < 7 * 24 + 8, String(asked.length))
  t.equal(failures.filter(({ nextTryMs }) => nextTryMs === undefined).length, 1)
  t.equal(failures.at(-1)?.nextTryMs, undefined)
  t.equal(await kept(), 0)
})

t.test('what another try cannot help is given up at once, and a token that is gone already is revoked', async t => {
  const world = newWorld(t)
  for (const [code, status, given] of [
    ['unsupported_token_type', 400, 1],
    ['invalid_token', 400, 0],
    ['invalid_grant', 400, 0],
    ['token_revoked', 200, 0]
  ] as const) {
    const { revoke, asked, failures, elapse, kept } = begin(t, world, {
      fails: () => new RevocationError('the provider refused', { status, code })
    })
    await revoke(connectionWith())
    await elapse(hour)
    t.equal(asked.length, 1, code)
    t.equal(failures.length, given, code)
    t.equal(await kept(), 0, code)
  }
})

t.test('who disconnects waits two seconds for the provider at most', async t => {
  const { revoke, elapse } = begin(t, undefined, { answer: () => new Promise(() => {}) })
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

t.test(
  'SEC-15: what waits when the process ends is tried by whichever instance looks next, by one of them, as late as was said',
  async t => {
    const before = begin(t, undefined, { fails: unavailable })
    await before.revoke(connectionWith())
    void before.close(0)
    await before.store.close()
    const [one, two] = [begin(t, before.world), begin(t, before.world)]
    one.start()
    two.start()
    await one.elapse(5 * second - 1)
    t.equal(one.asked.length + two.asked.length, 0)
    await one.elapse(1)
    t.strictSame([...one.asked, ...two.asked].map(told), [['refresh-1', 'refresh_token']])
    await one.elapse(day)
    t.equal(one.asked.length + two.asked.length, 1)
    t.equal(await one.kept(), 0)
  }
)

t.test('SEC-15: an instance that dies while the provider is silent leaves it to another', async t => {
  const before = begin(t, undefined, { answer: () => new Promise(() => {}) })
  const waiting = before.revoke(connectionWith())
  await settled()
  await before.elapse(2 * second)
  await waiting
  void before.close(0)
  await before.store.close()
  const after = begin(t, before.world)
  after.start()
  await after.elapse(minute)
  t.equal(after.asked.length, 0, 'it may still be under way')
  await after.elapse(minute)
  await after.elapse(minute)
  t.equal(after.asked.length, 1)
})

t.test('SEC-41: while the store is down the provider is asked all the same, and what fails is kept when the store is back', async t => {
  let isDown = true
  const world = begin(t, undefined, { fails: () => (world.asked.length < 2 ? unavailable() : undefined) })
  const store: Store = {
    ...world.store,
    commit: (...of) => (isDown ? Promise.reject(new Error('down')) : world.store.commit(...of)),
    readAll: owner => (isDown ? Promise.reject(new Error('down')) : world.store.readAll(owner))
  }
  const revocation = world.open(store)
  await revocation.revoke(connectionWith())
  t.equal(world.asked.length, 1)
  t.equal(await world.kept(), 0)
  await world.elapse(5 * second)
  isDown = false
  await world.elapse(minute)
  t.equal(world.asked.length, 2)
  t.equal(await world.kept(), 0)
  await revocation.close(0)
})

t.test('SEC-15: what was replaced is revoked, unless that would end what has taken its place', async t => {
  const { refreshToken: _, ...key } = connectionWith({ method: 'api_key', credential: new Secret('key') })
  const [before, after] = [connectionWith(), connectionWith({ credential: new Secret('access-2'), refreshToken: new Secret('refresh-2') })]
  const cases: Array<[string, 'token' | 'grant', Connection | undefined, Connection, number]> = [
    ['a new sign-in', 'token', before, after, 1],
    ['a new sign-in where revocation ends the whole grant', 'grant', before, after, 0],
    ['a key over a grant', 'token', before, key, 1],
    ['a key over a whole grant', 'grant', before, key, 1],
    ['the same refresh token again', 'token', before, { ...after, refreshToken: new Secret('refresh-1') }, 0],
    ['the same access token again', 'token', before, { ...after, credential: new Secret('access-1') }, 0],
    ['a key that is replaced', 'token', key, after, 0],
    ['nothing', 'token', undefined, after, 0]
  ]
  const world = newWorld(t)
  for (const [what, ends, replaced, by, asked] of cases) {
    const instance = begin(t, world, { ends })
    instance.revokeReplaced(replaced, by)
    await settled()
    t.equal(instance.asked.length, asked, what)
  }
})

t.test('SEC-38: what waits is sealed, and holds no more than the token that is shown to the provider', async t => {
  const { revoke, store, world } = begin(t, undefined, { fails: unavailable })
  await revoke(connectionWith({ account: 'ada@acme.example', scopes: ['read'] }))
  const [[field = '', record = Buffer.of()] = []] = [...(await store.readAll(pendingOwner))]
  t.notMatch(record.toString('latin1'), /refresh-1|acme/)
  const plain = createCipher(world.keys).open(record, `v1\0${pendingOwner}\0${field}`)?.toString()
  t.match(plain, /refresh-1/)
  t.notMatch(plain, /access-1|ada|read/)
})

import t from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { createRenewal } from '../../../src/core/oauth/renewal.ts'
import { Secret } from '../../../src/core/secret.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import {
  codeOfRejection,
  connectionIdleMs,
  connectionWith,
  hour,
  keyOf,
  limits,
  minute,
  revealSecrets,
  sameBrowserCallback,
  second,
  startMs
} from '../support.ts'
import {
  addInstance,
  collect,
  distinctCredentials,
  failWith,
  inParallel,
  nextGrant,
  openWorld,
  readConnection,
  readRevealedConnection,
  recordRevocations,
  withStore
} from './renewal-world.ts'

t.test('SEC-13: a hundred callers at once cause one refresh', async t => {
  const { renew, endpoint, vault, revoked } = await openWorld(t)
  const results = await inParallel(100, () => renew(keyOf(), connectionWith()))
  t.strictSame(distinctCredentials(results), ['access-2'])
  t.strictSame(endpoint.usedTokens, ['refresh-1'])
  t.strictSame(await readRevealedConnection(vault), {
    ...revealSecrets(connectionWith()),
    credential: 'access-2',
    refreshToken: 'refresh-2',
    lifetimeMs: hour,
    expiresAtMs: startMs + hour,
    renewAtMs: startMs + hour - minute
  })
  t.strictSame(revoked, [])
})

t.test('SEC-13: fifty callers on each of two instances cause one refresh', async t => {
  const one = await openWorld(t)
  const two = addInstance(t, one)
  const results = (await Promise.all([one, two].map(({ renew }) => inParallel(50, () => renew(keyOf(), connectionWith()))))).flat()
  t.strictSame(distinctCredentials(results), ['access-2'])
  t.strictSame(one.endpoint.usedTokens, ['refresh-1'])
})

t.test('SEC-13: a late caller with the old token gets the new one without a refresh', async t => {
  const one = await openWorld(t)
  await one.renew(keyOf(), connectionWith())
  const results = [await one.renew(keyOf(), connectionWith()), await addInstance(t, one).renew(keyOf(), connectionWith())]
  t.strictSame(distinctCredentials(results), ['access-2'])
  t.strictSame(one.endpoint.usedTokens, ['refresh-1'])
})

t.test('callers with the old and the new token at once cause two refreshes', async t => {
  const { renew, endpoint } = await openWorld(t)
  const newest = connectionWith({ credential: new Secret('access-2') })
  const results = await Promise.all([
    renew(keyOf(), connectionWith()),
    renew(keyOf(), newest),
    renew(keyOf(), newest),
    renew(keyOf(), connectionWith())
  ])
  t.strictSame(
    results.map(({ value }) => value.credential.reveal()),
    ['access-2', 'access-3', 'access-3', 'access-2']
  )
  t.strictSame(endpoint.usedTokens, ['refresh-1', 'refresh-2'])
})

t.test('connections of different providers and users are renewed concurrently', async t => {
  const { renew, vault, endpoint, clock } = await openWorld(t)
  const umbrella = connectionWith({ provider: 'umbrella', refreshToken: new Secret('refresh-10') })
  const otherConnection = connectionWith({ refreshToken: new Secret('refresh-20') })
  await vault.connect('owner', undefined, umbrella, { callback: sameBrowserCallback(clock) })
  await vault.connect('other', undefined, otherConnection)
  const results = await Promise.all([
    renew(keyOf(), connectionWith()),
    renew(keyOf('owner', 'umbrella'), umbrella),
    renew(keyOf('other'), otherConnection)
  ])
  t.strictSame(
    results.map(({ value }) => value.credential.reveal()),
    ['access-2', 'access-11', 'access-21']
  )
  t.strictSame(endpoint.usedTokens.toSorted(), ['refresh-1', 'refresh-10', 'refresh-20'])
})

t.test('SEC-14: after invalid_grant the connection is ended for all callers, without another request', async t => {
  const one = await openWorld(t, connectionWith({ backoff: { failures: 1, retryAtMs: startMs, failingSinceMs: startMs } }))
  const two = addInstance(t, one)
  one.endpoint.responses.push(failWith('refused', 'invalid_grant'))
  const codes = await Promise.all(
    [one, two].flatMap(({ renew }) => Array.from({ length: 20 }, () => codeOfRejection(renew(keyOf(), connectionWith()))))
  )
  t.strictSame([...new Set(codes)], ['reconnect_required'])
  for (const { renew } of [one, two])
    await t.rejects(renew(keyOf(), connectionWith()), { code: 'reconnect_required', status: 401, provider: 'acme' })
  t.strictSame(one.endpoint.usedTokens, ['refresh-1'])
  const { refreshToken: _, ...rest } = revealSecrets(connectionWith())
  t.strictSame(
    await readRevealedConnection(one.vault),
    { ...rest, status: 'reconnect_required' },
    'the refresh token and the backoff are deleted'
  )
})

t.test('a refused credential that cannot be renewed ends the connection', async t => {
  const { refreshToken: _, ...withoutRefreshToken } = connectionWith()
  for (const [what, connection] of [
    ['a grant without a refresh token', withoutRefreshToken],
    ['an API key', { ...withoutRefreshToken, method: 'api_key' }],
    ['a provider whose OAuth is off', connectionWith({ provider: 'unconfigured' })]
  ] as ReadonlyArray<[string, Connection]>) {
    const { renew, vault, endpoint } = await openWorld(t, connection)
    await t.rejects(renew(keyOf('owner', connection.provider), connection), { code: 'reconnect_required' }, what)
    t.equal((await readConnection(vault, connection.provider))?.status, 'reconnect_required', what)
    t.strictSame(endpoint.usedTokens, [], what)
  }
})

t.test('SEC-14: after a temporary failure the tokens stay and the next refresh waits', async t => {
  for (const [kind, reason, code] of [
    ['timeout', undefined, 'provider_timeout'],
    ['unavailable', undefined, 'provider_unavailable'],
    ['invalid_response', undefined, 'provider_unavailable'],
    ['refused', undefined, 'provider_unavailable']
  ] as const) {
    const what = `${kind} ${reason ?? ''}`
    const { renew, vault, endpoint, clock } = await openWorld(t)
    endpoint.responses.push(failWith(kind, reason))
    await t.rejects(renew(keyOf(), connectionWith()), { code, provider: 'acme', retryAfter: 1 }, what)
    t.strictSame(
      await readRevealedConnection(vault),
      { ...revealSecrets(connectionWith()), backoff: { failures: 1, retryAtMs: startMs + second, failingSinceMs: startMs } },
      what
    )
    clock.advance(second - 1)
    await t.rejects(renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 1 }, `${what}, retried too early`)
    t.equal(endpoint.usedTokens.length, 1, what)
    clock.advance(1)
    endpoint.responses.push(nextGrant)
    t.equal((await renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2', `${what}, retried after the wait`)
  }
})

t.test('SEC-14: the backoff doubles up to a minute, and a success resets it', async t => {
  const { renew, vault, endpoint, clock } = await openWorld(t)
  for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) {
    endpoint.responses.push(failWith('unavailable'))
    await t.rejects(renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: seconds })
    clock.advance(seconds * second - 1)
    await t.rejects(renew(keyOf(), connectionWith()), { code: 'provider_unavailable', retryAfter: 1 })
    clock.advance(1)
  }
  t.equal(endpoint.usedTokens.length, 8)
  endpoint.responses.push(nextGrant)
  await renew(keyOf(), connectionWith())
  t.notOk('backoff' in ((await readConnection(vault)) as Connection))
  endpoint.responses.push(failWith('unavailable'))
  await t.rejects(renew(keyOf(), connectionWith({ credential: new Secret('access-2') })), { code: 'provider_unavailable', retryAfter: 1 })
})

t.test('SEC-14: all waiters on all instances share a failure', async t => {
  const one = await openWorld(t)
  const two = addInstance(t, one)
  one.endpoint.responses.push(failWith('timeout'))
  const codes = await Promise.all(
    [one, two].map(({ renew }) => Promise.all(Array.from({ length: 20 }, () => codeOfRejection(renew(keyOf(), connectionWith())))))
  )
  t.strictSame(one.endpoint.usedTokens, ['refresh-1'])
  t.strictSame(
    codes.map(list => [...new Set(list)]),
    [['provider_timeout'], ['provider_unavailable']]
  )
})

t.test('an unexpected error is passed on, and the tokens stay', async t => {
  const { renew, vault, endpoint } = await openWorld(t)
  const error = new RangeError('a programming mistake')
  endpoint.responses.push(() => {
    throw error
  })
  t.equal(await codeOfRejection(renew(keyOf(), connectionWith())), error)
  t.strictSame(await readRevealedConnection(vault), revealSecrets(connectionWith()))
  endpoint.responses.push(nextGrant)
  t.equal((await renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2', 'the next caller may try')
})

t.test('SEC-15: without a connection no refresh is sent', async t => {
  const { renew, vault, endpoint } = await openWorld(t)
  await vault.disconnect('owner', 'acme')
  await t.rejects(renew(keyOf(), connectionWith()), { code: 'connection_required', status: 401, provider: 'acme' })
  await t.rejects(renew(keyOf('nobody'), connectionWith()), { code: 'connection_required' })
  t.strictSame(endpoint.usedTokens, [])
})

t.test('SEC-15, SEC-20: a disconnect or sign-out during a renewal wins, and the new grant is revoked', async t => {
  for (const end of ['disconnect', 'deleteOwner'] as const) {
    const { renew, vault, endpoint, store, revoked } = await openWorld(t)
    endpoint.responses.push(async token => {
      await (end === 'disconnect' ? vault.disconnect('owner', 'acme') : vault.deleteOwner('owner'))
      return nextGrant(token)
    })
    const codes = await inParallel(5, () => codeOfRejection(renew(keyOf(), connectionWith())))
    t.strictSame([...new Set(codes)], ['connection_required'], end)
    t.notOk((await store.readAll('owner')).has('connection:acme'), end)
    t.strictSame(
      revoked.map(({ refreshToken }) => refreshToken?.reveal()),
      ['refresh-2'],
      end
    )
  }
})

t.test('a sign-in during a renewal stays, whatever the token endpoint responds', async t => {
  const signedIn = connectionWith({ credential: new Secret('access-new'), refreshToken: new Secret('refresh-new') })
  for (const [what, respond] of [
    ['granted', nextGrant],
    ['invalid_grant', failWith('refused', 'invalid_grant')]
  ] as const) {
    const { renew, vault, endpoint, clock } = await openWorld(t)
    endpoint.responses.push(async token => {
      await vault.connect('owner', undefined, signedIn, { callback: sameBrowserCallback(clock) })
      return respond(token)
    })
    t.equal((await renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-new', what)
    t.strictSame(await readRevealedConnection(vault), revealSecrets(signedIn), what)
  }
})

t.test('a concurrent write to the old record does not undo the renewal', async t => {
  for (const change of [
    { backoff: { failures: 1, retryAtMs: startMs + minute, failingSinceMs: startMs } },
    { status: 'reconnect_required' as const }
  ]) {
    const { renew, vault, endpoint, revoked } = await openWorld(t)
    endpoint.responses.push(async token => {
      const before = await vault.readConnection(keyOf())
      if (before) await vault.replace(keyOf(), before, connectionWith(change))
      return nextGrant(token)
    })
    await renew(keyOf(), connectionWith())
    t.match(await readRevealedConnection(vault), {
      credential: 'access-2',
      refreshToken: 'refresh-2',
      status: 'connected',
      backoff: undefined
    })
    t.strictSame(revoked, [])
  }
})

const down = () => new GatewayError('store_unavailable', 'down', { retryAfter: 1 })

t.test('SEC-41: a refreshed grant that the store rejects is served from memory and retried', async t => {
  const world = await openWorld(t)
  let failures = 0
  const { renew, settle, endpoint } = withStore(world, {
    commit: (owner, change) => (failures++ < 2 ? Promise.reject(down()) : world.store.commit(owner, change))
  })
  t.strictSame(distinctCredentials(await inParallel(10, () => renew(keyOf(), connectionWith()))), ['access-2'])
  t.equal((await readConnection(world.vault))?.refreshToken?.reveal(), 'refresh-1', 'waiters get the new token before it is stored')
  t.strictSame(distinctCredentials(await inParallel(10, () => renew(keyOf(), connectionWith()))), ['access-2'], 'later callers get it too')
  await settle(hour)
  t.strictSame(endpoint.usedTokens, ['refresh-1'])
  t.equal((await readConnection(world.vault))?.refreshToken?.reveal(), 'refresh-2')
})

t.test('SEC-41: a write whose acknowledgement was lost is recognized', async t => {
  const world = await openWorld(t)
  const renewals = collect(world.events, 'connection.renewed')
  let writes = 0
  const { renew, settle, endpoint, revoked } = withStore(world, {
    commit: async (owner, change) => {
      const done = await world.store.commit(owner, change)
      if (writes++ === 0) throw down()
      return done
    }
  })
  t.equal((await renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  await settle(hour)
  t.strictSame(endpoint.usedTokens, ['refresh-1'])
  t.strictSame(revoked, [])
  t.strictSame(renewals, [{ owner: 'owner', provider: 'acme' }])
})

t.test('SEC-41: a grant that cannot be stored before shutdown is reported as lost', async t => {
  const world = await openWorld(t)
  const lost = collect(world.events, 'renewal.lost')
  const store = { ...world.store, commit: () => Promise.reject(down()) }
  const vault = createVault({ store, cipher: createCipher(world.keys), limits, connectionIdleMs, clock: world.clock })
  const { renew, settle } = createRenewal({
    ...world,
    vault,
    lease: store,
    store,
    changes: store.changes,
    revocation: recordRevocations(world.revoked),
    endpointOf: () => world.endpoint
  })
  t.equal((await renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
  await settle(1)
  t.strictSame(lost, [{ owner: 'owner', provider: 'acme' }])
})

t.test('SEC-41: without the store no refresh token is spent', async t => {
  for (const method of ['acquire', 'readAll'] as const) {
    const { renew, endpoint } = withStore(await openWorld(t), { [method]: () => Promise.reject(down()) })
    await t.rejects(renew(keyOf(), connectionWith()), { code: 'store_unavailable' }, method)
    t.strictSame(endpoint.usedTokens, [], method)
  }
})

t.test('the lease is released after a success and after a failure', async t => {
  const { renew, settle, endpoint, store } = await openWorld(t)
  const isFree = async () => {
    await settle(hour)
    const lease = await store.acquire('owner', 'renewal:acme', second)
    await lease?.release()
    return lease !== undefined
  }
  await renew(keyOf(), connectionWith())
  t.ok(await isFree())
  endpoint.responses.push(failWith('unavailable'))
  await codeOfRejection(renew(keyOf(), connectionWith({ credential: new Secret('access-2') })))
  t.ok(await isFree())
})

t.test('a lease that cannot be released does not fail the renewal', async t => {
  const world = await openWorld(t)
  const { renew } = withStore(world, {
    acquire: async () => ({ extend: () => Promise.reject(down()), release: () => Promise.reject(down()) })
  })
  t.equal((await renew(keyOf(), connectionWith())).value.credential.reveal(), 'access-2')
})

t.test('the lease of a killed holder blocks others only until it expires', async t => {
  const { renew, endpoint, store, clock } = await openWorld(t)
  await store.acquire('owner', 'renewal:acme', 30 * second)
  const waiter = renew(keyOf(), connectionWith())
  t.strictSame(endpoint.usedTokens, [])
  clock.advance(30 * second)
  t.equal((await waiter).value.credential.reveal(), 'access-2')
})

t.test('SEC-13: a waiter takes the token of another instance that still holds the lease', async t => {
  const { renew, endpoint, store, vault } = await openWorld(t)
  await store.acquire('owner', 'renewal:acme', hour)
  const waiter = renew(keyOf(), connectionWith())
  const before = await vault.readConnection(keyOf())
  if (before) await vault.replace(keyOf(), before, connectionWith({ credential: new Secret('access-of-another-instance') }))
  t.equal((await waiter).value.credential.reveal(), 'access-of-another-instance')
  t.strictSame(endpoint.usedTokens, [])
})

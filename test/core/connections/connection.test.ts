import t from 'tap'
import {
  applyGrant,
  connectionFromGrant,
  decodeConnection,
  encodeConnection,
  isDueForRenewal,
  isExpired
} from '../../../src/core/connections/connection.ts'
import { Secret } from '../../../src/core/secret.ts'
import { connectionWith, grantOf, hour, minute, second, startMs, told } from '../support.ts'

t.test('SEC-11: a connection keeps the scopes granted, and those asked when the answer names none', async t => {
  const asked = ['read', 'write']
  t.strictSame(connectionFromGrant({ ...grantOf('a'), scopes: ['read'] }, 'acme', asked, startMs).scopes, ['read'])
  t.strictSame(connectionFromGrant({ ...grantOf('a'), scopes: [] }, 'acme', asked, startMs).scopes, [])
  t.strictSame(connectionFromGrant(grantOf('a'), 'acme', asked, startMs).scopes, asked)
})

t.test('a connection is made from a grant', async t => {
  t.strictSame(told(connectionFromGrant({ ...grantOf('a', 'r', hour), account: 'Acme Inc.' }, 'acme', ['read'], startMs)), {
    provider: 'acme',
    method: 'oauth2',
    status: 'connected',
    credential: 'a',
    refreshToken: 'r',
    lifetimeMs: hour,
    expiresAtMs: startMs + hour,
    renewAtMs: startMs + hour - minute,
    scopes: ['read'],
    account: 'Acme Inc.',
    connectedAtMs: startMs
  })
  t.strictSame(told(connectionFromGrant(grantOf('a'), 'acme', [], startMs)), {
    provider: 'acme',
    method: 'oauth2',
    status: 'connected',
    credential: 'a',
    scopes: [],
    connectedAtMs: startMs
  })
})

t.test('SEC-12: a refresh without a new refresh token keeps the old one', async t => {
  t.equal(applyGrant(connectionWith(), grantOf('access-2'), startMs).refreshToken?.reveal(), 'refresh-1')
  t.equal(applyGrant(connectionWith(), grantOf('access-2', 'refresh-2'), startMs).refreshToken?.reveal(), 'refresh-2')
})

t.test('what a refresh leaves out of a lifetime or the scopes stays as it was', async t => {
  const grant = { ...grantOf('access-1', 'refresh-1', hour), scopes: ['read'] }
  const before = connectionFromGrant(grant, 'acme', [], startMs)
  t.match(before, { lifetimeMs: hour, expiresAtMs: startMs + hour })
  const next = applyGrant(before, { ...grantOf('access-2'), scopes: [] }, startMs + hour)
  t.match(next, { lifetimeMs: hour, expiresAtMs: startMs + 2 * hour, renewAtMs: startMs + 2 * hour - minute, scopes: ['read'] })
  t.match(applyGrant(next, grantOf('access-3', undefined, minute), startMs), { lifetimeMs: minute, expiresAtMs: startMs + minute })
})

t.test('SEC-12: a refresh changes what its answer says and nothing else', async t => {
  const before = connectionWith({
    scopes: ['read', 'write'],
    account: 'Acme Inc.',
    expiresAtMs: startMs,
    renewAtMs: startMs - minute,
    backoff: { failures: 3, retryAtMs: startMs, failingSinceMs: startMs }
  })
  const kept = { provider: 'acme', method: 'oauth2', status: 'connected', account: 'Acme Inc.', connectedAtMs: startMs }
  t.strictSame(told(applyGrant(before, grantOf('access-2'), startMs + hour)), {
    ...kept,
    scopes: ['read', 'write'],
    credential: 'access-2',
    refreshToken: 'refresh-1'
  })
  t.strictSame(told(applyGrant(before, { ...grantOf('access-2', 'refresh-2', hour), scopes: ['read'] }, startMs + hour)), {
    ...kept,
    scopes: ['read'],
    credential: 'access-2',
    refreshToken: 'refresh-2',
    lifetimeMs: hour,
    expiresAtMs: startMs + 2 * hour,
    renewAtMs: startMs + 2 * hour - minute
  })
})

t.test(
  'a token is renewed a minute before its end; one that lives for less than two, and was renewed already, at half of its life',
  async t => {
    const before = connectionWith()
    for (const [lifetimeMs, afterSignIn, afterRenewal] of [
      [hour, hour - minute, hour - minute],
      [2 * minute, minute, minute],
      [90 * second, 30 * second, 45 * second],
      [minute, 0, 30 * second],
      [30 * second, -30 * second, 15 * second]
    ] as const) {
      const grant = grantOf('a', 'r', lifetimeMs)
      t.equal(connectionFromGrant(grant, 'acme', [], startMs).renewAtMs, startMs + afterSignIn, `${lifetimeMs} ms after the sign-in`)
      t.equal(applyGrant(before, grant, startMs).renewAtMs, startMs + afterRenewal, `${lifetimeMs} ms after a renewal`)
    }
  }
)

t.test('due and expired are said to the millisecond', async t => {
  const connection = connectionWith({ renewAtMs: startMs + hour - minute, expiresAtMs: startMs + hour })
  t.notOk(isDueForRenewal(connection, startMs + hour - minute - 1))
  t.ok(isDueForRenewal(connection, startMs + hour - minute))
  t.notOk(isExpired(connection, startMs + hour - 1))
  t.ok(isExpired(connection, startMs + hour))
  const { refreshToken: _, ...withoutRefresh } = connection
  t.notOk(isDueForRenewal(withoutRefresh, startMs + hour), 'without a refresh token nothing is due')
  t.notOk(isDueForRenewal(connectionWith(), startMs + hour), 'nor without an end')
  t.notOk(isExpired(connectionWith(), startMs + 1000 * hour), 'and nothing expires')
})

t.test('what is encoded decodes to the same connection', async t => {
  for (const connection of [
    connectionWith(),
    connectionWith({
      method: 'api_key',
      status: 'reconnect_required',
      expiresAtMs: 1,
      renewAtMs: 2,
      scopes: ['a', 'b'],
      account: 'Ácme "Inc."',
      backoff: { failures: 2, retryAtMs: 3, failingSinceMs: startMs }
    })
  ]) {
    const decoded = decodeConnection(encodeConnection(connection))
    t.strictSame(told(decoded), told(connection))
    t.type(decoded.credential, Secret)
    t.type(decoded.refreshToken, Secret)
  }
  const { refreshToken: _, ...without } = connectionWith()
  t.notOk('refreshToken' in decodeConnection(encodeConnection(without)))
})

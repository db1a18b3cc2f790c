import t from 'tap'
import {
  applyGrant,
  connectionFromGrant,
  connectionFromKey,
  decodeConnection,
  encodeConnection,
  isDueForRenewal,
  isExpired,
  isIdleSince,
  isUseDue,
  needsNoRenewal,
  reconnectDueMs
} from '../../../src/core/connections/connection.ts'
import { Secret } from '../../../src/core/secret.ts'
import { connectionWith, grantOf, hour, minute, revealSecrets, second, startMs } from '../support.ts'

t.test('SEC-11: a connection has the granted scopes, by default the requested ones', async t => {
  const requested = ['read', 'write']
  t.strictSame(connectionFromGrant({ ...grantOf('a'), scopes: ['read'] }, 'acme', requested, startMs).scopes, ['read'])
  t.strictSame(connectionFromGrant({ ...grantOf('a'), scopes: [] }, 'acme', requested, startMs).scopes, [])
  t.strictSame(connectionFromGrant(grantOf('a'), 'acme', requested, startMs).scopes, requested)
})

t.test('a connection is created from a grant', async t => {
  const connection = connectionFromGrant({ ...grantOf('a', 'r', hour), account: 'Acme Inc.', accountId: '7' }, 'acme', ['read'], startMs)
  t.match(connection.id, /^[\w-]{22}$/)
  t.strictSame(revealSecrets(connection), {
    id: connection.id,
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
    accountId: '7',
    connectedAtMs: startMs
  })
  const least = connectionFromGrant(grantOf('a'), 'acme', [], startMs)
  t.strictSame(revealSecrets(least), {
    id: least.id,
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

t.test('a lifetime or scopes that a refresh leaves out stay as they were', async t => {
  const grant = { ...grantOf('access-1', 'refresh-1', hour), scopes: ['read'] }
  const before = connectionFromGrant(grant, 'acme', [], startMs)
  t.match(before, { lifetimeMs: hour, expiresAtMs: startMs + hour })
  const next = applyGrant(before, { ...grantOf('access-2'), scopes: [] }, startMs + hour)
  t.match(next, { lifetimeMs: hour, expiresAtMs: startMs + 2 * hour, renewAtMs: startMs + 2 * hour - minute, scopes: ['read'] })
  t.match(applyGrant(next, grantOf('access-3', undefined, minute), startMs), { lifetimeMs: minute, expiresAtMs: startMs + minute })
})

t.test('a refresh keeps the account, whatever its token response says', async t => {
  const before = connectionWith({ account: 'Acme Inc.', accountId: '7' })
  for (const grant of [grantOf('access-2'), { ...grantOf('access-2'), account: 'Other', accountId: '8' }])
    t.match(applyGrant(before, grant, startMs), { account: 'Acme Inc.', accountId: '7' })
})

t.test('SEC-12: a refresh changes only what its token response contains', async t => {
  const before = connectionWith({
    scopes: ['read', 'write'],
    account: 'Acme Inc.',
    expiresAtMs: startMs,
    renewAtMs: startMs - minute,
    backoff: { failures: 3, retryAtMs: startMs, failingSinceMs: startMs }
  })
  const unchanged = { id: 'acme-1', provider: 'acme', method: 'oauth2', status: 'connected', account: 'Acme Inc.', connectedAtMs: startMs }
  t.strictSame(revealSecrets(applyGrant(before, grantOf('access-2'), startMs + hour)), {
    ...unchanged,
    scopes: ['read', 'write'],
    credential: 'access-2',
    refreshToken: 'refresh-1'
  })
  t.strictSame(revealSecrets(applyGrant(before, { ...grantOf('access-2', 'refresh-2', hour), scopes: ['read'] }, startMs + hour)), {
    ...unchanged,
    scopes: ['read'],
    credential: 'access-2',
    refreshToken: 'refresh-2',
    lifetimeMs: hour,
    expiresAtMs: startMs + 2 * hour,
    renewAtMs: startMs + 2 * hour - minute
  })
})

const lifetimes = [
  { lifetimeMs: hour, afterSignInMs: hour - minute, afterRefreshMs: hour - minute },
  { lifetimeMs: 2 * minute, afterSignInMs: minute, afterRefreshMs: minute },
  { lifetimeMs: 90 * second, afterSignInMs: 30 * second, afterRefreshMs: 45 * second },
  { lifetimeMs: minute, afterSignInMs: 0, afterRefreshMs: 30 * second },
  { lifetimeMs: 30 * second, afterSignInMs: -30 * second, afterRefreshMs: 15 * second }
]

t.test('a new token is renewed a minute before it expires', async t => {
  for (const { lifetimeMs, afterSignInMs } of lifetimes) {
    const { renewAtMs } = connectionFromGrant(grantOf('a', 'r', lifetimeMs), 'acme', [], startMs)
    t.equal(renewAtMs, startMs + afterSignInMs, `${lifetimeMs} ms`)
  }
})

t.test('a refreshed token of under two minutes is renewed at half its lifetime', async t => {
  for (const { lifetimeMs, afterRefreshMs } of lifetimes) {
    const { renewAtMs } = applyGrant(connectionWith(), grantOf('a', 'r', lifetimeMs), startMs)
    t.equal(renewAtMs, startMs + afterRefreshMs, `${lifetimeMs} ms`)
  }
})

t.test('a token that is renewed with itself is renewed at half its lifetime, and is lost when it expires', async t => {
  const signedIn = connectionFromGrant(grantOf('a', 'a', 10 * hour), 'acme', [], startMs)
  t.equal(signedIn.renewAtMs, startMs + 5 * hour)
  t.equal(reconnectDueMs(signedIn), startMs + 10 * hour)
  const refreshed = applyGrant(signedIn, grantOf('b', 'b', 20 * hour), startMs + 5 * hour)
  t.match(refreshed, { renewAtMs: startMs + 15 * hour, expiresAtMs: startMs + 25 * hour })
  t.equal(reconnectDueMs(connectionFromGrant(grantOf('a', 'r', hour), 'acme', [], startMs)), undefined)
})

t.test('a grant may say when it ends instead of how long it lasts', async t => {
  const until = (expiresAtMs: number) => connectionFromGrant({ ...grantOf('a', 'r'), expiresAtMs }, 'acme', [], startMs)
  t.match(until(startMs + hour), { lifetimeMs: hour, expiresAtMs: startMs + hour, renewAtMs: startMs + hour - minute })
  t.equal(until(startMs - 1).expiresAtMs, undefined, 'it is over: a 401 says more')
  t.equal(until(startMs + 5000 * 24 * hour).lifetimeMs, 366 * 24 * hour, 'a year at most')
})

t.test('a key that was exchanged has its token, what renews it, and what the user has given', async t => {
  const connection = connectionFromKey(grantOf('access-1', 'the-key', hour), 'acme', { user: 'u' }, startMs)
  t.match(revealSecrets(connection), { method: 'api_key', credential: 'access-1', refreshToken: 'the-key', parameters: { user: 'u' } })
  t.equal(connection.scopes, undefined)
  t.ok(isDueForRenewal(connection, startMs + hour))
  t.notOk(needsNoRenewal(connection, startMs))
})

t.test('a connection is due and expired to the millisecond', async t => {
  const connection = connectionWith({ renewAtMs: startMs + hour - minute, expiresAtMs: startMs + hour })
  t.notOk(isDueForRenewal(connection, startMs + hour - minute - 1))
  t.ok(isDueForRenewal(connection, startMs + hour - minute))
  t.notOk(isExpired(connection, startMs + hour - 1))
  t.ok(isExpired(connection, startMs + hour))
  const { refreshToken: _, ...withoutRefresh } = connection
  t.notOk(isDueForRenewal(withoutRefresh, startMs + hour), 'no refresh token')
  t.notOk(isDueForRenewal(connectionWith(), startMs + hour), 'no lifetime')
  t.notOk(isExpired(connectionWith(), startMs + 1000 * hour), 'no lifetime')
})

t.test('a connection is idle since it was made or last used', async t => {
  const unused = connectionWith()
  t.notOk(isIdleSince(unused, startMs - 1))
  t.ok(isIdleSince(unused, startMs))
  const used = connectionWith({ lastUsedAtMs: startMs + hour })
  t.notOk(isIdleSince(used, startMs + hour - 1))
  t.ok(isIdleSince(used, startMs + hour))
  t.notOk(isIdleSince(connectionWith({ connectedAtMs: startMs + hour, lastUsedAtMs: startMs }), startMs + hour - 1), 'connected again')
})

t.test('the use of a connection is recorded once a minute at most', async t => {
  t.ok(isUseDue(connectionWith(), hour, startMs), 'never used')
  const used = connectionWith({ lastUsedAtMs: startMs })
  t.notOk(isUseDue(used, hour, startMs + minute - 1))
  t.ok(isUseDue(used, hour, startMs + minute))
  t.ok(isUseDue(used, 100 * second, startMs + 10 * second), 'ten times within a short idle limit')
})

t.test('an encoded connection decodes to the same connection', async t => {
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
    t.strictSame(revealSecrets(decoded), revealSecrets(connection))
    t.type(decoded.credential, Secret)
    t.type(decoded.refreshToken, Secret)
  }
  const { refreshToken: _, ...without } = connectionWith()
  t.notOk('refreshToken' in decodeConnection(encodeConnection(without)))
})

import t from 'tap'
import type { Connection } from '../../src/core/connection.ts'
import { describe, describeConnections } from '../../src/core/connection-view.ts'
import { Secret } from '../../src/core/secret.ts'
import { newSession } from '../../src/core/session.ts'
import { connectionWith, hour, providerWith, startMs } from './support.ts'

const connectUrl = 'https://connect.example.com/auth/acme'
const version = Buffer.alloc(0)

t.test('a connection is shown with everything but its secrets', async t => {
  const connection: Connection = connectionWith({
    credential: new Secret('canary-access'),
    refreshToken: new Secret('canary-refresh'),
    scopes: ['read'],
    account: 'Acme Inc.',
    expiresAtMs: startMs + hour,
    renewAtMs: startMs,
    backoff: { failures: 1, notBeforeMs: startMs }
  })
  const view = describe(providerWith(), { connection, lastUsedMs: startMs + 1, connectUrl })
  const { methods, ...rest } = view
  t.strictSame(rest, {
    provider: 'acme',
    title: 'Acme',
    status: 'connected',
    method: 'oauth2',
    account: 'Acme Inc.',
    scopes: ['read'],
    connectedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T01:00:00.000Z',
    lastUsedAt: '2026-01-01T00:00:00.001Z',
    connectUrl
  })
  t.ok(methods.includes('oauth2'))
  t.notMatch(JSON.stringify(view), /canary|redacted|backoff/)
})

t.test('what is not known is not shown', async t => {
  const { methods: _, ...rest } = describe(providerWith(), { connection: connectionWith({ status: 'reconnect_required' }), connectUrl })
  t.strictSame(rest, {
    provider: 'acme',
    title: 'Acme',
    status: 'reconnect_required',
    method: 'oauth2',
    connectedAt: '2026-01-01T00:00:00.000Z',
    connectUrl
  })
  const { methods: _1, ...none } = describe(providerWith(), { connectUrl })
  t.strictSame(none, { provider: 'acme', title: 'Acme', status: 'disconnected', connectUrl })
})

t.test('every provider on offer is shown in its order, connected or not, and no other', async t => {
  const providers = new Map(
    ['umbrella', 'acme'].map(name => [name, { definition: providerWith({ name, title: name }), trustedOrigins: [] }])
  )
  const held = {
    session: { value: { ...newSession('owner', startMs), lastUsedMs: { acme: startMs, gone: startMs } }, version },
    connections: new Map(['acme', 'gone'].map(provider => [provider, { value: connectionWith({ provider }), version }]))
  }
  const show = (of: typeof held | undefined) =>
    describeConnections(providers, of, name => `/auth/${name}`).map(({ provider, status, lastUsedAt, connectUrl }) => [
      provider,
      status,
      lastUsedAt,
      connectUrl
    ])
  t.strictSame(show(held), [
    ['umbrella', 'disconnected', undefined, '/auth/umbrella'],
    ['acme', 'connected', '2026-01-01T00:00:00.000Z', '/auth/acme']
  ])
  t.strictSame(show(undefined), [
    ['umbrella', 'disconnected', undefined, '/auth/umbrella'],
    ['acme', 'disconnected', undefined, '/auth/acme']
  ])
})

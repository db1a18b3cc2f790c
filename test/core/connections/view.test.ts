import t from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { ConnectionKey } from '../../../src/core/connections/connection-key.ts'
import { connectionView, connectionViews } from '../../../src/core/connections/view.ts'
import type { Provider, ProviderSettings } from '../../../src/core/provider/definition.ts'
import { Secret } from '../../../src/core/secret.ts'
import { OwnedConnections } from '../../../src/core/vault/owned-connections.ts'
import { apiKeyWith, connectionWith, hour, keyOf, oauth2With, providerWith, startMs } from '../support.ts'

const publicUrl = 'https://connect.example.com'
const connectUrl = 'https://connect.example.com/auth/acme'
const client = { id: 'id', secret: new Secret('secret'), scopes: [] }
const settingsWith = (overrides: Partial<Provider> = {}): ProviderSettings => ({
  definition: providerWith(overrides),
  client,
  trustedOrigins: []
})

t.test('a view of a connection has everything but its secrets', async t => {
  const connection: Connection = connectionWith({
    credential: new Secret('canary-access'),
    refreshToken: new Secret('canary-refresh'),
    scopes: ['read'],
    account: 'Acme Inc.',
    expiresAtMs: startMs + hour,
    renewAtMs: startMs,
    lastUsedAtMs: startMs + 1,
    backoff: { failures: 1, retryAtMs: startMs, failingSinceMs: startMs }
  })
  const view = connectionView(settingsWith(), { connection, publicUrl })
  const { methods, ...rest } = view
  t.strictSame(rest, {
    id: 'acme-1',
    provider: 'acme',
    title: 'Acme',
    status: 'connected',
    method: 'oauth2',
    account: 'Acme Inc.',
    isDefault: true,
    scopes: ['read'],
    connectedAt: '2026-01-01T00:00:00.000Z',
    expiresAt: '2026-01-01T01:00:00.000Z',
    lastUsedAt: '2026-01-01T00:00:00.001Z',
    failingSince: '2026-01-01T00:00:00.000Z',
    apiUrls: ['https://api.acme.example/v1'],
    connectUrl
  })
  t.ok(methods.includes('oauth2'))
  t.notMatch(JSON.stringify(view), /canary|redacted|backoff/)
})

t.test('a view leaves out what is not known', async t => {
  const { methods: _, ...rest } = connectionView(settingsWith(), {
    connection: connectionWith({ status: 'reconnect_required' }),
    publicUrl
  })
  t.strictSame(rest, {
    id: 'acme-1',
    provider: 'acme',
    title: 'Acme',
    status: 'reconnect_required',
    method: 'oauth2',
    isDefault: true,
    connectedAt: '2026-01-01T00:00:00.000Z',
    apiUrls: ['https://api.acme.example/v1'],
    connectUrl
  })
  const { methods: _1, ...none } = connectionView(settingsWith(), { publicUrl })
  t.strictSame(none, { provider: 'acme', title: 'Acme', status: 'disconnected', connectUrl })
})

t.test('the API’s base URLs are normalized as a browser does it', async t => {
  const apiUrlsOf = (api: Provider['api']) => connectionView(settingsWith({ api }), { connection: connectionWith(), publicUrl }).apiUrls
  t.strictSame(apiUrlsOf({ baseUrl: 'https://API.acme.example:443' }), ['https://api.acme.example'])
  t.strictSame(apiUrlsOf({ baseUrl: 'https://api.acme.example/v1', linkBases: ['https://old.acme.example/v1'] }), [
    'https://api.acme.example/v1',
    'https://old.acme.example/v1'
  ])
})

t.test('the views have all configured providers in their order, and no other', async t => {
  const providers = new Map(['umbrella', 'acme'].map(name => [name, settingsWith({ name, title: name })]))
  const connections = new OwnedConnections(
    ['acme', 'gone'].map(provider => ({
      key: keyOf('owner', provider),
      value: connectionWith({ provider, lastUsedAtMs: startMs }),
      version: ''
    }))
  )
  const viewsOf = (connected: OwnedConnections | undefined) =>
    connectionViews(providers, connected, '').map(({ provider, status, lastUsedAt, connectUrl }) => [
      provider,
      status,
      lastUsedAt,
      connectUrl
    ])
  t.strictSame(viewsOf(connections), [
    ['umbrella', 'disconnected', undefined, '/auth/umbrella'],
    ['acme', 'connected', '2026-01-01T00:00:00.000Z', '/auth/acme']
  ])
  t.strictSame(viewsOf(undefined), [
    ['umbrella', 'disconnected', undefined, '/auth/umbrella'],
    ['acme', 'disconnected', undefined, '/auth/acme']
  ])
})

t.test('the views have one entry an account, the default one first', async t => {
  const providers = new Map([['acme', settingsWith()]])
  const accounts = ['first', 'second', 'third'].map((id, i) => ({
    key: new ConnectionKey('owner', 'acme', i === 0 ? '' : id),
    value: connectionWith({ id, account: `${id}@acme.example`, connectedAtMs: startMs + i }),
    version: ''
  }))
  const views = connectionViews(providers, new OwnedConnections(accounts, new Map([['acme', 'second']])), publicUrl)
  t.strictSame(
    views.map(({ provider, id, account, isDefault }) => [provider, id, account, isDefault]),
    [
      ['acme', 'second', 'second@acme.example', true],
      ['acme', 'first', 'first@acme.example', false],
      ['acme', 'third', 'third@acme.example', false]
    ]
  )
})

t.test('connect methods are OAuth with a client, then keys by the definition', async t => {
  const apiKey = apiKeyWith({ in: 'basic' })
  const methodsAndUrl = (methods: Provider['methods'], hasClient = true) => {
    const { client: _, ...withoutClient } = settingsWith({ methods })
    const view = connectionView(hasClient ? settingsWith({ methods }) : withoutClient, { publicUrl })
    return [view.methods, view.connectUrl]
  }
  t.strictSame(methodsAndUrl({ oauth2: oauth2With(), apiKey }), [['oauth2', 'api_key'], `${publicUrl}/connect/acme`])
  t.strictSame(methodsAndUrl({ oauth2: oauth2With(), apiKey }, false), [['api_key'], `${publicUrl}/connect/acme`])
  t.strictSame(methodsAndUrl({ oauth2: oauth2With() }), [['oauth2'], connectUrl])
})

const parameter = { title: 'A', example: 'a' }
const asking = {
  parameters: { shop: parameter, tenant: { ...parameter, operator: true } },
  methods: {
    oauth2: oauth2With(),
    apiKey: {
      ...apiKeyWith({ in: 'basic' }),
      fields: { email: parameter, pin: { ...parameter, secret: true }, key: { ...parameter, secret: true } }
    }
  }
}

t.test('a view has what the user has given, secrets and what was not asked excepted', async t => {
  const given = { shop: 'acme', email: 'ada@example.com', pin: 'canary', key: 'canary', tenant: 'canary', gone: 'canary' }
  const parametersOf = (method: Connection['method'], parameters = given) =>
    connectionView(settingsWith(asking), { connection: connectionWith({ method, parameters }), publicUrl }).parameters
  t.strictSame(parametersOf('api_key'), { shop: 'acme', email: 'ada@example.com' })
  t.strictSame(parametersOf('oauth2'), { shop: 'acme' }, 'a field of a key that now is something else')
  t.strictSame(connectionView(settingsWith(), { connection: connectionWith({ parameters: given }), publicUrl }).parameters, undefined)
})

t.test('users who are asked for something connect on our page', async t => {
  const urlOf = (parameters: Provider['parameters']) => connectionView(settingsWith(parameters && { parameters }), { publicUrl }).connectUrl
  t.equal(urlOf({ shop: parameter }), 'https://connect.example.com/connect/acme')
  t.equal(urlOf({ region: { ...parameter, default: 'eu' } }), 'https://connect.example.com/connect/acme', 'where there is a default, too')
  t.equal(urlOf({ tenant: { ...parameter, operator: true } }), connectUrl)
  t.equal(urlOf(undefined), connectUrl)
})

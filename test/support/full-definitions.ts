import type { Provider } from '../../src/core/provider/definition.ts'

const help = { steps: ['Open Settings.'], plan: 'Pro' }
const sources: Provider['sources'] = [
  { facts: 'API base, OAuth, revoke, key', confidence: 'guide', from: 'https://docs.acme.com', checked: '2026-11-28' }
]

/** Sound definitions that together have every field that there is, for tests that must not forget one. */
export const fullDefinitions: readonly Provider[] = [
  {
    name: 'acme',
    title: 'Acme',
    description: 'Orders and customers',
    color: '#0a7d55',
    logo: 'M2 2h20v20H2z',
    docsUrl: 'https://docs.acme.com/api#start',
    parameters: {
      shop: { title: 'Shop', example: 'my-shop', hint: 'The first part of its address.', pattern: '[a-z0-9\\-]+', suffix: '.acme.com' },
      region: { title: 'Region', example: 'eu', oneOf: { eu: 'Europe', us: 'United States' }, default: 'eu' },
      developer_token: { title: 'Token', example: 'abc', secret: true, verbatim: true, operator: true }
    },
    api: {
      baseUrl: 'https://{shop}.acme.com/v1',
      bases: { files: 'https://files.acme.com', lists: { url: 'https://lists.acme.com', placements: [{ in: 'query', name: 'token' }] } },
      linkBases: ['https://old.acme.com'],
      redirectHosts: ['files.acme.com', '*.s3.amazonaws.com'],
      headers: { 'x-region': '{region}', 'developer-token': '{developer_token}' },
      query: { version: '2' },
      refusals: [{ pointer: '/error', oneOf: ['token_expired', 7], statuses: [200] }],
      methods: ['GET', 'POST'],
      methodOverride: true,
      paths: ['/orders'],
      maxBodyBytes: 1000,
      maxHeaderBytes: 1000,
      timeoutMs: 1000,
      idleTimeoutMs: { upload: 1000, download: 1000 },
      maxConcurrentRequestsPerSession: 5,
      maxConcurrentRequests: 50,
      rateLimit: { header: 'retry-after', unit: 'seconds' }
    },
    methods: {
      oauth2: {
        authorizeUrl: 'https://{shop}.acme.com/authorize',
        tokenUrl: 'https://{shop}.acme.com/token',
        refreshUrl: 'https://{shop}.acme.com/refresh',
        revokeUrl: 'https://{shop}.acme.com/revoke',
        upgradeRequest: {
          url: 'https://{shop}.acme.com/upgrade',
          method: 'GET',
          format: 'query',
          params: { token: '{access_token}' },
          headers: { accept: 'application/json' },
          basic: { username: '{client_id}', password: '{client_secret}' }
        },
        revocation: 'token',
        issuer: 'https://{shop}.acme.com',
        scopes: ['orders:read'],
        scopeSeparator: ',',
        scopeParameter: 'user_scope',
        scopeTexts: { 'orders:read': 'see orders' },
        clientAuthentication: 'private_key_jwt',
        clientAssertion: {
          algorithm: 'ES256',
          keyId: '{developer_token}',
          issuer: '{client_id}',
          audience: 'https://acme.com',
          asSecret: true
        },
        clientIdParameter: 'client_key',
        clientSecretParameter: 'client_password',
        pkce: false,
        responseMode: 'form_post',
        tokenRequestFormat: 'json',
        tokenHeaders: { accept: 'application/json' },
        authorizeParams: { prompt: 'consent' },
        tokenParams: { audience: 'api' },
        refreshParams: { audience: 'api' },
        tokenResponse: {
          accessToken: '/data/token',
          refreshToken: '/data/refresh',
          expiresIn: '/data/seconds',
          scope: '/data/scope',
          tokenType: 'acme',
          defaultExpiresIn: 3600
        },
        refreshResponse: { accessToken: '/token', expiresAt: '/until' },
        tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 'unlimited' },
        lookup: {
          path: '/sites',
          method: 'POST',
          body: { all: true },
          choose: { title: 'Site', items: '/sites', id: '/id', name: '/name' }
        },
        values: {
          site: { from: 'lookup', pointer: '/id', pattern: '[a-z0-9]+', example: 's1' },
          realm: { from: 'callback', parameter: 'realmId', oneOf: ['1', '2'], default: '1', example: '1' },
          instance: { from: 'token', pointer: '/instance', suffix: ['.acme.com', '.acme.example'], example: 'https://eu.acme.com' },
          second: { from: 'token', pointer: '/second', optional: true, secret: true, suffix: '.acme.com', example: 'x.acme.com' }
        },
        account: { from: 'lookup', id: '/id', name: ['/name', '/email'], path: '/me' },
        refusals: [{ pointer: '/code', oneOf: ['bad_token', 17, true], means: 'invalid_grant' }],
        placements: [
          { in: 'path', after: '/feed' },
          { in: 'header', name: 'authorization', prefix: 'Acme ' }
        ],
        check: { path: '/me', status: [200, 403], expect: { pointer: '/ok', equals: true } },
        help
      },
      apiKey: {
        fields: { key: { title: 'Key', example: 'k-1', secret: true }, email: { title: 'Email', example: 'ada@acme.com' } },
        placements: [
          { in: 'basic', username: '{email}/token', password: '{key}' },
          { in: 'header', name: 'x-key', value: 'Key {key}' }
        ],
        check: { url: 'https://{shop}.acme.com/check', method: 'HEAD', status: 200 },
        lookup: { url: 'https://{shop}.acme.com/me' },
        values: {
          site: { from: 'lookup', pointer: '/site', example: 's1' },
          center: { from: 'key', pattern: '.*-(us\\d+)', example: 'us1' }
        },
        keysUrl: 'https://acme.com/keys',
        account: { from: 'check', id: '/id', name: '/name' },
        help
      }
    },
    translations: {
      de: { description: 'Bestellungen', oauth2: { ...help, scopeTexts: { 'orders:read': 'Bestellungen sehen' } }, apiKey: help }
    },
    sources
  },
  {
    name: 'umbrella',
    title: 'Umbrella',
    description: 'Everything',
    color: '#000000',
    parameters: { server: { title: 'Server', example: 'erp.umbrella.com', isHost: true } },
    api: { baseUrl: 'https://{server}/api' },
    methods: {
      oauth2: {
        authorizeUrl: 'https://umbrella.com/authorize',
        tokenUrl: 'https://umbrella.com/token',
        refreshRequest: { url: 'https://umbrella.com/token', params: { token: '{access_token}' } },
        revokeRequest: { url: 'https://umbrella.com/revoke', method: 'DELETE', params: { token: '{access_token}' } },
        scopes: [],
        clientAuthentication: 'none',
        account: { from: 'lookup', id: '/id', url: 'https://umbrella.com/me' },
        help
      },
      apiKey: {
        placements: [{ in: 'query', name: 'access_token' }],
        tokenRequest: { url: 'https://umbrella.com/token', params: { key: '{key}' } },
        account: { from: 'lookup', id: '/id', path: '/me' },
        tokenResponse: { accessToken: '/token' },
        revokeRequest: { url: 'https://umbrella.com/revoke', params: { token: '{access_token}' } },
        help
      }
    },
    sources
  },
  {
    name: 'initech',
    title: 'Initech',
    description: 'Reports',
    color: '#ffffff',
    api: { baseUrl: 'https://api.initech.com' },
    methods: {
      apiKey: {
        placements: [{ in: 'basic' }],
        check: { path: '/graphql', method: 'POST', body: { query: '{ me }' }, status: 200 },
        account: { from: 'lookup', id: '/id', url: 'https://api.initech.com/me' },
        help
      }
    },
    sources
  }
]

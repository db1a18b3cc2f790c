import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'typeform',
  title: 'Typeform',
  description: 'Forms and the responses to them',
  color: '#262627',
  docsUrl: 'https://www.typeform.com/developers/',
  parameters: {
    data_center: {
      title: 'Data center',
      example: 'api.typeform.com',
      hint: 'Leave it as it is unless your company has chosen a data center in Europe.',
      oneOf: { 'api.typeform.com': 'Default', 'api.eu.typeform.com': 'Europe', 'api.typeform.eu': 'Europe for newer accounts' },
      default: 'api.typeform.com'
    }
  },
  api: { baseUrl: 'https://{data_center}' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://api.typeform.com/oauth/authorize',
      tokenUrl: 'https://api.typeform.com/oauth/token',
      scopes: ['accounts:read', 'forms:read', 'responses:read', 'offline'],
      scopeTexts: {
        'accounts:read': 'see who you are',
        'forms:read': 'see your forms',
        'forms:write': 'change your forms',
        'responses:read': 'see the responses to your forms',
        'responses:write': 'delete responses',
        'images:read': 'see your images',
        'themes:read': 'see your themes',
        'workspaces:read': 'see your workspaces',
        'webhooks:read': 'see your webhooks',
        'webhooks:write': 'change your webhooks',
        offline: 'stay connected while you are away'
      },
      clientAuthentication: 'body',
      pkce: false,
      tokens: { accessTokenLifetime: 604_800, refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/me', name: ['/alias', '/email'] },
      help: { steps: ['Typeform asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/me', status: [200, 403] },
      keysUrl: 'https://admin.typeform.com/user/tokens',
      account: { from: 'check', name: ['/alias', '/email'] },
      help: {
        steps: [
          'In Typeform, open your account and choose Personal tokens.',
          'Generate a new token and choose what it may do.',
          'Copy it and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs, access token in the Authorization header',
      confidence: 'vendor',
      from: 'https://www.typeform.com/developers/get-started/applications/',
      checked: '2026-11-28'
    },
    {
      facts: 'scopes, offline for a refresh token, /me',
      confidence: 'vendor',
      from: 'https://www.typeform.com/developers/get-started/scopes/',
      checked: '2026-11-28'
    },
    {
      facts: 'access tokens expire in 7 days by default',
      confidence: 'vendor',
      from: 'https://github.com/Typeform/js-api-client/issues/53',
      checked: '2026-11-28'
    },
    {
      facts: 'API base of each data center; the newest one has a sign-in and clients of its own, so that OAuth reaches the other two alone',
      confidence: 'clients',
      from: 'Nango and open-source clients that agree',
      checked: '2026-11-28'
    },
    { facts: 'OAuth without PKCE', confidence: 'clients', from: 'Nango, grant', checked: '2026-11-28' },
    { facts: 'page for keys, account, a refresh replaces its token', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

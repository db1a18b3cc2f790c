import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'pinterest',
  title: 'Pinterest',
  description: 'Boards and Pins, and how they do',
  color: '#bd081c',
  docsUrl: 'https://developers.pinterest.com/docs/api/v5/',
  api: { baseUrl: 'https://api.pinterest.com/v5' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.pinterest.com/oauth/',
      tokenUrl: 'https://api.pinterest.com/v5/oauth/token',
      scopes: ['user_accounts:read', 'boards:read', 'pins:read'],
      scopeSeparator: ',',
      scopeTexts: {
        'user_accounts:read': 'see your account and followers',
        'boards:read': 'see your public boards',
        'boards:read_secret': 'see your secret boards',
        'boards:write': 'change your public boards',
        'pins:read': 'see your public Pins',
        'pins:read_secret': 'see your secret Pins',
        'pins:write': 'change your public Pins',
        'ads:read': 'see your advertising data',
        'ads:write': 'change your ads',
        'catalogs:read': 'see your catalogs'
      },
      clientAuthentication: 'basic',
      tokenParams: { continuous_refresh: 'true' },
      tokens: { accessTokenLifetime: 2_592_000, refreshToken: 'rotated', refreshTokenLifetime: 5_184_000 },
      account: { from: 'lookup', path: '/user_account', id: '/id', name: ['/business_name', '/username'] },
      help: { steps: ['Pinterest asks you to sign in and to allow the access.'] }
    }
  },
  sources: [
    {
      facts:
        'API base, authorize and token URLs, Basic, form, scopes, account; continuous_refresh for a refresh token of 60 days without end',
      confidence: 'vendor',
      from: 'https://github.com/pinterest/api-description (v5/openapi.json)',
      checked: '2026-11-28'
    },
    {
      facts: 'commas between scopes, access tokens expire in 30 days',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    },
    {
      facts: 'a refresh replaces the refresh token',
      confidence: 'guide',
      from: 'the optional field in that description',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'pipedrive',
  title: 'Pipedrive',
  description: 'Deals, contacts and activities of your sales team',
  color: '#017737',
  docsUrl: 'https://developers.pipedrive.com/docs/api/v1',
  api: { baseUrl: 'https://{company}.pipedrive.com/api' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://oauth.pipedrive.com/oauth/authorize',
      tokenUrl: 'https://oauth.pipedrive.com/oauth/token',
      // Of a refresh token it uninstalls the application.
      revokeUrl: 'https://oauth.pipedrive.com/oauth/revoke',
      // Set on the operator's application, and not in the request.
      scopes: [],
      scopeTexts: {
        base: 'see your settings and the currencies of the company',
        'deals:read': 'see deals with their notes and files',
        'deals:full': 'see and change deals with their notes and files',
        'contacts:read': 'see people and organizations',
        'contacts:full': 'see and change people and organizations',
        'activities:read': 'see activities',
        'activities:full': 'see and change activities',
        'users:read': 'see the users of the company'
      },
      clientAuthentication: 'basic',
      pkce: false,
      tokens: { accessTokenLifetime: 3600, refreshTokenLifetime: 5_184_000 },
      values: {
        company: {
          from: 'token',
          pointer: '/api_domain',
          pattern: 'https:\\/\\/([a-z0-9\\-]+)\\.pipedrive\\.com',
          example: 'https://acme.pipedrive.com'
        }
      },
      account: { from: 'lookup', path: '/v1/users/me', id: '/data/company_id', name: '/data/company_name' },
      help: { steps: ['Pipedrive asks you to sign in and to choose a company.', 'Choose Allow and install.'] }
    },
    apiKey: {
      fields: {
        company: { title: 'Company domain', example: 'acme', pattern: '[a-z0-9\\-]+', suffix: '.pipedrive.com' },
        key: { title: 'API token', example: '0123456789abcdef0123456789abcdef01234567', secret: true }
      },
      placements: [{ in: 'header', name: 'x-api-token' }],
      check: { path: '/v1/users/me', status: 200 },
      keysUrl: 'https://app.pipedrive.com/settings/api',
      account: { from: 'check', id: '/data/company_id', name: '/data/company_name' },
      help: {
        steps: ['In Pipedrive, open your profile menu and choose Personal preferences.', 'Choose API, copy the token and paste it here.']
      }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, Basic, api_domain, API base, key in x-api-token, fields of the account',
      confidence: 'vendor',
      from: 'https://github.com/pipedrive/client-nodejs and https://pipedrive.readme.io/docs/app-uninstallation',
      checked: '2026-11-28'
    },
    { facts: 'scopes', confidence: 'vendor', from: 'https://pipedrive.readme.io/docs (scopes and permissions)', checked: '2026-11-28' },
    { facts: 'page for keys', confidence: 'clients', from: 'Bit Integrations and other applications', checked: '2026-11-28' },
    { facts: 'lifetimes, no PKCE', confidence: 'guide', from: 'Nango, which switches PKCE off', checked: '2026-11-28' }
  ]
})

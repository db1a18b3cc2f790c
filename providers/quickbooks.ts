import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'quickbooks',
  title: 'QuickBooks Online',
  description: 'Customers, invoices and accounts of your company',
  color: '#2ca01c',
  docsUrl: 'https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/account',
  parameters: {
    environment: {
      title: 'Environment',
      example: 'quickbooks',
      oneOf: { quickbooks: 'Companies', 'sandbox-quickbooks': 'Sandbox companies' },
      default: 'quickbooks',
      operator: true
    }
  },
  api: { baseUrl: 'https://{environment}.api.intuit.com/v3/company/{realm_id}' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://appcenter.intuit.com/connect/oauth2',
      tokenUrl: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
      revokeRequest: {
        url: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
        format: 'json',
        params: { token: '{refresh_token}' },
        basic: { username: '{client_id}', password: '{client_secret}' }
      },
      scopes: ['openid', 'com.intuit.quickbooks.accounting'],
      scopeTexts: {
        openid: 'know which company it is',
        profile: 'see your name',
        email: 'see your e-mail address',
        'com.intuit.quickbooks.accounting': 'see and change the books of your company',
        'com.intuit.quickbooks.payment': 'take payments'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 8_640_000 },
      values: { realm_id: { from: 'callback', parameter: 'realmId', pattern: '\\d{6,20}', example: '9341453474484455' } },
      account: { from: 'id_token', id: '/realmid' },
      help: { steps: ['Sign in to Intuit.', 'Choose your company and connect it.'], plan: 'Only an admin of the company can connect it.' }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, Basic and JSON for a revocation, realmId in the callback, API base, scopes',
      confidence: 'vendor',
      from: 'https://github.com/intuit/oauth-jsclient (OAuthClient.js)',
      checked: '2026-11-28'
    },
    {
      facts: 'realmid in the ID token',
      confidence: 'vendor',
      from: 'https://developer.intuit.com/.well-known/openid-sandbox-configuration',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetime of one hour; a refresh token ends after 100 days without use and after five years',
      confidence: 'vendor',
      from: 'IntuitDeveloper/OAuth2-Dotnet_UsingSDK (Tokens.md), intuit/QuickBooks-V3-Java-SDK v6.5.4',
      checked: '2026-11-28'
    },
    { facts: 'the refresh token changes about daily', confidence: 'guide', from: 'vendors of connectors', checked: '2026-11-28' }
  ]
})

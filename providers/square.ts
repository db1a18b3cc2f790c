import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'square',
  title: 'Square',
  description: 'Payments, orders and customers of your business',
  color: '#006aff',
  docsUrl: 'https://developer.squareup.com/reference/square',
  parameters: {
    environment: {
      title: 'Environment',
      example: 'squareup',
      oneOf: { squareup: 'Production', squareupsandbox: 'Sandbox' },
      default: 'squareup',
      operator: true
    }
  },
  api: { baseUrl: 'https://connect.{environment}.com/v2' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://connect.{environment}.com/oauth2/authorize',
      tokenUrl: 'https://connect.{environment}.com/oauth2/token',
      revokeRequest: {
        url: 'https://connect.{environment}.com/oauth2/revoke',
        format: 'json',
        params: { client_id: '{client_id}', access_token: '{access_token}' },
        headers: { authorization: 'Client {client_secret}' }
      },
      scopes: ['MERCHANT_PROFILE_READ', 'PAYMENTS_READ', 'ORDERS_READ'],
      scopeTexts: {
        MERCHANT_PROFILE_READ: 'see your business and its locations',
        PAYMENTS_READ: 'see payments and refunds',
        PAYMENTS_WRITE: 'take and refund payments',
        ORDERS_READ: 'see orders',
        ORDERS_WRITE: 'make and change orders',
        CUSTOMERS_READ: 'see customers',
        CUSTOMERS_WRITE: 'change customers',
        ITEMS_READ: 'see items and prices',
        INVENTORY_READ: 'see the stock',
        BANK_ACCOUNTS_READ: 'see bank accounts'
      },
      clientAuthentication: 'body',
      pkce: false,
      tokenRequestFormat: 'json',
      authorizeParams: { session: 'false' },
      tokenResponse: { expiresAt: '/expires_at' },
      tokens: { accessTokenLifetime: 2_592_000, refreshToken: 'kept', refreshTokenLifetime: 'unlimited' },
      account: { from: 'lookup', path: '/merchants/me', id: '/merchant/id', name: '/merchant/business_name' },
      help: { steps: ['Square asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/merchants/me', status: 200 },
      keysUrl: 'https://developer.squareup.com/apps',
      account: { from: 'check', id: '/merchant/id', name: '/merchant/business_name' },
      help: {
        steps: [
          'In the Square Developer Console, open your application or create one.',
          'Choose Credentials and then Production.',
          'Copy the access token and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts:
        'API base, JSON, expires_at as a date, lifetime of 30 days, refresh tokens that a refresh keeps, other ones with PKCE; page for keys',
      confidence: 'vendor',
      from: 'https://github.com/square/square-nodejs-sdk (src/environments.ts and src/api/resources/oAuth)',
      checked: '2026-11-28'
    },
    {
      facts: 'revocation with the access token and Authorization: Client, which ends all tokens of the account',
      confidence: 'vendor',
      from: 'https://github.com/square/square-nodejs-sdk (legacy/doc/api/o-auth.md)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL, session, blanks between scopes',
      confidence: 'vendor',
      from: 'https://developer.squareup.com/reference/square/o-auth-api/authorize',
      checked: '2026-11-28'
    },
    { facts: 'OAuth in the sandbox, no PKCE', confidence: 'clients', from: 'Nango; grant for no PKCE', checked: '2026-11-28' },
    { facts: 'account of /merchants/me, the other scopes', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

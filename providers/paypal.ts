import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'paypal',
  title: 'PayPal',
  description: 'Who you are at PayPal, or the orders and invoices of your business',
  color: '#003087',
  docsUrl: 'https://developer.paypal.com/api/rest/',
  parameters: {
    environment: {
      title: 'Environment',
      example: 'paypal.com',
      oneOf: { 'paypal.com': 'Live', 'sandbox.paypal.com': 'Sandbox' },
      default: 'paypal.com',
      operator: true
    }
  },
  api: { baseUrl: 'https://api-m.{environment}' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.{environment}/signin/authorize',
      tokenUrl: 'https://api-m.{environment}/v1/oauth2/token',
      scopes: ['openid', 'email'],
      scopeTexts: {
        openid: 'see which account is yours',
        email: 'see your e-mail address',
        profile: 'see your name and birthday',
        address: 'see your address'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 28_800, refreshToken: 'kept' },
      account: {
        from: 'lookup',
        path: '/v1/identity/oauth2/userinfo?schema=paypalv1.1',
        id: '/user_id',
        name: ['/name', '/emails/0/value']
      },
      help: { steps: ['PayPal asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      fields: {
        app_id: { title: 'Client ID', example: 'AYSq3RDGsmBLJE-otTkBtM', hint: 'It stands above the secret of your app.' },
        key: { title: 'Secret', example: 'EGnHDxD_qRPdaLdZz8iCr8N7', secret: true }
      },
      tokenRequest: {
        url: 'https://api-m.{environment}/v1/oauth2/token',
        params: { grant_type: 'client_credentials' },
        basic: { username: '{app_id}', password: '{key}' }
      },
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      keysUrl: 'https://developer.paypal.com/dashboard/applications/',
      help: {
        steps: [
          'In the PayPal Developer Dashboard, open Apps & Credentials.',
          'Choose Live and open your app or create one.',
          'Copy the client ID and the secret and paste them here.'
        ],
        plan: 'Needs a business account.'
      }
    }
  },
  sources: [
    {
      facts: 'API base of both environments, token URL, client credentials for merchants',
      confidence: 'vendor',
      from: 'https://github.com/paypal/paypal-rest-api-specifications (openapi/invoicing_v2.json)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL of the sandbox, scopes openid, email, profile and address, blanks between them',
      confidence: 'vendor',
      from: 'https://developer.paypal.com/docs/integration/paypal-here/merchant-onboarding/permissions/',
      checked: '2026-11-28'
    },
    { facts: 'authorize URL, Basic, account of userinfo', confidence: 'clients', from: 'Nango, better-auth', checked: '2026-11-28' },
    {
      facts: 'lifetime of 8 hours, a refresh keeps its token, keys (client ID and secret) and the page for keys',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

const account = { id: '/id', name: ['/business_profile/name', '/settings/dashboard/display_name', '/email'] } as const

export default defineProvider({
  name: 'stripe',
  title: 'Stripe',
  description: 'Payments, customers and invoices of your account',
  color: '#635bff',
  docsUrl: 'https://docs.stripe.com/api',
  api: { baseUrl: 'https://api.stripe.com', bases: { files: 'https://files.stripe.com' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://connect.stripe.com/oauth/authorize',
      tokenUrl: 'https://connect.stripe.com/oauth/token',
      revokeRequest: {
        url: 'https://connect.stripe.com/oauth/deauthorize',
        params: { client_id: '{client_id}', stripe_user_id: '{stripe_user_id}' },
        headers: { authorization: 'Bearer {client_secret}' }
      },
      scopes: ['read_only'],
      scopeTexts: { read_only: 'see everything in your Stripe account', read_write: 'see and change everything in your Stripe account' },
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'kept' },
      values: {
        stripe_user_id: { from: 'token', pointer: '/stripe_user_id', pattern: 'acct_[A-Za-z0-9]+', example: 'acct_1On1GfAemfaBCd0e' }
      },
      account: { from: 'lookup', path: '/v1/account', ...account },
      help: { steps: ['Choose your Stripe account and connect it.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/v1/account', status: [200, 403] },
      keysUrl: 'https://dashboard.stripe.com/apikeys',
      account: { from: 'check', ...account },
      help: {
        steps: [
          'In Stripe, open Developers and then API keys.',
          'Create a restricted key with the permissions that are needed.',
          'Copy the key and paste it here.'
        ],
        plan: 'With the permission to read Connect the name of the account is shown.'
      }
    }
  },
  sources: [
    {
      facts: 'OAuth: authorize and token URLs, deauthorize to revoke, API base',
      confidence: 'vendor',
      from: 'https://github.com/stripe/stripe-node (OAuth.ts), https://docs.stripe.com/connect/oauth-standard-accounts.md',
      checked: '2026-11-28'
    },
    {
      facts: 'fields of the response, scopes, the secret API key as client secret and Bearer of deauthorize; restricted keys',
      confidence: 'clients',
      from: 'Nango, simov/grant, stripity_stripe, open-source apps',
      checked: '2026-11-28'
    },
    {
      facts: 'page for keys, account and its fields, 403 for a restricted key, lifetime of tokens',
      confidence: 'guide',
      from: 'catalogues, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

const shop = {
  path: '/2026-01/graphql.json',
  method: 'POST',
  body: { query: '{ shop { id name } }' }
} as const

export default defineProvider({
  name: 'shopify',
  title: 'Shopify',
  description: 'Products, orders and customers of your shop',
  color: '#5e8e3e',
  docsUrl: 'https://shopify.dev/docs/api/admin-graphql',
  parameters: {
    shop: {
      title: 'Shop',
      example: 'my-shop',
      hint: 'The name in the address of your admin pages.',
      pattern: '[a-z0-9][a-z0-9\\-]*',
      suffix: '.myshopify.com'
    }
  },
  api: { baseUrl: 'https://{shop}.myshopify.com/admin/api' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://{shop}.myshopify.com/admin/oauth/authorize',
      tokenUrl: 'https://{shop}.myshopify.com/admin/oauth/access_token',
      scopes: ['read_products'],
      scopeSeparator: ',',
      scopeTexts: {
        read_products: 'see products',
        write_products: 'make and change products',
        read_orders: 'see orders of the last 60 days',
        write_orders: 'make and change orders',
        read_all_orders: 'see all orders',
        read_customers: 'see customers',
        write_customers: 'make and change customers',
        read_inventory: 'see the inventory',
        write_inventory: 'change the inventory'
      },
      clientAuthentication: 'body',
      tokenParams: { expiring: '1' },
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 7_776_000 },
      placements: [{ in: 'header', name: 'x-shopify-access-token' }],
      lookup: shop,
      account: { from: 'lookup', id: '/data/shop/id', name: '/data/shop/name' },
      help: { steps: ['Type the name of your shop.', 'Shopify asks you to install the app.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'x-shopify-access-token' }],
      check: { ...shop, status: 200, expect: { pointer: '/data/shop/id' } },
      account: { from: 'check', id: '/data/shop/id', name: '/data/shop/name' },
      help: {
        steps: ['Open the custom app of your shop and its API credentials.', 'Copy the Admin API access token and paste it here.'],
        plan: 'Only for custom apps that were made in the admin pages of the shop.'
      }
    }
  },
  sources: [
    {
      facts: 'expiring tokens: expiring, lifetime of 60 minutes, a refresh replaces the refresh token; X-Shopify-Access-Token',
      confidence: 'vendor',
      from: 'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens (and offline-access-tokens), Shopify/shopify-app-php#12',
      checked: '2026-11-28'
    },
    {
      facts: 'OAuth: authorize and token URLs, client authentication in the body, commas between scopes, API base; keys in the same header',
      confidence: 'clients',
      from: 'Nango, simov/grant, Shopify/shopify-api-js',
      checked: '2026-11-28'
    },
    {
      facts: '90 days of lifetime of a refresh token',
      confidence: 'clients',
      from: 'tests of two open-source apps',
      checked: '2026-11-28'
    },
    { facts: 'the shop by GraphQL, where users find a key', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

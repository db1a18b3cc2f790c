import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'mailchimp',
  title: 'Mailchimp',
  description: 'Audiences, campaigns and their reports',
  color: '#ffe01b',
  docsUrl: 'https://mailchimp.com/developer/marketing/api/',
  api: { baseUrl: 'https://{dc}.api.mailchimp.com/3.0' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://login.mailchimp.com/oauth2/authorize',
      tokenUrl: 'https://login.mailchimp.com/oauth2/token',
      // There are none: a token may do what the user may.
      scopes: [],
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'none' },
      lookup: { url: 'https://login.mailchimp.com/oauth2/metadata' },
      values: { dc: { from: 'lookup', pointer: '/dc', pattern: '[a-z]{2,4}[0-9]{1,3}', example: 'us6' } },
      account: { from: 'lookup', path: '/?fields=account_id,account_name', id: '/account_id', name: '/account_name' },
      help: {
        steps: ['Mailchimp asks you to sign in and to allow the access.'],
        plan: 'You must be a manager, an admin or the owner of the account.'
      }
    },
    apiKey: {
      placements: [{ in: 'basic', username: 'user', password: '{key}' }],
      check: { path: '/?fields=account_id,account_name', status: 200 },
      // The data center of the account is the end of each key.
      values: { dc: { from: 'key', pattern: '.+-([a-z]{2,4}[0-9]{1,3})', example: '0123456789abcdef0123456789abcdef-us6' } },
      keysUrl: 'https://admin.mailchimp.com/account/api/',
      account: { from: 'check', id: '/account_id', name: '/account_name' },
      help: {
        steps: [
          'In Mailchimp, choose your profile, then Extras and API keys.',
          'Choose Create A Key and give it a name.',
          'Copy the key with its end, such as -us6, and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs, client authentication, request for the data center',
      confidence: 'clients',
      from: 'Auth.js, n8n and Nango',
      checked: '2026-11-28'
    },
    {
      facts: 'API base, Bearer for tokens, Basic with any user-id for keys',
      confidence: 'vendor',
      from: 'https://github.com/mailchimp/mailchimp-marketing-node',
      checked: '2026-11-28'
    },
    {
      facts: 'who may allow the access; one token for each account and application',
      confidence: 'vendor',
      from: 'https://mailchimp.com/developer/release-notes/scheduled/',
      checked: '2026-11-28'
    },
    {
      facts: 'data center at the end of a key, page for keys',
      confidence: 'clients',
      from: 'Airbyte, plugins for WordPress',
      checked: '2026-11-28'
    },
    { facts: 'lifetimes, no scopes', confidence: 'guide', from: 'https://docs.unified.to (Mailchimp)', checked: '2026-11-28' },
    { facts: 'fields of the root resource', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

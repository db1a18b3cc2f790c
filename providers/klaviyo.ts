import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'klaviyo',
  title: 'Klaviyo',
  description: 'Profiles, lists and campaigns by email and SMS',
  color: '#232426',
  docsUrl: 'https://developers.klaviyo.com/en/reference/api_overview',
  api: { baseUrl: 'https://a.klaviyo.com/api', headers: { revision: '2026-10-15' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.klaviyo.com/oauth/authorize',
      tokenUrl: 'https://a.klaviyo.com/oauth/token',
      // Uninstalls the application from the account.
      revokeUrl: 'https://a.klaviyo.com/oauth/revoke',
      scopes: ['accounts:read', 'profiles:read'],
      scopeTexts: {
        'accounts:read': 'see the name and settings of your account',
        'profiles:read': 'see profiles of people',
        'profiles:write': 'add and change profiles of people',
        'lists:read': 'see lists and who is on them',
        'lists:write': 'change lists and who is on them',
        'segments:read': 'see segments',
        'campaigns:read': 'see campaigns',
        'campaigns:write': 'make and change campaigns',
        'events:read': 'see what people did',
        'events:write': 'record what people did',
        'metrics:read': 'see metrics'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 3600, refreshTokenLifetime: 7_776_000 },
      account: { from: 'lookup', path: '/accounts', id: '/data/0/id', name: '/data/0/attributes/contact_information/organization_name' },
      // So the vendor names a refresh token that has ended, besides invalid_grant.
      refusals: [{ pointer: '/error', oneOf: ['invalid_grant_type'], means: 'invalid_grant' }],
      help: {
        steps: ['Klaviyo asks you to sign in and to allow the access.'],
        plan: 'You must be an owner, an admin or a manager of the account.'
      }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Klaviyo-API-Key ' }],
      // A key may lack the scope for this request.
      check: { path: '/accounts', status: [200, 403] },
      keysUrl: 'https://www.klaviyo.com/settings/account/api-keys',
      account: { from: 'check', id: '/data/0/id', name: '/data/0/attributes/contact_information/organization_name' },
      help: {
        steps: [
          'In Klaviyo, open Settings and then API keys.',
          'Choose Create Private API Key, give it a name and choose what it may do.',
          'Copy the key and paste it here.'
        ],
        plan: 'Only an owner, an admin or a manager can make a key.'
      }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, PKCE, API base, revision, refusals, key in the Authorization header, who can make a key',
      confidence: 'vendor',
      from: 'https://developers.klaviyo.com/en/docs (set_up_oauth, troubleshoot_oauth_errors, authenticate_, retrieve-api-credentials)',
      checked: '2026-11-28'
    },
    {
      facts: 'Basic, what a revocation does, fields of the account',
      confidence: 'vendor',
      from: 'https://github.com/klaviyo/klaviyo-api-node and https://github.com/klaviyo-labs/node-integration-example',
      checked: '2026-11-28'
    },
    { facts: 'scopes, page for keys', confidence: 'clients', from: 'Alter Vault, authsome, applications on GitHub', checked: '2026-11-28' },
    { facts: 'lifetimes', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

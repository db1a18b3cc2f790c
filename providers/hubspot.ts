import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'hubspot',
  title: 'HubSpot',
  description: 'Contacts, companies and deals in your CRM',
  color: '#ff7a59',
  docsUrl: 'https://developers.hubspot.com/docs/api-reference/overview',
  api: { baseUrl: 'https://api.hubapi.com' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.hubspot.com/oauth/authorize',
      tokenUrl: 'https://api.hubapi.com/oauth/2026-03/token',
      revokeUrl: 'https://api.hubapi.com/oauth/2026-03/token/revoke',
      scopes: ['oauth', 'crm.objects.contacts.read'],
      scopeTexts: {
        oauth: 'know which HubSpot account it is',
        'crm.objects.contacts.read': 'see contacts',
        'crm.objects.contacts.write': 'make and change contacts',
        'crm.objects.companies.read': 'see companies',
        'crm.objects.companies.write': 'make and change companies',
        'crm.objects.deals.read': 'see deals',
        'crm.objects.deals.write': 'make and change deals',
        'crm.objects.owners.read': 'see who owns a record',
        tickets: 'see and change tickets',
        content: 'see and change pages and e-mails'
      },
      clientAuthentication: 'body',
      refusals: [{ pointer: '/status', oneOf: ['BAD_REFRESH_TOKEN', 'BAD_AUTH_CODE'], means: 'invalid_grant' }],
      tokens: { accessTokenLifetime: 1800, refreshToken: 'kept' },
      account: { from: 'lookup', path: '/account-info/2026-03/details', id: '/portalId', name: '/portalName' },
      help: { steps: ['Choose your account in HubSpot and allow the access.'], plan: 'Needs the permission to install apps.' }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/account-info/2026-03/details', status: [200, 403] },
      account: { from: 'check', id: '/portalId', name: '/portalName' },
      help: {
        steps: [
          'In HubSpot, a super admin opens Development and then Keys.',
          'Make a service key with the permissions that are needed.',
          'Copy the key and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'token and revoke URLs of the API version 2026-03, form, client authentication in the body, code_verifier; API base',
      confidence: 'vendor',
      from: 'https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens/refresh-oauth-token, …/revoke-token',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL; account details with the scope oauth; service keys and tokens of private apps',
      confidence: 'vendor',
      from: 'https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide, …/account/account-information/guide',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetime of 30 minutes, refresh keeps the refresh token, BAD_REFRESH_TOKEN',
      confidence: 'guide',
      from: 'catalogues of integrations',
      checked: '2026-11-28'
    },
    { facts: 'where users find a key', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

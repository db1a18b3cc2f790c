import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'airtable',
  title: 'Airtable',
  description: 'Bases, their tables and the records in them',
  color: '#18bfff',
  docsUrl: 'https://airtable.com/developers/web/api/introduction',
  api: { baseUrl: 'https://api.airtable.com/v0', bases: { content: 'https://content.airtable.com/v0' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://airtable.com/oauth2/v1/authorize',
      tokenUrl: 'https://airtable.com/oauth2/v1/token',
      scopes: ['schema.bases:read', 'data.records:read'],
      scopeTexts: {
        'schema.bases:read': 'see how your bases are built',
        'schema.bases:write': 'change how your bases are built',
        'data.records:read': 'see records',
        'data.records:write': 'add and change and delete records',
        'data.recordComments:read': 'see comments on records',
        'data.recordComments:write': 'write and delete comments on records',
        'user.email:read': 'see your email address',
        'webhook:manage': 'be told of changes in your bases'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 5_184_000 },
      account: { from: 'lookup', path: '/meta/whoami', id: '/id', name: '/email' },
      help: { steps: ['Airtable asks you which bases and workspaces to share.', 'Choose them and grant the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/meta/whoami', status: 200 },
      keysUrl: 'https://airtable.com/create/tokens',
      account: { from: 'check', id: '/id', name: '/email' },
      help: {
        steps: [
          'In Airtable, open the Builder Hub and choose Personal access tokens.',
          'Choose Create new token and give it a name.',
          'Add the scopes and the bases that it may reach.',
          'Create the token and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs, PKCE is required, scopes joined by blanks, Basic for clients with a secret',
      confidence: 'vendor',
      from: 'https://airtable.com/developers/web/api/oauth-reference and https://github.com/Airtable/oauth-example',
      checked: '2026-11-28'
    },
    {
      facts: 'API base, request that names the user of a token, what each scope allows',
      confidence: 'vendor',
      from: 'https://airtable.com/developers/web/api/get-user-id-scopes and https://airtable.com/developers/web/api/scopes',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetimes, rotation',
      confidence: 'guide',
      from: 'https://www.nango.dev/blog/airtable-oauth-refresh-token-invalid-grant',
      checked: '2026-11-28'
    },
    { facts: 'page for keys, host for attachments', confidence: 'clients', from: 'n8n, Dust, code on GitHub', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'asana',
  title: 'Asana',
  description: 'Tasks and projects that you can see',
  color: '#f06a6a',
  docsUrl: 'https://developers.asana.com/reference/rest-api-reference',
  api: { baseUrl: 'https://app.asana.com/api/1.0', rateLimit: { header: 'retry-after', unit: 'seconds' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.asana.com/-/oauth_authorize',
      tokenUrl: 'https://app.asana.com/-/oauth_token',
      revokeUrl: 'https://app.asana.com/-/oauth_revoke',
      // An app with full permissions has the scope default instead, and no other.
      scopes: ['users:read', 'workspaces:read', 'projects:read', 'tasks:read'],
      scopeTexts: {
        'users:read': 'see who the people in your workspaces are',
        'workspaces:read': 'see your workspaces',
        'projects:read': 'see projects',
        'projects:write': 'make and change projects',
        'tasks:read': 'see tasks',
        'tasks:write': 'make and change tasks',
        'tasks:delete': 'delete tasks',
        'teams:read': 'see teams',
        'goals:read': 'see goals',
        'attachments:read': 'see attachments',
        'attachments:write': 'add attachments',
        default: 'see and change everything that you can'
      },
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 3600, refreshToken: 'kept' },
      account: { from: 'token', id: '/data/gid', name: ['/data/name', '/data/email'] },
      help: { steps: ['Asana asks you to sign in and to allow the access.'], plan: 'An admin may have to allow the app first.' }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/users/me', status: 200 },
      keysUrl: 'https://app.asana.com/0/my-apps',
      account: { from: 'check', id: '/data/gid', name: ['/data/name', '/data/email'] },
      help: {
        steps: ['In Asana, open the developer console.', 'Create a personal access token.', 'Copy the token and paste it here.']
      }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, Bearer tokens',
      confidence: 'vendor',
      from: 'https://developers.asana.com/docs/oauth',
      checked: '2026-11-28'
    },
    { facts: 'names of scopes', confidence: 'vendor', from: 'https://developers.asana.com/docs/oauth-scopes', checked: '2026-11-28' },
    {
      facts: 'API base, client authentication in the body, lifetime of one hour, fields of the token response, account at /users/me',
      confidence: 'clients',
      from: 'Nango, simov/grant, open-source apps',
      checked: '2026-11-28'
    },
    {
      facts: 'page for keys, a refresh keeps the refresh token, the scope default excludes others, retry-after',
      confidence: 'guide',
      from: 'unified.to, catalogues',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'figma',
  title: 'Figma',
  description: 'Design files, comments and libraries',
  color: '#f24e1e',
  docsUrl: 'https://developers.figma.com/docs/rest-api/',
  api: {
    baseUrl: 'https://api.figma.com',
    // A token that has ended is a 403, as a missing scope is.
    refusals: [
      { pointer: '/err', oneOf: ['Invalid token', 'Token expired'], statuses: [403] },
      { pointer: '/message', oneOf: ['Invalid token', 'Token expired'], statuses: [403] }
    ]
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.figma.com/oauth',
      tokenUrl: 'https://api.figma.com/v1/oauth/token',
      refreshUrl: 'https://api.figma.com/v1/oauth/refresh',
      scopes: ['current_user:read', 'file_content:read'],
      scopeTexts: {
        'current_user:read': 'see your name and email address and picture',
        'file_content:read': 'see what is in files',
        'file_metadata:read': 'see the names and owners of files',
        'file_versions:read': 'see the history of files',
        'file_comments:read': 'see comments',
        'file_comments:write': 'write and delete comments and reactions',
        'file_dev_resources:read': 'see links for developers in files',
        'file_dev_resources:write': 'change links for developers in files',
        'file_variables:read': 'see variables in files',
        'library_content:read': 'see published components and styles of files',
        'projects:read': 'see projects and the files in them'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 7_776_000, refreshToken: 'kept' },
      account: { from: 'lookup', path: '/v1/me', id: '/id', name: ['/email', '/handle'] },
      help: { steps: ['Figma asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'x-figma-token' }],
      check: { path: '/v1/me', status: 200 },
      account: { from: 'check', id: '/id', name: ['/email', '/handle'] },
      help: {
        steps: [
          'In Figma, open Settings and then Security.',
          'Under Personal access tokens, choose Generate new token.',
          'Choose what to share, and Current user among it.',
          'Copy the token and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'authorize, token and refresh URLs, API base, scopes, key in X-Figma-Token, request that names the user',
      confidence: 'vendor',
      from: 'https://github.com/figma/rest-api-spec and https://developers.figma.com/docs/rest-api/scopes',
      checked: '2026-11-28'
    },
    { facts: 'Basic, scopes joined by blanks, PKCE', confidence: 'clients', from: 'Better Auth and Nango', checked: '2026-11-28' },
    { facts: 'refusals of the API as 403', confidence: 'clients', from: 'plugins and tools on GitHub', checked: '2026-11-28' },
    { facts: 'lifetimes, a refresh gives no new refresh token', confidence: 'guide', from: 'arctic', checked: '2026-11-28' }
  ]
})

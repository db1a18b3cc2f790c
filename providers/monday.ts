import { defineProvider } from '../src/core/provider/define-provider.ts'

const me = { path: '/v2', method: 'POST', body: { query: '{ me { id name account { name } } }' } } as const
const account = { id: '/data/me/id', name: ['/data/me/account/name', '/data/me/name'] } as const

export default defineProvider({
  name: 'monday',
  title: 'monday.com',
  description: 'Boards, items and docs of your account',
  color: '#6161ff',
  docsUrl: 'https://developer.monday.com/api-reference/',
  api: { baseUrl: 'https://api.monday.com', rateLimit: { header: 'retry-after', unit: 'seconds' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://auth.monday.com/oauth2/authorize',
      tokenUrl: 'https://auth.monday.com/oauth_ms/oauth/token',
      revokeRequest: {
        url: 'https://auth.monday.com/oauth_ms/oauth/revoke',
        format: 'json',
        params: { token: '{refresh_token}', client_id: '{client_id}', client_secret: '{client_secret}' }
      },
      scopes: ['me:read', 'boards:read'],
      scopeTexts: {
        'me:read': 'see your profile',
        'account:read': 'see the account',
        'boards:read': 'see boards and items',
        'boards:write': 'make and change boards and items',
        'docs:read': 'see docs',
        'docs:write': 'change docs',
        'assets:read': 'see files',
        'updates:read': 'see updates',
        'updates:write': 'write updates',
        'users:read': 'see who the people in the account are',
        'workspaces:read': 'see workspaces'
      },
      clientAuthentication: 'body',
      tokenRequestFormat: 'json',
      tokens: { refreshToken: 'rotated' },
      lookup: me,
      account: { from: 'lookup', ...account },
      help: { steps: ['Choose your account at monday.com and allow the access.'], plan: 'An admin may have to install the app first.' }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization' }],
      check: { ...me, status: 200, expect: { pointer: '/data/me/id' } },
      account: { from: 'check', ...account },
      help: {
        steps: [
          'At monday.com, click your picture and then Developers.',
          'Open API token and show it.',
          'Copy the token and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'OAuth 2.1: authorize and token URLs, PKCE, tokens that expire and are refreshed; the older flow and its end; names of scopes',
      confidence: 'vendor',
      from: 'https://developer.monday.com/apps/docs/oauth-2-1, …/oauth-2-0, …/oauth',
      checked: '2026-11-28'
    },
    {
      facts: 'revoke URL, JSON, client authentication in the body, no expires_in, a refresh replaces the refresh token, API base, me',
      confidence: 'clients',
      from: 'four open-source apps, airbyte',
      checked: '2026-11-28'
    },
    {
      facts: 'keys alone in Authorization, where users find one, retry-after',
      confidence: 'guide',
      from: 'catalogues, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

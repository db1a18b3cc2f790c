import { defineProvider } from '../src/core/provider/define-provider.ts'

const viewer = {
  path: '/graphql',
  method: 'POST',
  body: { query: '{ viewer { id name organization { name } } }' }
} as const
const account = { id: '/data/viewer/id', name: ['/data/viewer/organization/name', '/data/viewer/name'] } as const

export default defineProvider({
  name: 'linear',
  title: 'Linear',
  description: 'Issues, projects and teams of your workspace',
  color: '#5e6ad2',
  docsUrl: 'https://linear.app/developers/graphql',
  api: { baseUrl: 'https://api.linear.app' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://linear.app/oauth/authorize',
      tokenUrl: 'https://api.linear.app/oauth/token',
      revokeRequest: { url: 'https://api.linear.app/oauth/revoke', params: { refresh_token: '{refresh_token}' } },
      scopes: ['read'],
      scopeSeparator: ',',
      scopeTexts: {
        read: 'see issues and projects that you can see',
        write: 'change issues and projects that you can change',
        'issues:create': 'make issues',
        'comments:create': 'comment issues',
        'timeSchedule:write': 'make and change schedules',
        admin: 'change the settings of the workspace'
      },
      clientAuthentication: 'body',
      authorizeParams: { prompt: 'consent' },
      tokens: { accessTokenLifetime: 86_400, refreshToken: 'rotated' },
      lookup: viewer,
      account: { from: 'lookup', ...account },
      help: { steps: ['Choose your workspace in Linear and allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization' }],
      check: { ...viewer, status: 200, expect: { pointer: '/data/viewer/id' } },
      keysUrl: 'https://linear.app/settings/account/security',
      account: { from: 'check', ...account },
      help: {
        steps: [
          'In Linear, open Settings and then Security & access.',
          'Under Personal API keys, create a key.',
          'Copy the key and paste it here.'
        ],
        plan: 'An admin can switch off keys for members.'
      }
    }
  },
  sources: [
    {
      facts:
        'OAuth: authorize, token and revoke URLs, PKCE, commas between scopes, prompt; lifetime of 24 hours, a refresh replaces the refresh token; API base',
      confidence: 'vendor',
      from: 'https://linear.app/developers/oauth-2-0-authentication',
      checked: '2026-11-28'
    },
    {
      facts: 'page for keys, which stand alone in Authorization',
      confidence: 'clients',
      from: '@linear/sdk, linear-cli, linear-rb',
      checked: '2026-11-28'
    },
    { facts: 'organization of the viewer, who may make a key', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

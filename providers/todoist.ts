import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'todoist',
  title: 'Todoist',
  description: 'Your tasks, projects and comments',
  color: '#e44332',
  docsUrl: 'https://developer.todoist.com/api/v1/',
  api: { baseUrl: 'https://api.todoist.com/api/v1' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://todoist.com/oauth/authorize',
      tokenUrl: 'https://todoist.com/oauth/access_token',
      revokeRequest: {
        url: 'https://api.todoist.com/api/v1/revoke',
        format: 'json',
        params: { token: '{access_token}', token_type_hint: 'access_token' },
        basic: { username: '{client_id}', password: '{client_secret}' }
      },
      scopes: ['data:read'],
      scopeSeparator: ',',
      scopeTexts: {
        'data:read': 'see your tasks and projects',
        'data:read_write': 'see and change your tasks and projects',
        'data:delete': 'delete tasks and labels',
        'task:add': 'add tasks',
        'project:delete': 'delete projects',
        'backups:read': 'see your backups'
      },
      clientAuthentication: 'body',
      refusals: [
        { pointer: '/error', oneOf: ['bad_authorization_code'], means: 'invalid_grant' },
        { pointer: '/error', oneOf: ['incorrect_application_credentials'], means: 'invalid_client' }
      ],
      tokens: { refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/user', id: '/id', name: ['/full_name', '/email'] },
      check: { path: '/user', status: 200 },
      help: { steps: ['Todoist asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/user', status: 200 },
      keysUrl: 'https://app.todoist.com/app/settings/integrations/developer',
      account: { from: 'check', id: '/id', name: ['/full_name', '/email'] },
      help: {
        steps: ['In Todoist, open Settings and then Integrations.', 'Choose Developer.', 'Copy the API token and paste it here.']
      }
    }
  },
  sources: [
    {
      facts: 'error codes of the token endpoint',
      confidence: 'clients',
      from: 'open-source clients, and copies of the vendor’s documentation',
      checked: '2026-11-28'
    },
    {
      facts:
        'API base, authorize and token URLs, commas between scopes, Bearer token, account, revocation of the access token with Basic and JSON',
      confidence: 'vendor',
      from: 'https://github.com/Doist/todoist-api-typescript (src/authentication.ts, src/consts/endpoints.ts, website/docs/authorization.md)',
      checked: '2026-11-28'
    },
    {
      facts: 'newer apps get a refresh token, which a refresh replaces; tokens of the others do not expire',
      confidence: 'vendor',
      from: 'https://doist.github.io/todoist-sdk-typescript/api/functions/refreshAuthToken',
      checked: '2026-11-28'
    },
    { facts: 'page for keys', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'slack',
  title: 'Slack',
  description: 'Channels, messages and people of your workspace, as you',
  color: '#4a154b',
  docsUrl: 'https://docs.slack.dev/reference/methods',
  api: {
    baseUrl: 'https://slack.com/api',
    bases: { files: 'https://files.slack.com' },
    refusals: [{ pointer: '/error', oneOf: ['token_expired', 'token_revoked', 'invalid_auth', 'account_inactive'], statuses: [200] }],
    rateLimit: { header: 'retry-after', unit: 'seconds' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://slack.com/oauth/v2/authorize',
      tokenUrl: 'https://slack.com/api/oauth.v2.access',
      revokeRequest: { url: 'https://slack.com/api/auth.revoke', headers: { authorization: 'Bearer {access_token}' } },
      scopes: ['channels:read', 'users:read'],
      scopeParameter: 'user_scope',
      scopeSeparator: ',',
      scopeTexts: {
        'channels:read': 'see the public channels',
        'channels:history': 'read messages in public channels',
        'groups:read': 'see your private channels',
        'groups:history': 'read messages in your private channels',
        'im:history': 'read your direct messages',
        'chat:write': 'send messages as you',
        'files:read': 'see files',
        'files:write': 'upload and change files',
        'search:read': 'search messages and files',
        'users:read': 'see who the people in the workspace are',
        'users:read.email': 'see the e-mail addresses of people'
      },
      clientAuthentication: 'basic',
      pkce: false,
      tokenResponse: {
        accessToken: '/authed_user/access_token',
        refreshToken: '/authed_user/refresh_token',
        expiresIn: '/authed_user/expires_in',
        scope: '/authed_user/scope',
        tokenType: 'user'
      },
      refreshResponse: { tokenType: 'user' },
      refusals: [
        { pointer: '/error', oneOf: ['invalid_refresh_token', 'token_revoked', 'account_inactive'], means: 'invalid_grant' },
        { pointer: '/error', oneOf: ['invalid_client_id', 'bad_client_secret'], means: 'invalid_client' }
      ],
      tokens: { accessTokenLifetime: 43_200, refreshToken: 'rotated' },
      account: { from: 'token', id: '/authed_user/id', name: '/team/name' },
      check: { path: '/auth.test', status: 200, expect: { pointer: '/ok', equals: true } },
      help: { steps: ['Choose your workspace in Slack and allow the access.'], plan: 'Some workspaces need the approval of an admin.' }
    }
  },
  sources: [
    {
      facts: 'refresh, lifetime of 12 hours with token rotation, place of the user’s tokens, what auth.revoke ends (revocation)',
      confidence: 'vendor',
      from: 'https://docs.slack.dev/authentication/using-token-rotation',
      checked: '2026-11-28'
    },
    {
      facts: 'token URL, client authentication by Basic; PKCE only for apps that have become public clients',
      confidence: 'vendor',
      from: 'https://docs.slack.dev/reference/methods/oauth.v2.access, https://docs.slack.dev/authentication/using-pkce',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL, API base, retry-after, a comma between scopes',
      confidence: 'clients',
      from: 'Nango, slackapi/python-slack-sdk',
      checked: '2026-11-28'
    },
    {
      facts: 'names of refusals, of tokens that have ended, host of files',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'slack-bot',
  title: 'Slack app',
  description: 'Channels and messages of a workspace, as a bot',
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
      scopes: ['channels:read'],
      scopeSeparator: ',',
      scopeTexts: {
        'channels:read': 'see the public channels',
        'channels:history': 'read messages in public channels that it is in',
        'channels:join': 'join public channels',
        'chat:write': 'send messages as the app',
        'files:read': 'see files',
        'files:write': 'upload files',
        'users:read': 'see who the people in the workspace are',
        'users:read.email': 'see the e-mail addresses of people'
      },
      clientAuthentication: 'basic',
      pkce: false,
      tokenResponse: { tokenType: 'bot' },
      refusals: [
        { pointer: '/error', oneOf: ['invalid_refresh_token', 'token_revoked', 'account_inactive'], means: 'invalid_grant' },
        { pointer: '/error', oneOf: ['invalid_client_id', 'bad_client_secret'], means: 'invalid_client' }
      ],
      tokens: { accessTokenLifetime: 43_200, refreshToken: 'rotated' },
      account: { from: 'token', id: '/team/id', name: '/team/name' },
      check: { path: '/auth.test', status: 200, expect: { pointer: '/ok', equals: true } },
      help: { steps: ['Choose the workspace in Slack and add the app to it.'], plan: 'Some workspaces need the approval of an admin.' }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/auth.test', status: 200, expect: { pointer: '/ok', equals: true } },
      keysUrl: 'https://api.slack.com/apps',
      account: { from: 'check', id: '/team_id', name: '/team' },
      help: { steps: ['Open your app at Slack and choose Install App.', 'Copy the Bot User OAuth Token and paste it here.'] }
    }
  },
  sources: [
    {
      facts: 'refresh, lifetime of 12 hours with token rotation, what auth.revoke ends (revocation), page for keys of an app',
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
      facts: 'names of refusals, of tokens that have ended, host of files, auth.test',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

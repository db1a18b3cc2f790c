import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'miro',
  title: 'Miro',
  description: 'Boards and what is on them',
  color: '#ffd02f',
  docsUrl: 'https://developers.miro.com/reference/api-reference',
  api: { baseUrl: 'https://api.miro.com' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://miro.com/oauth/authorize',
      tokenUrl: 'https://api.miro.com/v1/oauth/token',
      // Ends the access token and its refresh token; the application stays installed.
      revokeRequest: {
        url: 'https://api.miro.com/v2/oauth/revoke',
        format: 'json',
        params: { accessToken: '{access_token}', clientId: '{client_id}', clientSecret: '{client_secret}' },
        headers: { authorization: 'Bearer {access_token}' }
      },
      revocation: 'token',
      // Set on the operator's application, and not in the request.
      scopes: [],
      scopeTexts: {
        'boards:read': 'see boards and what is on them',
        'boards:write': 'make and change boards and what is on them',
        'identity:read': 'see your name and email address',
        'team:read': 'see who is in your team'
      },
      clientAuthentication: 'body',
      // Where the operator's application has tokens that expire. Others last until the application is removed.
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 5_184_000 },
      account: { from: 'lookup', path: '/v1/oauth-token', id: '/team/id', name: '/team/name' },
      help: { steps: ['Miro asks you to sign in and to choose a team.', 'Choose it and allow the access.'] }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs, API base, scopes of the application, lifetimes, rotation',
      confidence: 'vendor',
      from: 'https://developers.miro.com/reference/overview and https://developers.miro.com/reference/get-new-access-token-using-refresh-token',
      checked: '2026-11-28'
    },
    {
      facts: 'request that revokes and what it ends, fields of the team',
      confidence: 'vendor',
      from: 'https://github.com/miroapp/api-clients',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'twitch',
  title: 'Twitch',
  description: 'Channels, streams and the people who follow them',
  color: '#9146ff',
  docsUrl: 'https://dev.twitch.tv/docs/api/',
  api: { baseUrl: 'https://api.twitch.tv/helix', headers: { 'client-id': '{client_id}' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://id.twitch.tv/oauth2/authorize',
      tokenUrl: 'https://id.twitch.tv/oauth2/token',
      revokeRequest: { url: 'https://id.twitch.tv/oauth2/revoke', params: { client_id: '{client_id}', token: '{access_token}' } },
      scopes: ['user:read:follows'],
      scopeTexts: {
        'user:read:follows': 'see which channels you follow',
        'user:read:email': 'see your e-mail address',
        'user:read:subscriptions': 'see which channels you subscribe to',
        'channel:read:subscriptions': 'see who subscribes to your channel',
        'moderator:read:followers': 'see who follows your channel',
        'channel:manage:broadcast': 'change the title and settings of your stream',
        'chat:read': 'see the chat',
        'chat:edit': 'write in the chat as you'
      },
      clientAuthentication: 'body',
      refusals: [
        { pointer: '/message', oneOf: ['Invalid refresh token', 'Invalid authorization code'], means: 'invalid_grant' },
        { pointer: '/message', oneOf: ['invalid client', 'invalid client secret'], means: 'invalid_client' }
      ],
      tokens: { accessTokenLifetime: 14_400, refreshToken: 'kept' },
      account: { from: 'lookup', path: '/users', id: '/data/0/id', name: '/data/0/display_name' },
      help: { steps: ['Twitch asks you to sign in and to allow the access.'] }
    }
  },
  sources: [
    {
      facts: 'token URL, a refresh token with each sign-in, which may change; the lifetime is in expires_in; 401 for an ended token',
      confidence: 'vendor',
      from: 'https://dev.twitch.tv/docs/authentication/refresh-tokens/',
      checked: '2026-11-28'
    },
    {
      facts: 'revocation of the access token with the client id alone',
      confidence: 'vendor',
      from: 'https://dev.twitch.tv/docs/authentication/revoke-tokens',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL, client in the body',
      confidence: 'clients',
      from: 'Nango, Auth.js, better-auth, arctic',
      checked: '2026-11-28'
    },
    {
      facts: 'the message about a refresh token',
      confidence: 'clients',
      from: 'hello_twitch_api, the vendor’s example in it',
      checked: '2026-11-28'
    },
    {
      facts: 'API base, client-id header, account of /users',
      confidence: 'clients',
      from: 'twurple, twitch-api-helix',
      checked: '2026-11-28'
    },
    {
      facts: 'the other messages and scopes, lifetime of 4 hours, a refresh token that is kept',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

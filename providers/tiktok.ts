import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'tiktok',
  title: 'TikTok',
  description: 'Your profile and videos on TikTok',
  color: '#010101',
  docsUrl: 'https://developers.tiktok.com/docs/en/login-kit-overview',
  api: { baseUrl: 'https://open.tiktokapis.com/v2' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.tiktok.com/v2/auth/authorize/',
      tokenUrl: 'https://open.tiktokapis.com/v2/oauth/token/',
      revokeRequest: {
        url: 'https://open.tiktokapis.com/v2/oauth/revoke/',
        params: { client_key: '{client_id}', client_secret: '{client_secret}', token: '{access_token}' }
      },
      scopes: ['user.info.basic'],
      scopeSeparator: ',',
      scopeTexts: {
        'user.info.basic': 'see your name and avatar',
        'user.info.profile': 'see your profile and the text in it',
        'user.info.stats': 'see your numbers of followers and likes',
        'video.list': 'see your public videos',
        'video.upload': 'upload videos as drafts',
        'video.publish': 'publish videos'
      },
      clientAuthentication: 'body',
      clientIdParameter: 'client_key',
      tokens: { accessTokenLifetime: 7200, refreshToken: 'rotated', refreshTokenLifetime: 15_552_000 },
      account: {
        from: 'lookup',
        path: '/user/info/?fields=open_id,display_name',
        id: '/data/user/open_id',
        name: '/data/user/display_name'
      },
      help: { steps: ['TikTok asks you to sign in and to allow the access.'] }
    }
  },
  sources: [
    {
      facts:
        'lifetimes of 2 hours and 180 days, a refresh token that a refresh replaces (it was 24 hours and 365 days before November 2026)',
      confidence: 'vendor',
      from: 'https://developers.tiktok.com/docs/zh-Hans/oauth-user-access-token-management',
      checked: '2026-11-28'
    },
    {
      facts: 'revocation of the access token, which disconnects the app from the account',
      confidence: 'vendor',
      from: 'https://developers.tiktok.com/docs/en/oauth-revoke-a-user-access-token',
      checked: '2026-11-28'
    },
    {
      facts: 'token URL, client_key, form, commas between scopes, user.info.basic and video.list',
      confidence: 'vendor',
      from: 'https://developers.tiktok.com/doc/oauth-user-access-token-management',
      checked: '2026-11-28'
    },
    { facts: 'authorize URL, API base, PKCE is taken', confidence: 'clients', from: 'Nango, Auth.js, arctic', checked: '2026-11-28' },
    { facts: 'the account of /user/info/', confidence: 'clients', from: 'Auth.js, better-auth', checked: '2026-11-28' },
    { facts: 'the other scopes', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

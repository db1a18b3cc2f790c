import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'x',
  title: 'X',
  description: 'Posts, people you follow and lists',
  color: '#000000',
  docsUrl: 'https://docs.x.com/x-api/introduction',
  api: { baseUrl: 'https://api.x.com/2' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://x.com/i/oauth2/authorize',
      tokenUrl: 'https://api.x.com/2/oauth2/token',
      revokeUrl: 'https://api.x.com/2/oauth2/revoke',
      scopes: ['tweet.read', 'users.read', 'offline.access'],
      scopeTexts: {
        'tweet.read': 'see posts that you can see',
        'tweet.write': 'post and repost as you',
        'tweet.moderate.write': 'hide and show replies to your posts',
        'users.read': 'see accounts that you can see',
        'offline.access': 'keep the access until you end it',
        'media.write': 'upload images and videos',
        'follows.read': 'see whom you follow and who follows you',
        'follows.write': 'follow and unfollow as you',
        'like.read': 'see which posts you like',
        'like.write': 'like posts as you',
        'bookmark.read': 'see your bookmarks',
        'list.read': 'see your lists',
        'dm.read': 'see your direct messages'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 7200, refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/users/me', id: '/data/id', name: ['/data/username', '/data/name'] },
      help: { steps: ['X asks you to sign in and to authorize the application.'] }
    }
  },
  sources: [
    {
      facts: 'token URL, PKCE, Basic, lifetime, offline.access',
      confidence: 'vendor',
      from: 'https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code and /user-access-token',
      checked: '2026-11-28'
    },
    { facts: 'revoke URL', confidence: 'vendor', from: 'https://github.com/twitterdev/twitter-api-typescript-sdk', checked: '2026-11-28' },
    {
      facts: 'authorize URL, API base, request that names the user',
      confidence: 'clients',
      from: 'Better Auth, Auth.js and Nango',
      checked: '2026-11-28'
    },
    { facts: 'scopes', confidence: 'clients', from: 'Twift and twitter_oauth2_pkce', checked: '2026-11-28' },
    { facts: 'a refresh replaces the refresh token', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'spotify',
  title: 'Spotify',
  description: 'Your playlists, saved music and what you listen to',
  color: '#1db954',
  docsUrl: 'https://developer.spotify.com/documentation/web-api',
  api: { baseUrl: 'https://api.spotify.com/v1' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://accounts.spotify.com/authorize',
      tokenUrl: 'https://accounts.spotify.com/api/token',
      scopes: ['user-read-private', 'playlist-read-private', 'user-library-read'],
      scopeTexts: {
        'user-read-private': 'see your profile and the kind of your subscription',
        'user-read-email': 'see your e-mail address',
        'playlist-read-private': 'see your private playlists',
        'playlist-modify-private': 'change your private playlists',
        'playlist-modify-public': 'change your public playlists',
        'user-library-read': 'see your saved music',
        'user-library-modify': 'change your saved music',
        'user-top-read': 'see what you listen to most',
        'user-read-recently-played': 'see what you have listened to',
        'user-read-playback-state': 'see what is playing and where',
        'user-modify-playback-state': 'control what is playing'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 3600, refreshToken: 'kept', refreshTokenLifetime: 15_552_000 },
      account: { from: 'lookup', path: '/me', id: '/id', name: '/display_name' },
      help: { steps: ['Spotify asks you to sign in and to allow the access.', 'After six months it asks you again.'] }
    }
  },
  sources: [
    {
      facts: 'lifetime of 1 hour; a refresh token ends 6 months after the sign-in, however often it is used; Basic, form',
      confidence: 'vendor',
      from: 'https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, API base, account, PKCE beside the client secret',
      confidence: 'clients',
      from: 'Nango, Auth.js, better-auth, arctic, grant',
      checked: '2026-11-28'
    },
    { facts: 'the names of the scopes', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

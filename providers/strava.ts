import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'strava',
  title: 'Strava',
  description: 'Your activities, routes and profile on Strava',
  color: '#fc4c02',
  docsUrl: 'https://developers.strava.com/docs/reference/',
  api: { baseUrl: 'https://www.strava.com/api/v3' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.strava.com/oauth/authorize',
      tokenUrl: 'https://www.strava.com/api/v3/oauth/token',
      revokeRequest: {
        url: 'https://www.strava.com/oauth/revoke',
        params: { token: '{refresh_token}', token_type_hint: 'refresh_token' },
        basic: { username: '{client_id}', password: '{client_secret}' }
      },
      scopes: ['read', 'activity:read'],
      scopeSeparator: ',',
      scopeTexts: {
        read: 'see public routes and your public profile',
        read_all: 'see your private routes and events',
        'profile:read_all': 'see all of your profile',
        'profile:write': 'change your profile',
        'activity:read': 'see your activities except those that only you see',
        'activity:read_all': 'see all of your activities',
        'activity:write': 'add and change activities'
      },
      clientAuthentication: 'body',
      authorizeParams: { approval_prompt: 'auto' },
      refusals: [
        { pointer: '/errors/0/resource', oneOf: ['RefreshToken', 'AuthorizationCode'], means: 'invalid_grant' },
        { pointer: '/errors/0/resource', oneOf: ['Application'], means: 'invalid_client' }
      ],
      tokens: { accessTokenLifetime: 21_600, refreshToken: 'rotated' },
      account: { from: 'token', id: '/athlete/id', name: ['/athlete/firstname', '/athlete/username'] },
      help: { steps: ['Strava asks you to sign in and to allow the access.', 'Leave the boxes ticked that you want to allow.'] }
    }
  },
  sources: [
    { facts: 'errors[].resource of a refused refresh', confidence: 'clients', from: 'ten open-source clients', checked: '2026-11-28' },
    { facts: 'the other resources in errors', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' },
    {
      facts: 'authorize URL, a refresh token beside each access token, which expires soon, people may untick scopes',
      confidence: 'vendor',
      from: 'https://developers.strava.com/docs/authentication',
      checked: '2026-11-28'
    },
    { facts: 'scopes', confidence: 'vendor', from: 'https://developers.strava.com/docs/oauth-updates', checked: '2026-11-28' },
    { facts: 'token URL, API base, client in the body', confidence: 'clients', from: 'Nango, Auth.js, arctic', checked: '2026-11-28' },
    {
      facts: 'revocation with Basic, since June 2026; the older deauthorize URL ends in June 2027',
      confidence: 'clients',
      from: 'several open-source clients that agree',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetime of 6 hours, a refresh may replace the refresh token, athlete in the token response, commas between scopes',
      confidence: 'clients',
      from: 'open-source clients; Nango for the commas',
      checked: '2026-11-28'
    }
  ]
})

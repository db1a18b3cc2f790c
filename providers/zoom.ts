import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'zoom',
  title: 'Zoom',
  description: 'Meetings, webinars and their recordings',
  color: '#0b5cff',
  docsUrl: 'https://developers.zoom.us/docs/api/',
  api: { baseUrl: '{api_url}/v2' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://zoom.us/oauth/authorize',
      tokenUrl: 'https://zoom.us/oauth/token',
      // Takes the access token.
      revokeRequest: {
        url: 'https://zoom.us/oauth/revoke',
        params: { token: '{access_token}' },
        basic: { username: '{client_id}', password: '{client_secret}' }
      },
      // Without scopes Zoom grants those of the operator's application, whose names depend on its age.
      scopes: [],
      scopeTexts: {
        'user:read:user': 'see your name and email address',
        'meeting:read:list_meetings': 'see which meetings you have',
        'meeting:read:meeting': 'see details of your meetings',
        'meeting:write:meeting': 'make meetings for you',
        'meeting:update:meeting': 'change your meetings',
        'webinar:read:list_webinars': 'see which webinars you have',
        'webinar:read:webinar': 'see details of your webinars',
        'cloud_recording:read:list_user_recordings': 'see your recordings'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 7_776_000 },
      values: {
        api_url: {
          from: 'token',
          pointer: '/api_url',
          suffix: '.zoom.us',
          default: 'https://api.zoom.us',
          example: 'https://api.zoom.us'
        }
      },
      account: { from: 'lookup', path: '/users/me', id: '/id', name: ['/email', '/display_name'] },
      refusals: [{ pointer: '/reason', oneOf: ['Invalid Token!'], means: 'invalid_grant' }],
      help: {
        steps: ['Zoom asks you to sign in and to allow the access.'],
        plan: 'In a company an admin may have to approve the application first.'
      }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, Basic, PKCE, api_url of token responses, lifetimes, rotation, names of scopes',
      confidence: 'vendor',
      from: 'https://github.com/zoom/skills (skills/oauth)',
      checked: '2026-11-28'
    },
    {
      facts: 'API base, request that names the user',
      confidence: 'clients',
      from: 'Better Auth, Auth.js and Nango',
      checked: '2026-11-28'
    },
    { facts: 'reason of a refused refresh', confidence: 'clients', from: 'several connectors on GitHub', checked: '2026-11-28' }
  ]
})

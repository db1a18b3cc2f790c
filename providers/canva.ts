import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'canva',
  title: 'Canva',
  description: 'Designs, folders and uploaded images',
  color: '#00c4cc',
  docsUrl: 'https://www.canva.dev/docs/connect/',
  api: { baseUrl: 'https://api.canva.com/rest/v1' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.canva.com/api/oauth/authorize',
      tokenUrl: 'https://api.canva.com/rest/v1/oauth/token',
      // Of a refresh token it ends the user's consent too.
      revokeUrl: 'https://api.canva.com/rest/v1/oauth/revoke',
      scopes: ['profile:read', 'design:meta:read'],
      scopeTexts: {
        'profile:read': 'see your name and what your account can do',
        'design:meta:read': 'see the names and thumbnails of designs',
        'design:content:read': 'see and export designs',
        'design:content:write': 'make designs for you',
        'folder:read': 'see folders and what is in them',
        'folder:write': 'change folders and move what is in them',
        'asset:read': 'see details of your uploads',
        'asset:write': 'upload and change and delete images',
        'comment:read': 'see comments on designs',
        'comment:write': 'write comments on designs',
        'brandtemplate:meta:read': 'see the names of brand templates',
        'brandtemplate:content:read': 'see what is in brand templates'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 14_400, refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/users/me', id: '/team_user/user_id' },
      help: { steps: ['Canva asks you to sign in and to allow the access.'], plan: 'Brand templates need Canva Enterprise.' }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, API base, client authentication, scopes, lifetime, rotation, account',
      confidence: 'vendor',
      from: 'https://github.com/canva-sdks/canva-connect-api-starter-kit (openapi/spec.yml)',
      checked: '2026-11-28'
    },
    {
      facts: 'PKCE is required, what a revocation ends',
      confidence: 'vendor',
      from: 'https://www.canva.dev/docs/connect/authentication/ and https://canva.dev/docs/connect/api-reference/authentication/revoke-token',
      checked: '2026-11-28'
    },
    { facts: 'plan for brand templates', confidence: 'guide', from: 'guides on the web', checked: '2026-11-28' }
  ]
})

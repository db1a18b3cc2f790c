import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'gitlab',
  title: 'GitLab',
  description: 'Projects, issues and merge requests',
  color: '#fc6d26',
  docsUrl: 'https://docs.gitlab.com/api/rest/',
  parameters: {
    host: {
      title: 'Server',
      example: 'gitlab.com',
      hint: 'The host name of a GitLab of your own, where the app is registered too.',
      default: 'gitlab.com',
      isHost: true,
      operator: true
    }
  },
  api: { baseUrl: 'https://{host}/api/v4', rateLimit: { header: 'retry-after', unit: 'seconds' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://{host}/oauth/authorize',
      tokenUrl: 'https://{host}/oauth/token',
      revokeUrl: 'https://{host}/oauth/revoke',
      scopes: ['read_user', 'read_api'],
      scopeTexts: {
        read_user: 'see your profile',
        read_api: 'see projects and groups and what is in them',
        api: 'see and change everything that you can',
        read_repository: 'read code in private projects',
        write_repository: 'read and push code',
        openid: 'know which account it is',
        profile: 'see your name',
        email: 'see your e-mail address'
      },
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 7200, refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/user', id: '/id', name: ['/username', '/name'] },
      help: { steps: ['GitLab asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'private-token' }],
      check: { path: '/user', status: 200 },
      keysUrl: 'https://{host}/-/user_settings/personal_access_tokens',
      account: { from: 'check', id: '/id', name: ['/username', '/name'] },
      help: {
        steps: [
          'In GitLab, open your profile and then Access tokens.',
          'Add a token with the scope read_api or api.',
          'Copy the token and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts:
        'authorize, token and revoke URLs, PKCE, client authentication in the body, API base, lifetimes; a refresh replaces both tokens',
      confidence: 'vendor',
      from: 'https://docs.gitlab.com/api/oauth2/',
      checked: '2026-11-28'
    },
    { facts: 'PRIVATE-TOKEN header for keys, /user', confidence: 'clients', from: 'Nango, next-auth', checked: '2026-11-28' },
    { facts: 'page for keys, meaning of the scopes, retry-after', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

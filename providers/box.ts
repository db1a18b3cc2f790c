import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'box',
  title: 'Box',
  description: 'Files, folders and collaborations on them',
  color: '#0061d5',
  docsUrl: 'https://developer.box.com/reference/',
  api: {
    baseUrl: 'https://api.box.com/2.0',
    bases: { upload: 'https://upload.box.com/api/2.0' },
    redirectHosts: ['dl.boxcloud.com', 'public.boxcloud.com']
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://account.box.com/api/oauth2/authorize',
      tokenUrl: 'https://api.box.com/oauth2/token',
      revokeUrl: 'https://api.box.com/oauth2/revoke',
      // The vendor's default is what the operator's application has.
      scopes: [],
      scopeTexts: {
        root_readonly: 'see files and folders',
        root_readwrite: 'see and change files and folders',
        manage_managed_users: 'manage the users of your company',
        manage_groups: 'manage groups'
      },
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 5_184_000 },
      account: { from: 'lookup', path: '/users/me', id: '/id', name: ['/login', '/name'] },
      help: {
        steps: ['Box asks you to sign in and to grant the access.'],
        plan: 'In a company an admin may have to allow the application first.'
      }
    }
  },
  sources: [
    {
      facts: 'token and revoke URLs, client authentication in the body, a refresh token serves once or for 60 days',
      confidence: 'vendor',
      from: 'https://developer.box.com/guides/authentication/tokens and https://developer.box.com/reference/post-oauth2-revoke',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL, API base, host for uploads, login of a user',
      confidence: 'vendor',
      from: 'https://github.com/box/box-node-sdk',
      checked: '2026-11-28'
    },
    {
      facts: 'hosts to which downloads are redirected',
      confidence: 'vendor',
      from: 'https://developer.box.com/ja/guides/api-calls/allowing-domain-access',
      checked: '2026-11-28'
    },
    {
      facts: 'scopes for files and folders, those of the application by default',
      confidence: 'vendor',
      from: 'https://developer.box.com/guides/api-calls/permissions-and-errors/scopes/',
      checked: '2026-11-28'
    },
    { facts: 'other scopes, approval by an admin', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

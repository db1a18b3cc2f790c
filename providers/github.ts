import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'github',
  title: 'GitHub',
  description: 'Repositories, issues and pull requests',
  color: '#24292f',
  docsUrl: 'https://docs.github.com/rest',
  api: {
    baseUrl: 'https://api.github.com',
    bases: { uploads: 'https://uploads.github.com' },
    headers: { 'x-github-api-version': '2022-11-28' },
    redirectHosts: [
      'codeload.github.com',
      'objects.githubusercontent.com',
      'release-assets.githubusercontent.com',
      '*.blob.core.windows.net'
    ],
    rateLimit: { header: 'retry-after', unit: 'seconds' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://github.com/login/oauth/authorize',
      tokenUrl: 'https://github.com/login/oauth/access_token',
      revokeRequest: {
        url: 'https://api.github.com/applications/{client_id}/token',
        method: 'DELETE',
        format: 'json',
        params: { access_token: '{access_token}' },
        headers: { accept: 'application/vnd.github+json' },
        basic: { username: '{client_id}', password: '{client_secret}' }
      },
      revocation: 'token',
      scopes: ['read:user'],
      scopeTexts: {
        'read:user': 'see your profile',
        'user:email': 'see your e-mail addresses',
        'read:org': 'see your organizations and teams',
        public_repo: 'see and change your public repositories',
        repo: 'see and change all your repositories',
        workflow: 'change GitHub Actions workflows',
        gist: 'make and change gists',
        notifications: 'see and mark your notifications'
      },
      clientAuthentication: 'body',
      refusals: [
        { pointer: '/error', oneOf: ['bad_refresh_token', 'bad_verification_code'], means: 'invalid_grant' },
        { pointer: '/error', oneOf: ['incorrect_client_credentials'], means: 'invalid_client' }
      ],
      tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'none' },
      account: { from: 'lookup', path: '/user', id: '/id', name: '/login' },
      check: { path: '/user', status: 200 },
      help: { steps: ['GitHub asks you to sign in and to allow the access.'], plan: 'An organization may have to approve the app.' }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/user', status: 200 },
      keysUrl: 'https://github.com/settings/personal-access-tokens',
      account: { from: 'check', id: '/id', name: '/login' },
      help: {
        steps: [
          'In GitHub, open Settings and then Developer settings.',
          'Under Personal access tokens, generate a token.',
          'Copy it and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts:
        'OAuth: authorize and token URLs, client authentication; Bearer tokens at /user of the API base; refusals by names of their own',
      confidence: 'vendor',
      from: 'https://docs.github.com/apps/oauth-apps (authorizing, troubleshooting token requests)',
      checked: '2026-11-28'
    },
    {
      facts:
        'revoke: DELETE of one token, with Basic client credentials and the token in JSON; tokens of GitHub Apps may expire and be refreshed',
      confidence: 'vendor',
      from: 'https://docs.github.com/rest/apps/oauth-applications, octokit/oauth-methods.js',
      checked: '2026-11-28'
    },
    {
      facts: 'uploads, API version, page for keys, hosts of downloads, retry-after',
      confidence: 'guide',
      from: 'Nango, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'bitbucket',
  title: 'Bitbucket',
  description: 'Repositories and pull requests at Bitbucket Cloud',
  color: '#0052cc',
  docsUrl: 'https://developer.atlassian.com/cloud/bitbucket/rest/',
  api: { baseUrl: 'https://api.bitbucket.org/2.0', redirectHosts: ['bbuseruploads.s3.amazonaws.com'] },
  methods: {
    oauth2: {
      authorizeUrl: 'https://bitbucket.org/site/oauth2/authorize',
      tokenUrl: 'https://bitbucket.org/site/oauth2/access_token',
      // The permissions are those of the consumer, as the operator has registered it.
      scopes: [],
      scopeTexts: {
        account: 'see your account',
        email: 'see your e-mail address',
        repository: 'see your repositories',
        'repository:write': 'change your repositories',
        pullrequest: 'see and comment pull requests',
        'pullrequest:write': 'make and merge pull requests',
        issue: 'see issues',
        'issue:write': 'change issues',
        pipeline: 'see pipelines'
      },
      clientAuthentication: 'basic',
      tokenResponse: { scope: '/scopes' },
      tokens: { accessTokenLifetime: 7200, refreshToken: 'kept' },
      account: { from: 'lookup', path: '/user', id: '/account_id', name: ['/display_name', '/nickname'] },
      help: { steps: ['Bitbucket asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      fields: {
        email: {
          title: 'E-mail address',
          example: 'ada@example.com',
          hint: 'The address of your Atlassian account.',
          pattern: '[^\\s@:]+@[^\\s@:]+'
        },
        key: { title: 'API token', example: 'ATATT3xFfGF0', secret: true }
      },
      placements: [{ in: 'basic', username: '{email}', password: '{key}' }],
      check: { path: '/user', status: [200, 403] },
      keysUrl: 'https://id.atlassian.com/manage-profile/security/api-tokens',
      account: { from: 'check', id: '/account_id', name: ['/display_name', '/nickname'] },
      help: {
        steps: [
          'In your Atlassian account, open Security and then API tokens.',
          'Create an API token with scopes, and choose Bitbucket.',
          'Copy the token and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs, client authentication by Basic',
      confidence: 'vendor',
      from: 'https://developer.atlassian.com/cloud/bitbucket/oauth-2',
      checked: '2026-11-28'
    },
    {
      facts: 'API tokens: Basic of the account’s e-mail address and the token, API base',
      confidence: 'vendor',
      from: 'https://support.atlassian.com/bitbucket-cloud/kb (this API is not accessible)',
      checked: '2026-11-28'
    },
    {
      facts: 'scopes in the response, account at /user',
      confidence: 'clients',
      from: 'next-auth, a client’s notes',
      checked: '2026-11-28'
    },
    {
      facts: 'page for keys, lifetime of two hours, a refresh keeps the refresh token, host of downloads',
      confidence: 'guide',
      from: 'unified.to, bbcloud',
      checked: '2026-11-28'
    }
  ]
})

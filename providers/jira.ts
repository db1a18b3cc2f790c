import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'jira',
  title: 'Jira and Confluence',
  description: 'Issues and pages of your Atlassian site',
  color: '#0052cc',
  docsUrl: 'https://developer.atlassian.com/cloud/jira/platform/rest/v3/',
  api: {
    baseUrl: 'https://api.atlassian.com/ex/jira/{cloud_id}',
    bases: { confluence: 'https://api.atlassian.com/ex/confluence/{cloud_id}', atlassian: 'https://api.atlassian.com' },
    rateLimit: { header: 'retry-after', unit: 'seconds' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://auth.atlassian.com/authorize',
      tokenUrl: 'https://auth.atlassian.com/oauth/token',
      scopes: ['read:jira-user', 'read:jira-work', 'offline_access'],
      scopeTexts: {
        'read:jira-user': 'see who the people in Jira are',
        'read:jira-work': 'see projects and issues',
        'write:jira-work': 'make and change issues',
        'read:confluence-content.all': 'read pages and comments in Confluence',
        'read:confluence-space.summary': 'see the spaces in Confluence',
        'write:confluence-content': 'make and change pages in Confluence',
        'read:me': 'see your Atlassian profile',
        offline_access: 'keep the access while you are away'
      },
      clientAuthentication: 'body',
      tokenRequestFormat: 'json',
      authorizeParams: { audience: 'api.atlassian.com', prompt: 'consent' },
      refusals: [{ pointer: '/error', oneOf: ['unauthorized_client'], means: 'invalid_grant' }],
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 7_776_000 },
      lookup: {
        url: 'https://api.atlassian.com/oauth/token/accessible-resources',
        choose: { title: 'Site', items: '', id: '/id', name: '/name' }
      },
      values: { cloud_id: { from: 'lookup', pointer: '/id', pattern: '[0-9a-f\\-]{36}', example: '1324a887-45db-1bf4-1e99-ef0ff456d421' } },
      account: { from: 'lookup', path: '/rest/api/3/myself', id: '/accountId', name: ['/displayName', '/emailAddress'] },
      help: {
        steps: ['Atlassian asks you to choose a site and to allow the access.'],
        plan: 'An admin of the site may have to allow the app first.'
      }
    }
  },
  sources: [
    {
      facts: 'authorize URL, audience, accessible-resources with id and name of each site, API base',
      confidence: 'vendor',
      from: 'https://developer.atlassian.com/cloud/oauth/getting-started/making-calls-to-api/, /cloud/jira/platform/oauth-2-3lo-apps/',
      checked: '2026-11-28'
    },
    {
      facts: 'refresh replaces the refresh token, offline_access, client authentication in the body',
      confidence: 'vendor',
      from: 'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens',
      checked: '2026-11-28'
    },
    {
      facts: 'OAuth: token URL, prompt, lifetimes of 1 hour and 90 days of disuse',
      confidence: 'clients',
      from: 'Nango, arctic, better-auth, jira.js',
      checked: '2026-11-28'
    },
    {
      facts: 'unauthorized_client as the end of a grant, myself, retry-after',
      confidence: 'guide',
      from: 'reports of users, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'salesforce',
  title: 'Salesforce',
  description: 'Accounts, contacts and other records of your org',
  color: '#00a1e0',
  docsUrl: 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/',
  parameters: {
    environment: {
      title: 'Environment',
      example: 'login',
      hint: 'Sandboxes have a sign-in page of their own.',
      oneOf: { login: 'Production or Developer Edition', test: 'Sandbox' },
      default: 'login'
    }
  },
  api: { baseUrl: '{instance_url}', paths: ['/services'] },
  methods: {
    oauth2: {
      authorizeUrl: 'https://{environment}.salesforce.com/services/oauth2/authorize',
      tokenUrl: 'https://{environment}.salesforce.com/services/oauth2/token',
      revokeUrl: 'https://{environment}.salesforce.com/services/oauth2/revoke',
      scopes: ['api', 'refresh_token', 'openid'],
      scopeTexts: {
        api: 'see and change the records that you can',
        refresh_token: 'keep the access while you are away',
        openid: 'know which user it is',
        id: 'see your profile',
        profile: 'see your name and picture',
        email: 'see your e-mail address',
        web: 'use your access on web pages',
        full: 'see and change everything that you can',
        chatter_api: 'see and change Chatter'
      },
      clientAuthentication: 'body',
      revocation: 'token',
      tokens: { refreshToken: 'kept' },
      values: {
        instance_url: {
          from: 'token',
          pointer: '/instance_url',
          suffix: ['.salesforce.com', '.force.com'],
          example: 'https://acme.my.salesforce.com'
        }
      },
      account: { from: 'lookup', path: '/services/oauth2/userinfo', id: '/user_id', name: ['/preferred_username', '/name'] },
      help: { steps: ['Sign in to Salesforce and allow the access.'], plan: 'Your edition must include API access.' }
    }
  },
  sources: [
    {
      facts: 'revoke URL; it ends a refresh token and the access tokens that came from it; sandboxes have hosts of their own',
      confidence: 'vendor',
      from: 'https://developer.salesforce.com/docs/platform/mobile-sdk/guide/oauth-revoking-tokens.html, …/blogs/2011/11/revoking-oauth-2-0-access-tokens-and-refresh-tokens',
      checked: '2026-11-28'
    },
    {
      facts: 'PKCE for web apps',
      confidence: 'vendor',
      from: 'https://help.salesforce.com (OAuth 2.0 Web Server Flow for Web App Integration)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, instance_url in the response as the API base, no expires_in, userinfo',
      confidence: 'clients',
      from: 'Nango, simov/grant, arctic, better-auth, jsforce',
      checked: '2026-11-28'
    },
    {
      facts: 'a refresh keeps the refresh token unless a policy rotates it, hosts of orgs',
      confidence: 'guide',
      from: 'catalogues',
      checked: '2026-11-28'
    }
  ]
})

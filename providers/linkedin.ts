import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'linkedin',
  title: 'LinkedIn',
  description: 'Your profile, your posts and pages that you manage',
  color: '#0a66c2',
  docsUrl: 'https://learn.microsoft.com/linkedin/',
  // Paths below /rest need a LinkedIn-Version too, which differs with the release that an application was written for.
  api: { baseUrl: 'https://api.linkedin.com' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.linkedin.com/oauth/v2/authorization',
      tokenUrl: 'https://www.linkedin.com/oauth/v2/accessToken',
      revokeUrl: 'https://www.linkedin.com/oauth/v2/revoke',
      scopes: ['openid', 'profile'],
      scopeTexts: {
        openid: 'know which account is yours',
        profile: 'see your name and picture',
        email: 'see your email address',
        w_member_social: 'post and comment and react as you',
        r_organization_social: 'see posts of your pages',
        w_organization_social: 'post and comment and react as your pages',
        rw_organization_admin: 'manage your pages and see their reports',
        r_ads: 'see your ad accounts',
        r_ads_reporting: 'see reports on your ads'
      },
      clientAuthentication: 'body',
      // With a code_verifier the token request of a confidential client is refused as invalid_client.
      pkce: false,
      // Some partners get refresh tokens of a year, which are kept.
      tokens: { accessTokenLifetime: 5_184_000, refreshToken: 'none' },
      account: { from: 'lookup', path: '/v2/userinfo', id: '/sub', name: '/name' },
      help: { steps: ['LinkedIn asks you to sign in and to allow the access.'] }
    }
  },
  sources: [
    {
      facts: 'scopes openid, profile and email, lifetimes, refresh tokens of partners',
      confidence: 'vendor',
      from: 'https://learn.microsoft.com/linkedin (sign-in-with-linkedin-v2, programmatic-refresh-tokens)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, API base, client authentication in the body',
      confidence: 'clients',
      from: 'Better Auth, Auth.js, grant and Nango',
      checked: '2026-11-28'
    },
    {
      facts: 'PKCE is refused',
      confidence: 'clients',
      from: 'UsefulSoftwareCo/executor#2087, teamhanko/hanko#2405 and nextauthjs/next-auth#8831',
      checked: '2026-11-28'
    },
    { facts: 'revoke URL', confidence: 'clients', from: 'applications on GitHub; not in the vendor’s pages', checked: '2026-11-28' },
    { facts: 'other scopes', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

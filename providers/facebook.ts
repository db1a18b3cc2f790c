import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'facebook',
  title: 'Facebook',
  description: 'Your profile and pages that you manage',
  color: '#0866ff',
  docsUrl: 'https://developers.facebook.com/docs/graph-api/',
  api: {
    baseUrl: 'https://graph.facebook.com',
    bases: { video: 'https://graph-video.facebook.com' },
    // A token that has ended is a 400.
    refusals: [{ pointer: '/error/code', oneOf: [190, 102], statuses: [400] }]
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.facebook.com/v26.0/dialog/oauth',
      tokenUrl: 'https://graph.facebook.com/v26.0/oauth/access_token',
      // The token of the code lasts for hours, and this one for 60 days. There is no refresh: the user signs in again.
      upgradeRequest: {
        url: 'https://graph.facebook.com/v26.0/oauth/access_token',
        method: 'GET',
        params: {
          grant_type: 'fb_exchange_token',
          client_id: '{client_id}',
          client_secret: '{client_secret}',
          fb_exchange_token: '{access_token}'
        }
      },
      // Ends everything that the user has granted to the operator's application.
      revokeRequest: {
        url: 'https://graph.facebook.com/me/permissions',
        method: 'DELETE',
        format: 'query',
        headers: { authorization: 'Bearer {access_token}' }
      },
      scopes: ['public_profile'],
      scopeSeparator: ',',
      scopeTexts: {
        public_profile: 'see your name and picture',
        email: 'see your email address',
        pages_show_list: 'see which pages you manage',
        pages_read_engagement: 'see posts and followers of your pages',
        pages_manage_posts: 'post as your pages',
        pages_manage_engagement: 'comment and react as your pages',
        pages_messaging: 'read and answer messages to your pages',
        ads_read: 'see reports on your ads'
      },
      clientAuthentication: 'body',
      // The dialog drops the challenge, and the token request is refused for a code_verifier without one.
      pkce: false,
      tokens: { accessTokenLifetime: 5_184_000, refreshToken: 'none' },
      account: { from: 'lookup', path: '/me?fields=id,name', id: '/id', name: '/name' },
      help: { steps: ['Facebook asks you to sign in and to choose what to share.'] }
    }
  },
  sources: [
    {
      facts: 'authorize URL, version, API base and host for videos, exchange for a token with a lifetime of 60 days, code 190',
      confidence: 'vendor',
      from: 'https://developers.facebook.com/docs/facebook-login/access-tokens, https://developers.facebook.com/docs/authentication/server-side and https://github.com/facebook/facebook-nodejs-business-sdk',
      checked: '2026-11-28'
    },
    { facts: 'token URL, account', confidence: 'clients', from: 'Better Auth, Auth.js and Nango', checked: '2026-11-28' },
    { facts: 'PKCE is refused', confidence: 'clients', from: 'NangoHQ/nango#7156, better-auth/better-auth#186', checked: '2026-11-28' },
    {
      facts: 'a revocation of all permissions at once, code 102, scopes and their separator',
      confidence: 'guide',
      from: 'Stack Overflow, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

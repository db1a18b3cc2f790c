import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'instagram',
  title: 'Instagram',
  description: 'Posts, comments and messages of a professional account',
  color: '#e1306c',
  docsUrl: 'https://developers.facebook.com/documentation/instagram-platform',
  api: { baseUrl: 'https://graph.instagram.com', refusals: [{ pointer: '/error/code', oneOf: [190] }] },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.instagram.com/oauth/authorize',
      tokenUrl: 'https://api.instagram.com/oauth/access_token',
      upgradeRequest: {
        url: 'https://graph.instagram.com/access_token',
        method: 'GET',
        params: { grant_type: 'ig_exchange_token', client_secret: '{client_secret}', access_token: '{access_token}' }
      },
      refreshRequest: {
        url: 'https://graph.instagram.com/refresh_access_token',
        method: 'GET',
        params: { grant_type: 'ig_refresh_token', access_token: '{access_token}' }
      },
      scopes: ['instagram_business_basic'],
      scopeSeparator: ',',
      scopeTexts: {
        instagram_business_basic: 'see your profile and posts',
        instagram_business_content_publish: 'publish posts',
        instagram_business_manage_comments: 'see and answer comments',
        instagram_business_manage_messages: 'see and answer messages'
      },
      clientAuthentication: 'body',
      refusals: [{ pointer: '/error/code', oneOf: [190], means: 'invalid_grant' }],
      tokens: { accessTokenLifetime: 5_184_000, refreshToken: 'none' },
      account: { from: 'lookup', path: '/me?fields=user_id,username', id: '/user_id', name: '/username' },
      check: { path: '/me?fields=user_id', status: 200 },
      help: {
        steps: ['Instagram asks you to sign in with a professional account and to allow the access.'],
        plan: 'Only professional accounts can be connected.'
      }
    }
  },
  sources: [
    {
      facts: 'scopes, professional accounts only, a code that is exchanged for a token',
      confidence: 'vendor',
      from: 'https://developers.facebook.com/documentation/instagram-platform/instagram-api-with-instagram-login/business-login',
      checked: '2026-11-28'
    },
    {
      facts: 'API base, exchange of the first token, which expires in an hour, for one of 60 days',
      confidence: 'vendor',
      from: 'https://developers.facebook.com/documentation/instagram-platform/reference/access_token',
      checked: '2026-11-28'
    },
    {
      facts: 'refresh with the access token itself, from 24 hours after it was issued, for 60 days more',
      confidence: 'vendor',
      from: 'https://developers.facebook.com/documentation/instagram-platform/reference/refresh_access_token.md',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, commas between scopes',
      confidence: 'clients',
      from: 'Nango, open-source clients',
      checked: '2026-11-28'
    },
    { facts: 'account of /me, code 190 for an ended token', confidence: 'guide', from: 'open-source clients', checked: '2026-11-28' }
  ]
})

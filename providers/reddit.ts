import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'reddit',
  title: 'Reddit',
  description: 'Posts, comments and communities on Reddit',
  color: '#ff4500',
  docsUrl: 'https://www.reddit.com/dev/api/',
  api: {
    baseUrl: 'https://oauth.reddit.com',
    headers: { 'user-agent': 'web:{client_id}:v1 (Grantkeeper)' },
    rateLimit: { header: 'x-ratelimit-reset', unit: 'seconds' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.reddit.com/api/v1/authorize',
      tokenUrl: 'https://www.reddit.com/api/v1/access_token',
      revokeUrl: 'https://www.reddit.com/api/v1/revoke_token',
      scopes: ['identity', 'read'],
      scopeTexts: {
        identity: 'see your username and since when you are there',
        read: 'see posts and comments as you see them',
        mysubreddits: 'see the communities that you are in',
        history: 'see your votes and what you have saved',
        submit: 'post and comment as you',
        edit: 'change and delete your posts and comments',
        vote: 'vote as you',
        save: 'save posts and comments',
        subscribe: 'join and leave communities',
        privatemessages: 'see and send your messages'
      },
      revocation: 'token',
      clientAuthentication: 'basic',
      tokenHeaders: { 'user-agent': 'web:{client_id}:v1 (Grantkeeper)' },
      authorizeParams: { duration: 'permanent' },
      refusals: [{ pointer: '/error', oneOf: ['invalid_request', 400], means: 'invalid_grant' }],
      tokens: { accessTokenLifetime: 86_400, refreshToken: 'kept' },
      account: { from: 'lookup', path: '/api/v1/me', id: '/id', name: '/name' },
      help: { steps: ['Reddit asks you to sign in and to allow the access.'] }
    }
  },
  sources: [
    {
      facts: 'a User-Agent of its own for each app, x-ratelimit-reset in seconds',
      confidence: 'vendor',
      from: 'https://support.reddithelp.com/hc/en-us/articles/16160319875092-Reddit-Data-API-Wiki',
      checked: '2026-11-28'
    },
    {
      facts:
        'OAuth: duration, Basic, scopes; a refresh keeps its token; an ended one is invalid_request; a revocation ends one token and its own',
      confidence: 'vendor',
      from: 'https://github.com/reddit-archive/reddit (r2/controllers/oauth2.py and r2/models/token.py, as of 2017)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, API base, account',
      confidence: 'clients',
      from: 'Nango, Auth.js, better-auth',
      checked: '2026-11-28'
    },
    {
      facts: 'revoke URL, from the path in that source',
      confidence: 'guide',
      from: 'github.com/reddit-archive/reddit',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetime of 24 hours (one hour in 2017), 400 as an error code',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

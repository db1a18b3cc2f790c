import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'clickup',
  title: 'ClickUp',
  description: 'Tasks, lists and docs of your workspaces',
  color: '#7b68ee',
  docsUrl: 'https://developer.clickup.com/reference',
  api: {
    baseUrl: 'https://api.clickup.com/api/v2',
    bases: { v3: 'https://api.clickup.com/api/v3' },
    rateLimit: { header: 'x-ratelimit-reset', unit: 'epoch' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.clickup.com/api',
      tokenUrl: 'https://api.clickup.com/api/v2/oauth/token',
      // The user chooses workspaces instead.
      scopes: [],
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'none' },
      account: { from: 'lookup', path: '/user', id: '/user/id', name: ['/user/username', '/user/email'] },
      check: { path: '/user', status: 200 },
      help: { steps: ['Sign in to ClickUp.', 'Choose the workspaces and connect them.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization' }],
      check: { path: '/user', status: 200 },
      keysUrl: 'https://app.clickup.com/settings/apps',
      account: { from: 'check', id: '/user/id', name: ['/user/username', '/user/email'] },
      help: {
        steps: ['In ClickUp, open Settings and then Apps.', 'Under API Token, choose Generate.', 'Copy the token and paste it here.']
      }
    }
  },
  sources: [
    {
      facts: 'OAuth by workspaces; its tokens do not expire and are Bearer; keys stand alone in Authorization; page for keys',
      confidence: 'vendor',
      from: 'https://developer.clickup.com/docs/authentication',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, client authentication in the body, API base, account at /user',
      confidence: 'clients',
      from: 'Nango, next-auth',
      checked: '2026-11-28'
    },
    {
      facts: 'API v3, x-ratelimit-reset',
      confidence: 'guide',
      from: 'notes on the vendor’s API, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

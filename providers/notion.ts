import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'notion',
  title: 'Notion',
  description: 'The pages and databases that you choose',
  color: '#000000',
  docsUrl: 'https://developers.notion.com/reference/intro',
  api: {
    baseUrl: 'https://api.notion.com',
    headers: { 'notion-version': '2025-09-03' },
    rateLimit: { header: 'retry-after', unit: 'seconds' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://api.notion.com/v1/oauth/authorize',
      tokenUrl: 'https://api.notion.com/v1/oauth/token',
      revokeRequest: {
        url: 'https://api.notion.com/v1/oauth/revoke',
        format: 'json',
        params: { token: '{access_token}' },
        headers: { 'notion-version': '2025-09-03' },
        basic: { username: '{client_id}', password: '{client_secret}' }
      },
      // The user chooses pages, and the operator registers what may be done with them.
      scopes: [],
      clientAuthentication: 'basic',
      tokenRequestFormat: 'json',
      tokenHeaders: { 'notion-version': '2025-09-03' },
      authorizeParams: { owner: 'user' },
      tokens: { refreshToken: 'rotated' },
      account: { from: 'token', id: '/bot_id', name: '/workspace_name' },
      check: { path: '/v1/users/me', status: 200 },
      help: { steps: ['Choose your workspace in Notion.', 'Choose the pages that may be seen, and allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/v1/users/me', status: 200 },
      keysUrl: 'https://www.notion.so/developers/connections',
      account: { from: 'check', id: '/id', name: ['/bot/workspace_name', '/name'] },
      help: {
        steps: [
          'Make an internal connection at Notion.',
          'Copy its secret and paste it here.',
          'Open each page that may be seen, and add the connection in its menu.'
        ],
        plan: 'Only an owner of the workspace can make a connection.'
      }
    }
  },
  sources: [
    {
      facts:
        'OAuth: token and revoke URLs, Basic and JSON, Notion-Version, fields of the response, API base; a refresh replaces the refresh token',
      confidence: 'vendor',
      from: 'https://developers.notion.com/reference/create-a-token, /reference/refresh-a-token, /reference/revoke-token',
      checked: '2026-11-28'
    },
    { facts: 'page for keys', confidence: 'vendor', from: 'https://developers.notion.com/reference/create-a-token', checked: '2026-11-28' },
    { facts: 'authorize URL, owner', confidence: 'clients', from: 'Nango, arctic, better-auth, next-auth', checked: '2026-11-28' },
    { facts: 'Bearer keys, who can make one, retry-after', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'webflow',
  title: 'Webflow',
  description: 'Sites, their pages and their content',
  color: '#146ef5',
  docsUrl: 'https://developers.webflow.com/data/reference/rest-introduction',
  api: { baseUrl: 'https://api.webflow.com/v2' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://webflow.com/oauth/authorize',
      tokenUrl: 'https://api.webflow.com/oauth/access_token',
      revokeRequest: {
        url: 'https://webflow.com/oauth/revoke_authorization',
        format: 'json',
        params: { client_id: '{client_id}', client_secret: '{client_secret}', access_token: '{access_token}' }
      },
      scopes: ['authorized_user:read', 'sites:read'],
      scopeTexts: {
        'authorized_user:read': 'see your name and email address',
        'sites:read': 'see which sites you have',
        'sites:write': 'change and publish sites',
        'pages:read': 'see pages',
        'pages:write': 'change pages',
        'cms:read': 'see collections and what is in them',
        'cms:write': 'change collections and what is in them',
        'forms:read': 'see forms and what people sent',
        'assets:read': 'see images and files',
        'assets:write': 'add and change images and files',
        'ecommerce:read': 'see products and orders'
      },
      clientAuthentication: 'body',
      tokenRequestFormat: 'json',
      tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'none' },
      account: { from: 'lookup', path: '/token/authorized_by', id: '/id', name: '/email' },
      help: { steps: ['Webflow asks you which sites or workspace to share.', 'Choose them and authorize the application.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/token/introspect', status: 200 },
      // A token is for one site. It may lack the permission to see it.
      account: { from: 'lookup', path: '/sites', id: '/sites/0/id', name: '/sites/0/displayName' },
      help: {
        steps: [
          'In Webflow, open the settings of the site, then Apps & integrations and API access.',
          'Choose Generate API token, give it a name and choose what it may do.',
          'Copy the token and paste it here.'
        ],
        plan: 'Only an admin of the site can make a token, which ends after a year without use.'
      }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs, JSON token requests, API base, scopes, fields of a site',
      confidence: 'vendor',
      from: 'https://github.com/webflow/js-webflow-api',
      checked: '2026-11-28'
    },
    {
      facts: 'requests that name the user and check a token, where users make a site token and how long it lasts',
      confidence: 'vendor',
      from: 'https://developers.webflow.com/data/reference (token, site-token)',
      checked: '2026-11-28'
    },
    { facts: 'request that revokes a token', confidence: 'clients', from: 'five applications on GitHub', checked: '2026-11-28' },
    { facts: 'lifetime of OAuth tokens, no refresh tokens', confidence: 'guide', from: 'Nango', checked: '2026-11-28' }
  ]
})

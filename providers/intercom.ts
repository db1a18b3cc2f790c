import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'intercom',
  title: 'Intercom',
  description: 'Conversations, contacts and help articles',
  color: '#286efa',
  docsUrl: 'https://developers.intercom.com/docs/references/rest-api/api.intercom.io',
  parameters: {
    // Stands before the end of each host name, since the United States have no part of their own in it.
    region: {
      title: 'Region',
      example: 'intercom',
      hint: 'The address of your workspace begins with app.intercom.com, app.eu.intercom.com or app.au.intercom.com.',
      oneOf: { intercom: 'United States', 'eu.intercom': 'Europe', 'au.intercom': 'Australia' },
      default: 'intercom'
    }
  },
  api: { baseUrl: 'https://api.{region}.io' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.{region}.com/oauth',
      tokenUrl: 'https://api.{region}.io/auth/eagle/token',
      // Set on the operator's application, and not in the request.
      scopes: [],
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'none' },
      account: { from: 'lookup', path: '/me', id: '/app/id_code', name: '/app/name' },
      help: { steps: ['Intercom asks you to sign in and to choose a workspace.', 'Allow the access to it.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/me', status: 200 },
      account: { from: 'check', id: '/app/id_code', name: '/app/name' },
      help: {
        steps: [
          'In Intercom, open Settings, then Integrations and Developer Hub.',
          'Choose your app, or make one for your workspace.',
          'Under Configure and Authentication, copy the access token and paste it here.'
        ],
        plan: 'The token is for your own workspace; Intercom advises against giving it to other companies.'
      }
    }
  },
  sources: [
    {
      facts: 'API base of each region, request that names the workspace, Bearer',
      confidence: 'vendor',
      from: 'https://github.com/intercom/Intercom-OpenAPI (2.16)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs of the United States, scopes of the application, where users find the token',
      confidence: 'vendor',
      from: 'https://developers.intercom.com/docs/build-an-integration/learn-more/authentication and /setting-up-oauth',
      checked: '2026-11-28'
    },
    {
      facts: 'tokens do not end and have no refresh token',
      confidence: 'vendor',
      from: 'https://community.intercom.com/apps-integrations-25 (answer of the vendor’s support)',
      checked: '2026-11-28'
    },
    { facts: 'OAuth URLs of Europe and Australia', confidence: 'clients', from: 'Nango, applications on GitHub', checked: '2026-11-28' }
  ]
})

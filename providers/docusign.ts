import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'docusign',
  title: 'Docusign',
  description: 'Envelopes, documents and their signatures',
  color: '#4c00ff',
  docsUrl: 'https://developers.docusign.com/docs/esign-rest-api/',
  parameters: {
    environment: {
      title: 'Environment',
      example: 'account',
      oneOf: { account: 'Production', 'account-d': 'Developer' },
      default: 'account',
      operator: true
    }
  },
  api: { baseUrl: '{base_uri}/restapi/v2.1/accounts/{account_id}', bases: { restapi: '{base_uri}/restapi' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://{environment}.docusign.com/oauth/auth',
      tokenUrl: 'https://{environment}.docusign.com/oauth/token',
      scopes: ['signature', 'extended'],
      scopeTexts: {
        signature: 'see and send documents for signature',
        extended: 'stay connected as long as it is used',
        impersonation: 'act as you while you are away'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 28_800, refreshToken: 'rotated', refreshTokenLifetime: 2_592_000 },
      lookup: {
        url: 'https://{environment}.docusign.com/oauth/userinfo',
        choose: { title: 'Account', items: '/accounts', id: '/account_id', name: '/account_name' }
      },
      values: {
        base_uri: { from: 'lookup', pointer: '/base_uri', suffix: '.docusign.net', example: 'https://na3.docusign.net' },
        account_id: { from: 'lookup', pointer: '/account_id', example: '0d0e1a2b-3c4d-4e5f-8a9b-0c1d2e3f4a5b' }
      },
      account: { from: 'lookup', url: 'https://{environment}.docusign.com/oauth/userinfo', id: '/sub', name: ['/name', '/email'] },
      help: { steps: ['Docusign asks you to sign in and to allow the access.', 'With several accounts, choose the one to use.'] }
    }
  },
  sources: [
    {
      facts: 'token URL, Basic, form, refresh tokens, PKCE if wanted',
      confidence: 'vendor',
      from: 'https://developers.docusign.com/platform/auth/reference/obtain-access-token and …/auth/confidential-authcode-get-token',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL, both environments, scopes, userinfo at the token endpoint’s host with base_uri and account_id',
      confidence: 'vendor',
      from: 'https://github.com/docusign/docusign-esign-node-client (src/ApiClient.js and src/oauth)',
      checked: '2026-11-28'
    },
    {
      facts: 'API base below base_uri, which ends in .docusign.net',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetimes of 8 hours and 30 days, a refresh replaces both',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'bamboohr',
  title: 'BambooHR',
  description: 'Employees, time off and other records of your company',
  color: '#73c41d',
  docsUrl: 'https://documentation.bamboohr.com/docs/getting-started',
  parameters: {
    subdomain: {
      title: 'BambooHR address',
      example: 'acme',
      hint: 'It stands before .bamboohr.com in the address of BambooHR.',
      suffix: '.bamboohr.com'
    }
  },
  api: { baseUrl: 'https://{subdomain}.bamboohr.com/api/v1' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://{subdomain}.bamboohr.com/authorize.php',
      tokenUrl: 'https://{subdomain}.bamboohr.com/token.php',
      scopes: ['openid', 'email', 'offline_access'],
      scopeTexts: {
        openid: 'see who you are',
        email: 'see your e-mail address',
        offline_access: 'stay connected while you are away'
      },
      clientAuthentication: 'body',
      authorizeParams: { request: 'authorize' },
      tokenParams: { request: 'token' },
      refreshParams: { request: 'token' },
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/employees/0?fields=displayName', name: '/displayName' },
      help: { steps: ['BambooHR asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'basic', username: '{key}', password: 'x' }],
      check: { path: '/meta/fields', status: [200, 403] },
      account: { from: 'lookup', path: '/employees/0?fields=displayName', name: '/displayName' },
      help: {
        steps: [
          'In BambooHR, click your picture and choose API Keys.',
          'Choose Add New Key and give it a name.',
          'Copy the key at once and paste it here.'
        ],
        plan: 'A key may do all that you may do.'
      }
    }
  },
  sources: [
    {
      facts:
        'API base, authorize and token URLs with their request parameters, client in the body, API key as the user name with x, where it is',
      confidence: 'vendor',
      from: 'https://github.com/BambooHR/bhr-api-php (README.md, AUTHENTICATION.md and lib/Client/Auth)',
      checked: '2026-11-28'
    },
    {
      facts: 'scopes openid and email',
      confidence: 'vendor',
      from: 'https://documentation.bamboohr.com/page/single-sign-on-sso-with-openid-connect',
      checked: '2026-11-28'
    },
    {
      facts: 'offline_access for a refresh token, lifetime of an hour; other scopes are those of the operator’s application',
      confidence: 'clients',
      from: 'OpenLM and another connector',
      checked: '2026-11-28'
    },
    { facts: 'check of keys at /meta/fields', confidence: 'clients', from: 'Nango and another connector', checked: '2026-11-28' },
    { facts: 'account of employee 0; a refresh replaces its token', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

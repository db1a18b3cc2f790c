import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'zendesk',
  title: 'Zendesk',
  description: 'Tickets, users and organizations of your support',
  color: '#03363d',
  docsUrl: 'https://developer.zendesk.com/api-reference/',
  parameters: {
    subdomain: {
      title: 'Subdomain',
      example: 'acme',
      hint: 'The first part of the address at which you open Zendesk.',
      pattern: '[a-z0-9][a-z0-9\\-]*',
      suffix: '.zendesk.com'
    }
  },
  api: { baseUrl: 'https://{subdomain}.zendesk.com/api/v2', rateLimit: { header: 'retry-after', unit: 'seconds' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://{subdomain}.zendesk.com/oauth/authorizations/new',
      tokenUrl: 'https://{subdomain}.zendesk.com/oauth/tokens',
      revokeRequest: {
        url: 'https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json',
        method: 'DELETE',
        headers: { authorization: 'Bearer {access_token}' }
      },
      revocation: 'token',
      scopes: ['read'],
      scopeTexts: {
        read: 'see everything that you can see',
        write: 'change everything that you can change',
        'tickets:read': 'see tickets',
        'tickets:write': 'make and change tickets',
        'users:read': 'see users',
        'users:write': 'make and change users',
        'organizations:read': 'see organizations'
      },
      clientAuthentication: 'body',
      // Without it clients of before April 2026 get tokens that do not expire.
      tokenParams: { expires_in: '1800' },
      refreshParams: { expires_in: '1800' },
      tokens: { accessTokenLifetime: 1800, refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/users/me.json', id: '/user/id', name: ['/user/email', '/user/name'] },
      help: { steps: ['Type the subdomain of your Zendesk.', 'Zendesk asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      fields: {
        email: {
          title: 'E-mail address',
          example: 'ada@example.com',
          hint: 'The address with which you sign in.',
          pattern: '[^\\s@:]+@[^\\s@:]+'
        },
        key: { title: 'API token', example: 'SDMWuOoZ9s8d7f', secret: true }
      },
      placements: [{ in: 'basic', username: '{email}/token', password: '{key}' }],
      check: { path: '/users/me.json', status: 200, expect: { pointer: '/user/verified', equals: true } },
      account: { from: 'check', id: '/user/id', name: ['/user/email', '/user/name'] },
      help: {
        steps: [
          'In Zendesk, an admin opens the Admin Center and then APIs.',
          'Under API tokens, add a token.',
          'Copy it and paste it here.'
        ],
        plan: 'Zendesk moves from API tokens to the sign-in.'
      }
    }
  },
  sources: [
    {
      facts: 'OAuth: /oauth/tokens, PKCE, short-lived access tokens with a refresh token; what takes the place of API tokens',
      confidence: 'vendor',
      from: 'https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/, …/documentation/api-basics/authentication/api-tokens-to-oauth/',
      checked: '2026-11-28'
    },
    {
      facts: 'a refresh ends both tokens before, expires_in, lifetime of 30 minutes by default',
      confidence: 'vendor',
      from: 'https://support.zendesk.com/hc/articles/9182123625370 (OAuth refresh token grant type, English and Japanese)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, form, API base, EMAIL/token as user name of keys, retry-after',
      confidence: 'clients',
      from: 'Nango, simov/grant, airbyte',
      checked: '2026-11-28'
    },
    { facts: 'revoke: DELETE of the current token', confidence: 'clients', from: 'three open-source clients', checked: '2026-11-28' },
    {
      facts: 'names of scopes, account at /users/me',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

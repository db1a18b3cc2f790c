import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'servicenow',
  title: 'ServiceNow',
  description: 'Incidents, requests and other records of your instance',
  color: '#62d84e',
  docsUrl: 'https://www.servicenow.com/docs/r/api-reference/rest-apis/',
  parameters: {
    instance: {
      title: 'Instance',
      example: 'acme',
      hint: 'It stands before .service-now.com in the address of ServiceNow.',
      suffix: '.service-now.com'
    }
  },
  api: { baseUrl: 'https://{instance}.service-now.com/api', rateLimit: { header: 'retry-after', unit: 'seconds' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://{instance}.service-now.com/oauth_auth.do',
      tokenUrl: 'https://{instance}.service-now.com/oauth_token.do',
      revokeUrl: 'https://{instance}.service-now.com/oauth_revoke_token.do',
      scopes: [],
      scopeTexts: { useraccount: 'do all that you may do' },
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 1800, refreshToken: 'kept', refreshTokenLifetime: 8_640_000 },
      help: { steps: ['ServiceNow asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      fields: {
        username: { title: 'User name', example: 'api.user' },
        key: { title: 'Password', example: 'correct horse battery', secret: true, verbatim: true }
      },
      placements: [{ in: 'basic', username: '{username}', password: '{key}' }],
      check: { path: '/now/table/sys_user?sysparm_limit=1&sysparm_fields=sys_id', status: [200, 403] },
      help: {
        steps: ['Ask an admin of ServiceNow for a user that is made for this access.', 'Enter the name and the password of that user.'],
        plan: 'Where people sign in with a password alone.'
      }
    }
  },
  sources: [
    {
      facts: 'server_error with access_denied for an ended refresh token and for a wrong client secret alike, so that neither ends a grant',
      confidence: 'clients',
      from: 'several open-source clients',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, client id and secret as parameters; each instance has clients of its own',
      confidence: 'vendor',
      from: 'https://github.com/ServiceNow/ServiceNowDocs (platform-security/authentication/c_OAuthAuthorizationCodeFlow.md)',
      checked: '2026-11-28'
    },
    {
      facts: 'revoke URL, which marks one token as expired',
      confidence: 'vendor',
      from: 'https://github.com/ServiceNow/ServiceNowDocs (platform-security/authentication/t_RevokeOAuthToken.md)',
      checked: '2026-11-28'
    },
    { facts: 'a revocation as a POST', confidence: 'clients', from: 'several open-source clients', checked: '2026-11-28' },
    {
      facts: 'Retry-After in seconds',
      confidence: 'vendor',
      from: 'https://github.com/ServiceNow/ServiceNowDocs (api-reference/rest-api-explorer/inbound-REST-API-rate-limiting.md)',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetimes of 30 minutes and 100 days by default',
      confidence: 'guide',
      from: 'defaults of forms in the same documentation',
      checked: '2026-11-28'
    },
    { facts: 'API base, password in Basic (the key), check', confidence: 'guide', from: 'general knowledge, Nango', checked: '2026-11-28' }
  ]
})

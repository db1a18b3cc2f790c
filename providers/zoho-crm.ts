import { defineProvider } from '../src/core/provider/define-provider.ts'

/** The ends of the vendor's domains, one for each data center but Canada's. */
const ends = ['com', 'eu', 'in', 'com.au', 'com.cn', 'jp', 'sa', 'uk']

export default defineProvider({
  name: 'zoho-crm',
  title: 'Zoho CRM',
  description: 'Leads, contacts and deals of your sales team',
  color: '#e42527',
  docsUrl: 'https://www.zoho.com/crm/developer/docs/api/v8/',
  api: { baseUrl: '{api_domain}/crm' },
  methods: {
    oauth2: {
      // Sends people on to their data center; those in China begin at accounts.zoho.com.cn.
      authorizeUrl: 'https://accounts.zoho.com/oauth/v2/auth',
      tokenUrl: '{accounts_server}/oauth/v2/token',
      revokeRequest: { url: '{accounts_server}/oauth/v2/token/revoke', format: 'query', params: { token: '{refresh_token}' } },
      revocation: 'token',
      scopes: ['ZohoCRM.users.READ', 'ZohoCRM.modules.READ'],
      scopeSeparator: ',',
      scopeTexts: {
        'ZohoCRM.users.READ': 'see the users of your organization',
        'ZohoCRM.modules.READ': 'see leads and contacts and all other records',
        'ZohoCRM.modules.ALL': 'see and change all records',
        'ZohoCRM.settings.READ': 'see settings such as fields and layouts',
        'ZohoCRM.org.READ': 'see the details of your organization',
        'ZohoCRM.coql.READ': 'search in all records'
      },
      clientAuthentication: 'body',
      authorizeParams: { access_type: 'offline', prompt: 'consent' },
      tokens: { accessTokenLifetime: 3600, refreshToken: 'kept', refreshTokenLifetime: 'unlimited' },
      values: {
        accounts_server: {
          from: 'callback',
          parameter: 'accounts-server',
          oneOf: [...ends.map(end => `https://accounts.zoho.${end}`), 'https://accounts.zohocloud.ca'],
          default: 'https://accounts.zoho.com',
          example: 'https://accounts.zoho.eu'
        },
        api_domain: {
          from: 'token',
          pointer: '/api_domain',
          suffix: [...ends, 'ca'].map(end => `.zohoapis.${end}`),
          example: 'https://www.zohoapis.eu'
        }
      },
      account: { from: 'lookup', path: '/v8/users?type=CurrentUser', id: '/users/0/id', name: ['/users/0/email', '/users/0/full_name'] },
      refusals: [
        { pointer: '/error', oneOf: ['invalid_code'], means: 'invalid_grant' },
        { pointer: '/error', oneOf: ['invalid_client_secret'], means: 'invalid_client' }
      ],
      placements: [{ in: 'header', name: 'authorization', prefix: 'Zoho-oauthtoken ' }],
      help: { steps: ['Zoho asks you to sign in and to allow the access.'] }
    }
  },
  sources: [
    {
      facts: 'authorize URL, token server from the callback, API base from the token response, data centers',
      confidence: 'vendor',
      from: 'https://www.zoho.com/accounts/protocol/oauth/multi-dc/client-authorization.html and https://www.bigin.com/developer/docs/apis/multi-dc.html',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetimes, request for a revocation and what it ends, users of the organization, Zoho-oauthtoken, form of scopes',
      confidence: 'vendor',
      from: 'https://zoho.com/crm/developer/docs/api (token-validity, revoke-tokens, get-users)',
      checked: '2026-11-28'
    },
    { facts: 'API base in the United Kingdom, refusals in 200', confidence: 'clients', from: 'connectors on GitHub', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'sendgrid',
  title: 'SendGrid',
  description: 'Mail that is sent, its templates and its statistics',
  color: '#1a82e2',
  docsUrl: 'https://www.twilio.com/docs/sendgrid/api-reference',
  parameters: {
    server: {
      title: 'Region',
      example: 'api.sendgrid.com',
      hint: 'Europe is for subusers that were made for it.',
      oneOf: { 'api.sendgrid.com': 'Global', 'api.eu.sendgrid.com': 'Europe' },
      default: 'api.sendgrid.com'
    }
  },
  api: { baseUrl: 'https://{server}/v3' },
  methods: {
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      // Every key may see what it may do.
      check: { path: '/scopes', status: 200 },
      keysUrl: 'https://app.sendgrid.com/settings/api_keys',
      account: { from: 'lookup', path: '/user/username', id: '/user_id', name: '/username' },
      help: {
        steps: [
          'In SendGrid, open Settings and then API Keys.',
          'Choose Create API Key, give it a name and choose what it may do.',
          'Copy the key, which is shown only once, and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'API base, key as Bearer, requests for what a key may do and for the account, page for keys',
      confidence: 'vendor',
      from: 'https://github.com/sendgrid/sendgrid-oai and SendGrid’s Postman collections',
      checked: '2026-11-28'
    },
    {
      facts: 'servers of the regions',
      confidence: 'vendor',
      from: 'https://twilio.com/docs/sendgrid/api-reference/users-api/retrieve-your-account-email-address',
      checked: '2026-11-28'
    }
  ]
})

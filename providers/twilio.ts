import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'twilio',
  title: 'Twilio',
  description: 'Messages, calls and phone numbers',
  color: '#f22f46',
  docsUrl: 'https://www.twilio.com/docs/usage/api',
  api: {
    baseUrl: 'https://api.twilio.com/2010-04-01/Accounts/{account_sid}',
    bases: {
      content: 'https://content.twilio.com/v1',
      conversations: 'https://conversations.twilio.com/v1',
      lookups: 'https://lookups.twilio.com/v2',
      messaging: 'https://messaging.twilio.com/v1',
      studio: 'https://studio.twilio.com/v2',
      verify: 'https://verify.twilio.com/v2'
    }
  },
  methods: {
    apiKey: {
      fields: {
        account_sid: {
          title: 'Account SID',
          example: 'AC0123456789abcdef0123456789abcdef',
          hint: 'On the first page of the Twilio Console, under Account Info.',
          pattern: 'AC[0-9a-fA-F]{32}'
        },
        key_sid: {
          title: 'API key SID',
          example: 'SK0123456789abcdef0123456789abcdef',
          hint: 'With the auth token in place of a key, give the Account SID here too.',
          pattern: '(?:SK|AC)[0-9a-fA-F]{32}'
        },
        key: {
          title: 'Secret',
          example: '0123456789abcdef0123456789abcdef',
          hint: 'The secret of the API key, or the auth token.',
          secret: true
        }
      },
      placements: [{ in: 'basic', username: '{key_sid}', password: '{key}' }],
      // A restricted key may lack the permission for this request.
      check: { path: '/Messages.json?PageSize=1', status: [200, 403] },
      keysUrl: 'https://console.twilio.com/us1/account/keys-credentials/api-keys',
      // Answered to main keys and to the auth token alone.
      account: { from: 'lookup', url: 'https://api.twilio.com/2010-04-01/Accounts/{account_sid}.json', id: '/sid', name: '/friendly_name' },
      help: {
        steps: [
          'In the Twilio Console, copy the Account SID from the first page.',
          'Open API keys & tokens and choose Create API key.',
          'Copy its SID and its secret, which is shown only once, and paste all three here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'API base and the other hosts, form of the Account SID, request that names the account',
      confidence: 'vendor',
      from: 'https://github.com/twilio/twilio-oai',
      checked: '2026-11-28'
    },
    {
      facts: 'Basic with the SID and secret of a key, or with Account SID and auth token',
      confidence: 'vendor',
      from: 'https://www.twilio.com/docs/usage/requests-to-twilio',
      checked: '2026-11-28'
    },
    { facts: 'request that checks a key, page for keys', confidence: 'clients', from: 'Nango, code on GitHub', checked: '2026-11-28' }
  ]
})

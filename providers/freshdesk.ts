import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'freshdesk',
  title: 'Freshdesk',
  description: 'Tickets, contacts and companies of your help desk',
  color: '#25c16f',
  docsUrl: 'https://developers.freshdesk.com/api/',
  parameters: {
    subdomain: {
      title: 'Freshdesk address',
      example: 'acme',
      hint: 'It stands before .freshdesk.com in the address of your help desk.',
      suffix: '.freshdesk.com'
    }
  },
  api: { baseUrl: 'https://{subdomain}.freshdesk.com/api/v2', rateLimit: { header: 'retry-after', unit: 'seconds' } },
  methods: {
    apiKey: {
      placements: [{ in: 'basic', username: '{key}', password: 'X' }],
      check: { path: '/agents/me', status: 200 },
      account: { from: 'check', name: ['/contact/name', '/contact/email'] },
      help: {
        steps: [
          'In Freshdesk, click your picture and open Profile settings.',
          'Choose View API key and confirm that you are a person.',
          'Copy the key and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'API base, the API key in Basic with X as the password',
      confidence: 'clients',
      from: 'Nango and guides to the API that agree',
      checked: '2026-11-28'
    },
    { facts: 'Retry-After in seconds', confidence: 'guide', from: 'https://apis.io/rate-limits/freshdesk/', checked: '2026-11-28' },
    { facts: 'check and account of /agents/me, where the key is', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider.ts'

export default defineProvider({
  name: 'ignition',
  title: 'Ignition',
  description: 'Clients, proposals and their reports',
  color: '#5f3dc4',
  api: { baseUrl: 'https://developers.ignitionapp.com/external/api/v1', rateLimit: { header: 'x-ratelimit-reset', unit: 'epoch' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://developers.ignitionapp.com/oauth2/authorize',
      tokenUrl: 'https://developers.ignitionapp.com/oauth2/token',
      revokeUrl: 'https://developers.ignitionapp.com/oauth2/revoke',
      scopes: ['reporting'],
      clientAuthentication: 'body',
      help: { steps: ['An admin of the practice signs in to Ignition and allows the access.'], plan: 'Needs the Pro+ or Enterprise plan.' }
    }
  },
  sources: [
    {
      facts: 'authorize and token addresses, API base, scope, x-ratelimit-reset',
      confidence: 'clients',
      from: 'third-party clients that agree with each other',
      checked: '2026-11-21'
    },
    { facts: 'revoke address', confidence: 'clients', from: 'one third-party client', checked: '2026-11-21' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

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
      scopeTexts: { reporting: 'see reports on clients and proposals' },
      revocation: 'token',
      clientAuthentication: 'body',
      help: { steps: ['An admin of the practice signs in to Ignition and allows the access.'], plan: 'Needs the Pro+ or Enterprise plan.' }
    }
  },
  translations: {
    de: {
      description: 'Kunden, Angebote und Berichte darüber',
      oauth2: {
        steps: ['Ein Admin der Kanzlei meldet sich bei Ignition an und erlaubt den Zugang.'],
        plan: 'Nötig ist der Tarif Pro+ oder Enterprise.',
        scopeTexts: { reporting: 'Berichte über Kunden und Angebote sehen' }
      }
    }
  },
  sources: [
    {
      facts: 'a revocation ends one sign-in, as in the standard; not tested at the vendor',
      confidence: 'guide',
      from: 'RFC 7009 §2.1',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, API base, scope, x-ratelimit-reset',
      confidence: 'clients',
      from: 'third-party clients that agree with each other',
      checked: '2026-11-21'
    },
    { facts: 'revoke URL', confidence: 'clients', from: 'one third-party client', checked: '2026-11-21' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'process-street',
  title: 'Process Street',
  description: 'Workflows, workflow runs and their tasks',
  color: '#2d7a5f',
  api: { baseUrl: 'https://public-api.process.st/api/v1.1', linkBases: ['https://api.process.st/api/v1.1'] },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.process.st/oauth/authorize',
      tokenUrl: 'https://app.process.st/oauth/token',
      scopes: ['read', 'write'],
      scopeTexts: { read: 'see workflows and their runs', write: 'start and change runs' },
      scopeSeparator: ',',
      revocation: 'token',
      clientAuthentication: 'body',
      tokenRequestFormat: 'json',
      help: { steps: ['Process Street asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'x-api-key' }],
      check: { path: '/testAuth', status: 200 },
      keysUrl: 'https://app.process.st/organizations/manage/integrations',
      account: { from: 'check', name: '/apiKeyLabel' },
      help: {
        steps: [
          'In Process Street, an admin opens Settings and then Integrations.',
          'Choose New API Key and give it a name.',
          'Copy the key and paste it here.'
        ],
        plan: 'Only an admin of the organization can make a key.'
      }
    }
  },
  translations: {
    de: {
      description: 'Workflows, ihre Durchläufe und deren Aufgaben',
      oauth2: {
        steps: ['Process Street bittet Sie, sich anzumelden und den Zugang zu erlauben.'],
        scopeTexts: { read: 'Workflows und ihre Durchläufe sehen', write: 'Durchläufe starten und ändern' }
      },
      apiKey: {
        steps: [
          'Ein Admin öffnet in Process Street „Settings“ und dann „Integrations“.',
          'Wählen Sie „New API Key“, und geben Sie ihm einen Namen.',
          'Kopieren Sie den Schlüssel, und fügen Sie ihn hier ein.'
        ],
        plan: 'Nur ein Admin der Organisation kann einen Schlüssel erstellen.'
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
      facts: 'API base, X-API-KEY without a prefix, who can create a key',
      confidence: 'vendor',
      from: 'https://developer.process.st/',
      checked: '2026-11-21'
    },
    { facts: 'page for keys', confidence: 'clients', from: 'READMEs of two connectors, one by the vendor', checked: '2026-11-28' },
    {
      facts: 'links to further pages may name api.process.st',
      confidence: 'guide',
      from: 'notes on the vendor’s reference, not confirmed since',
      checked: '2026-11-21'
    },
    {
      facts: 'all of OAuth: the vendor documents none, so an operator with a client configures the URLs',
      confidence: 'guide',
      from: 'tutorial',
      checked: '2026-11-21'
    }
  ]
})

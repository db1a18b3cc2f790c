import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'productboard',
  title: 'Productboard',
  description: 'Features, notes and feedback of your product workspace',
  color: '#0079f2',
  api: { baseUrl: 'https://api.productboard.com' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.productboard.com/oauth2/authorize',
      tokenUrl: 'https://app.productboard.com/oauth2/token',
      revokeUrl: 'https://app.productboard.com/oauth2/revoke',
      scopes: ['entities:read', 'notes:read', 'members:read'],
      scopeTexts: {
        'entities:read': 'see features and components',
        'notes:read': 'see notes and feedback',
        'members:read': 'see who the members are'
      },
      revocation: 'token',
      clientAuthentication: 'body',
      help: {
        steps: ['Productboard asks you to sign in and to allow the access.'],
        plan: 'Works on every plan; some permissions need an admin.'
      }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/v2/notes', status: 200 },
      help: {
        steps: [
          'In Productboard, open the profile menu and choose Integrations.',
          'Under Public API, create an access token.',
          'Copy it and paste it here.'
        ],
        plan: 'Not on the Essentials plan.'
      }
    }
  },
  translations: {
    de: {
      description: 'Funktionen, Notizen und Rückmeldungen in Ihrem Workspace',
      oauth2: {
        steps: ['Productboard bittet Sie, sich anzumelden und den Zugang zu erlauben.'],
        plan: 'Geht mit jedem Tarif; manche Rechte kann nur ein Admin geben.',
        scopeTexts: {
          'entities:read': 'Funktionen und Komponenten sehen',
          'notes:read': 'Notizen und Rückmeldungen sehen',
          'members:read': 'Mitglieder sehen'
        }
      },
      apiKey: {
        steps: [
          'Öffnen Sie in Productboard das Profilmenü, und wählen Sie „Integrations“.',
          'Erstellen Sie unter „Public API“ ein Access Token.',
          'Kopieren Sie es, und fügen Sie es hier ein.'
        ],
        plan: 'Nicht im Tarif Essentials.'
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
      facts: 'API base, v2 paths, Bearer token, where users find the token',
      confidence: 'vendor',
      from: 'https://developer.productboard.com/v2.0.0/reference',
      checked: '2026-11-21'
    },
    {
      facts: 'authorize, token and revoke URLs, client authentication in the body, scopes',
      confidence: 'clients',
      from: 'third-party clients that agree with each other',
      checked: '2026-11-21'
    }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'outgrow',
  title: 'Outgrow',
  description: 'Calculators, quizzes and the leads they bring',
  color: '#e8590c',
  api: { baseUrl: 'https://api-calc.outgrow.co/api/v1' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.outgrow.co/oauth/authorize',
      tokenUrl: 'https://app.outgrow.co/oauth/token',
      scopes: [],
      revocation: 'token',
      clientAuthentication: 'body',
      help: { steps: ['Outgrow asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [
        { in: 'path', after: '/get_cal' },
        { in: 'header', name: 'api-key' }
      ],
      check: { path: '/get_cal', status: 200, expect: { pointer: '/success', equals: true } },
      help: { steps: ['In Outgrow, open Billing & Settings.', 'Choose API Key.', 'Copy the key and paste it here.'] }
    }
  },
  translations: {
    de: {
      description: 'Rechner, Quiz und die Kontakte daraus',
      oauth2: { steps: ['Outgrow bittet Sie, sich anzumelden und den Zugang zu erlauben.'] },
      apiKey: {
        steps: [
          'Öffnen Sie in Outgrow „Billing & Settings“.',
          'Wählen Sie „API Key“.',
          'Kopieren Sie den Schlüssel, und fügen Sie ihn hier ein.'
        ]
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
      facts: 'API base, key in the path of /get_cal and otherwise in the API-KEY header, a success field in responses with status 200',
      confidence: 'vendor',
      from: 'https://outgrow.co (help centre)',
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

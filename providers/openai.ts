import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'openai',
  title: 'OpenAI',
  description: 'The models of OpenAI for text, images and speech',
  color: '#10a37f',
  docsUrl: 'https://platform.openai.com/docs/api-reference',
  api: { baseUrl: 'https://api.openai.com/v1', timeoutMs: 600_000 },
  methods: {
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/models', status: [200, 403] },
      keysUrl: 'https://platform.openai.com/api-keys',
      help: {
        steps: [
          'On the OpenAI Platform, open API keys.',
          'Choose Create new secret key and give it a name.',
          'Copy the key at once and paste it here.'
        ],
        plan: 'Calls are charged to the account of the key.'
      }
    }
  },
  sources: [
    {
      facts: 'API base, API key as a Bearer token, GET /models',
      confidence: 'vendor',
      from: 'https://github.com/openai/openai-openapi (openapi.yaml)',
      checked: '2026-11-28'
    },
    {
      facts: 'page for keys, 403 for a restricted key, responses that take minutes',
      confidence: 'guide',
      from: 'general knowledge',
      checked: '2026-11-28'
    }
  ]
})

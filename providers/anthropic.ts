import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'anthropic',
  title: 'Anthropic',
  description: 'The Claude models for text and images',
  color: '#d97757',
  docsUrl: 'https://platform.claude.com/docs/en/api/overview',
  api: { baseUrl: 'https://api.anthropic.com/v1', headers: { 'anthropic-version': '2023-06-01' }, timeoutMs: 600_000 },
  methods: {
    apiKey: {
      placements: [{ in: 'header', name: 'x-api-key' }],
      check: { path: '/models?limit=1', status: 200 },
      keysUrl: 'https://platform.claude.com/settings/keys',
      help: {
        steps: [
          'In the Claude Console, open Settings and then API keys.',
          'Choose Create key and give it a name.',
          'Copy the key at once and paste it here.'
        ],
        plan: 'Calls are charged to the account of the key.'
      }
    }
  },
  sources: [
    {
      facts: 'API base, x-api-key, anthropic-version, GET /v1/models',
      confidence: 'vendor',
      from: 'https://platform.claude.com/docs/en/api/getting-started',
      checked: '2026-11-28'
    },
    {
      facts: 'page for keys',
      confidence: 'vendor',
      from: 'https://platform.claude.com/docs/de/api/overview.md',
      checked: '2026-11-28'
    },
    {
      facts: 'the version 2023-06-01, responses that take up to 10 minutes',
      confidence: 'vendor',
      from: 'https://github.com/anthropics/anthropic-sdk-typescript (src/client.ts)',
      checked: '2026-11-28'
    },
    { facts: 'the names in the Console', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'trello',
  title: 'Trello',
  description: 'Boards, lists and cards that you can see',
  color: '#0079bf',
  docsUrl: 'https://developer.atlassian.com/cloud/trello/rest/',
  parameters: {
    api_key: {
      title: 'API key',
      example: '0471642aefef5fa1fa76530ce1ba4c85',
      hint: 'The key of your Power-Up at Trello, which names the app to users.',
      pattern: '[0-9a-f]{32}',
      operator: true
    },
    token_scope: {
      title: 'Permissions of the token',
      example: 'read,write',
      hint: 'Words of read and write and account with commas between.',
      pattern: 'read(?:,write)?(?:,account)?',
      default: 'read',
      operator: true
    }
  },
  api: { baseUrl: 'https://api.trello.com/1' },
  methods: {
    apiKey: {
      // In a header, because URLs are logged on the way.
      placements: [{ in: 'header', name: 'authorization', value: 'OAuth oauth_consumer_key="{api_key}", oauth_token="{key}"' }],
      check: { path: '/members/me', status: 200 },
      keysUrl: 'https://trello.com/1/authorize?expiration=never&scope={token_scope}&response_type=token&key={api_key}',
      account: { from: 'check', id: '/id', name: ['/fullName', '/username'] },
      help: { steps: ['Open the page at Trello and allow the access.', 'Copy the token that it shows and paste it here.'] }
    }
  },
  sources: [
    {
      facts: 'the page for keys (/1/authorize), the operator’s API key beside the token of the user',
      confidence: 'vendor',
      from: 'https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/',
      checked: '2026-11-28'
    },
    {
      facts: 'API base; parameters of /1/authorize; the key and the token in an Authorization header, account at /members/me',
      confidence: 'clients',
      from: 'Nango, trello.js, ruby-trello, open-source apps',
      checked: '2026-11-28'
    },
    {
      facts: 'form of the API key',
      confidence: 'guide',
      from: 'catalogues, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

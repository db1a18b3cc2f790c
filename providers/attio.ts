import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'attio',
  title: 'Attio',
  description: 'People, companies and deals of your workspace',
  color: '#266df0',
  docsUrl: 'https://docs.attio.com/rest-api/overview',
  api: { baseUrl: 'https://api.attio.com/v2' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://app.attio.com/authorize',
      tokenUrl: 'https://app.attio.com/oauth/token',
      scopes: [],
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 'unlimited', refreshToken: 'none' },
      account: { from: 'lookup', path: '/self', id: '/workspace_id', name: '/workspace_name' },
      check: { path: '/self', status: 200, expect: { pointer: '/active', equals: true } },
      help: { steps: ['Attio asks you to choose a workspace and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/self', status: 200, expect: { pointer: '/active', equals: true } },
      account: { from: 'check', id: '/workspace_id', name: '/workspace_name' },
      help: {
        steps: [
          'In Attio, an admin opens Workspace settings and then Developers.',
          'Create an access token and choose what it may do.',
          'Copy it and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'API base, Bearer for OAuth tokens and API keys',
      confidence: 'vendor',
      from: 'https://docs.attio.com/rest-api/guides/authentication',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize URL, to which no scopes are sent: they are those of the operator’s app',
      confidence: 'vendor',
      from: 'https://docs.attio.com/docs/oauth/authorize',
      checked: '2026-11-28'
    },
    {
      facts: 'token URL, client in the body, a response without lifetime and refresh token',
      confidence: 'vendor',
      from: 'https://docs.attio.com/docs/oauth/token',
      checked: '2026-11-28'
    },
    {
      facts: 'active, which is false for an ended token',
      confidence: 'vendor',
      from: 'https://docs.attio.com/docs/oauth/introspect.md',
      checked: '2026-11-28'
    },
    { facts: 'check and account of /self', confidence: 'clients', from: 'Airbyte, Botpress and other clients', checked: '2026-11-28' },
    { facts: 'where an access token is made', confidence: 'guide', from: 'a guide to Attio', checked: '2026-11-28' }
  ]
})

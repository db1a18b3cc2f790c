import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'calendly',
  title: 'Calendly',
  description: 'Event types, scheduled events and who booked them',
  color: '#006bff',
  docsUrl: 'https://developer.calendly.com/api-docs',
  api: { baseUrl: 'https://api.calendly.com' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://auth.calendly.com/oauth/authorize',
      tokenUrl: 'https://auth.calendly.com/oauth/token',
      // The client authenticates in the body here, and with Basic at the token endpoint.
      revokeRequest: {
        url: 'https://auth.calendly.com/oauth/revoke',
        params: { client_id: '{client_id}', client_secret: '{client_secret}', token: '{refresh_token}' }
      },
      scopes: ['users:read', 'event_types:read', 'scheduled_events:read'],
      scopeTexts: {
        'users:read': 'see your name and email address',
        'event_types:read': 'see event types and free times',
        'event_types:write': 'make and change event types',
        'scheduled_events:read': 'see scheduled events and who takes part',
        'scheduled_events:write': 'book and cancel events',
        'availability:read': 'see when you are available',
        'availability:write': 'change when you are available',
        'locations:read': 'see places for meetings',
        'routing_forms:read': 'see routing forms and answers to them',
        'organizations:read': 'see the members of your organization'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 7200, refreshToken: 'rotated', refreshTokenLifetime: 'unlimited' },
      account: { from: 'lookup', path: '/users/me', id: '/resource/uri', name: ['/resource/email', '/resource/name'] },
      help: { steps: ['Calendly asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
      check: { path: '/users/me', status: 200 },
      keysUrl: 'https://calendly.com/integrations/api_webhooks',
      account: { from: 'check', id: '/resource/uri', name: ['/resource/email', '/resource/name'] },
      help: {
        steps: [
          'In Calendly, open Integrations and choose API & Webhooks.',
          'Under Personal access tokens, choose Generate new token.',
          'Give it a name and the scopes that you want to share, among them users:read.',
          'Copy the token and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, PKCE, client authentication, lifetimes, rotation',
      confidence: 'vendor',
      from: 'https://developer.calendly.com/api-docs (O-Auth) and https://developer.calendly.com/refresh-token-rotation-guide',
      checked: '2026-11-28'
    },
    { facts: 'scopes', confidence: 'vendor', from: 'https://developer.calendly.com/scopes', checked: '2026-11-28' },
    {
      facts: 'API base, request that names the user, where users make a token',
      confidence: 'vendor',
      from: 'https://developer.calendly.com/personal-access-tokens and https://developer.calendly.com/how-to-find-the-organization-or-user-uri',
      checked: '2026-11-28'
    },
    { facts: 'page for keys', confidence: 'clients', from: 'applications on GitHub', checked: '2026-11-28' }
  ]
})

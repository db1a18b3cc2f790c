import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'gusto',
  title: 'Gusto',
  description: 'Employees and payrolls of your company',
  color: '#f45d48',
  docsUrl: 'https://docs.gusto.com/app-integrations/docs/introduction',
  parameters: {
    environment: {
      title: 'Environment',
      example: 'gusto',
      oneOf: { gusto: 'Production', 'gusto-demo': 'Demo' },
      default: 'gusto',
      operator: true
    }
  },
  api: {
    baseUrl: 'https://api.{environment}.com/v1',
    bases: { company: 'https://api.{environment}.com/v1/companies/{company_id}' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://api.{environment}.com/oauth/authorize',
      tokenUrl: 'https://api.{environment}.com/oauth/token',
      revokeUrl: 'https://api.{environment}.com/oauth/revoke',
      scopes: [],
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 7200, refreshToken: 'rotated' },
      lookup: { path: '/token_info' },
      values: { company_id: { from: 'lookup', pointer: '/resource/uuid', example: 'd525dd21-ba6e-482c-be15-c2c7237f1364' } },
      account: { from: 'lookup', path: '/companies/{company_id}', id: '/uuid', name: ['/trade_name', '/name'] },
      help: {
        steps: ['An admin of the company signs in to Gusto.', 'With several companies, choose the one to connect.', 'Allow the access.'],
        plan: 'Only primary and full-access admins can connect a company.'
      }
    }
  },
  sources: [
    {
      facts: 'OAuth by an admin, who chooses one company for each sign-in',
      confidence: 'vendor',
      from: 'https://docs.gusto.com/app-integrations/docs/oauth2',
      checked: '2026-11-28'
    },
    {
      facts: 'lifetime of 2 hours, refresh with client id and secret in the body, which gives a new refresh token',
      confidence: 'vendor',
      from: 'https://docs.gusto.com/embedded-payroll/docs/company-access-tokens',
      checked: '2026-11-28'
    },
    {
      facts: 'the earlier refresh token ends when the new access token is first used',
      confidence: 'vendor',
      from: 'https://docs.gusto.com/embedded-payroll/v2022-11-01/reference/refresh-access-token',
      checked: '2026-11-28'
    },
    {
      facts: 'both environments',
      confidence: 'vendor',
      from: 'https://docs.gusto.com/app-integrations/docs/authentication',
      checked: '2026-11-28'
    },
    { facts: 'authorize URL, API base', confidence: 'clients', from: 'Nango, omniauth-gusto-oauth2', checked: '2026-11-28' },
    { facts: 'token_info and account, no scopes in requests', confidence: 'clients', from: 'open-source clients', checked: '2026-11-28' },
    { facts: 'revoke URL, found in no client', confidence: 'guide', from: 'a list of providers', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'xero',
  title: 'Xero',
  description: 'Contacts, invoices and accounts of your organisation',
  color: '#13b5ea',
  docsUrl: 'https://developer.xero.com/documentation/api/accounting/overview',
  api: {
    baseUrl: 'https://api.xero.com/api.xro/2.0',
    bases: {
      assets: 'https://api.xero.com/assets.xro/1.0',
      files: 'https://api.xero.com/files.xro/1.0',
      projects: 'https://api.xero.com/projects.xro/2.0'
    },
    headers: { 'xero-tenant-id': '{tenant_id}' },
    rateLimit: { header: 'retry-after', unit: 'seconds' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://login.xero.com/identity/connect/authorize',
      tokenUrl: 'https://identity.xero.com/connect/token',
      revokeUrl: 'https://identity.xero.com/connect/revocation',
      scopes: ['openid', 'email', 'offline_access', 'accounting.contacts.read', 'accounting.settings.read'],
      scopeTexts: {
        openid: 'know which user it is',
        email: 'see your e-mail address',
        profile: 'see your name',
        offline_access: 'keep the access while you are away',
        'accounting.contacts.read': 'see contacts',
        'accounting.contacts': 'see and change contacts',
        'accounting.settings.read': 'see the organisation and its accounts',
        'accounting.invoices.read': 'see invoices and bills',
        'accounting.invoices': 'see and change invoices and bills',
        'accounting.transactions': 'see and change invoices and bank transactions',
        'accounting.reports.read': 'see reports',
        'files.read': 'see files'
      },
      clientAuthentication: 'basic',
      tokens: { accessTokenLifetime: 1800, refreshToken: 'rotated', refreshTokenLifetime: 5_184_000 },
      lookup: {
        url: 'https://api.xero.com/connections',
        choose: { title: 'Organisation', items: '', id: '/tenantId', name: '/tenantName' }
      },
      values: {
        tenant_id: { from: 'lookup', pointer: '/tenantId', pattern: '[0-9a-f\\-]{36}', example: '45e4708e-d862-4111-ab3a-dd8cd03913e1' }
      },
      account: { from: 'id_token', id: '/xero_userid', name: ['/email', '/preferred_username'] },
      help: { steps: ['Sign in to Xero.', 'Choose the organisation and allow the access.'] }
    }
  },
  sources: [
    {
      facts: 'token URL, Basic, lifetime of 30 minutes, refresh within 60 days, offline_access; /connections; xero_userid in the ID token',
      confidence: 'vendor',
      from: 'https://github.com/XeroAPI/xero-node (README, XeroClient)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and revoke URLs, a refresh replaces the refresh token, API base, Xero-Tenant-Id',
      confidence: 'clients',
      from: 'Nango, airbyte, xero-oauth2.0, open-source apps',
      checked: '2026-11-28'
    },
    {
      facts: 'other API bases, names of scopes, retry-after',
      confidence: 'guide',
      from: 'catalogues; the vendor’s pages were not read',
      checked: '2026-11-28'
    }
  ]
})

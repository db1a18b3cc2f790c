import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'microsoft',
  title: 'Microsoft 365',
  description: 'Outlook, OneDrive, Teams and more by Microsoft Graph',
  color: '#0078d4',
  docsUrl: 'https://learn.microsoft.com/graph/api/overview',
  parameters: {
    tenant: {
      title: 'Directory',
      example: 'common',
      hint: 'The id or domain of one directory, or common, organizations or consumers.',
      pattern: '[a-z0-9][a-z0-9.\\-]*',
      default: 'common',
      operator: true
    }
  },
  api: {
    baseUrl: 'https://graph.microsoft.com/v1.0',
    bases: { beta: 'https://graph.microsoft.com/beta' },
    redirectHosts: ['*.sharepoint.com', '*.files.1drv.com', 'my.microsoftpersonalcontent.com'],
    rateLimit: { header: 'retry-after', unit: 'seconds' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
      tokenUrl: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
      scopes: ['openid', 'profile', 'offline_access', 'User.Read'],
      scopeTexts: {
        openid: 'know which account it is',
        profile: 'see your name and user name',
        email: 'see your e-mail address',
        offline_access: 'keep the access while you are away',
        'User.Read': 'see your profile',
        'Mail.Read': 'read your e-mails',
        'Mail.Send': 'send e-mails in your name',
        'Calendars.Read': 'see your calendars',
        'Calendars.ReadWrite': 'see and change your calendars',
        'Contacts.Read': 'see your contacts',
        'Files.Read': 'see your files',
        'Files.ReadWrite': 'see and change your files',
        'Sites.Read.All': 'see the SharePoint sites that you can see'
      },
      clientAuthentication: 'body',
      authorizeParams: { response_mode: 'query', prompt: 'select_account' },
      refusals: [{ pointer: '/error', oneOf: ['interaction_required', 'consent_required'], means: 'invalid_grant' }],
      tokens: { accessTokenLifetime: 3600, refreshToken: 'rotated', refreshTokenLifetime: 7_776_000 },
      account: { from: 'id_token', id: '/sub', name: ['/preferred_username', '/name'] },
      help: {
        steps: ['Choose your Microsoft account.', 'Microsoft asks you to allow the access.'],
        plan: 'In a company an administrator may have to allow it first.'
      }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs with tenant, PKCE, response_mode, prompt, client authentication, error codes, API base',
      confidence: 'vendor',
      from: 'https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow',
      checked: '2026-11-28'
    },
    {
      facts: 'a refresh replaces the refresh token, the old one stays good; 90 days of lifetime',
      confidence: 'vendor',
      from: 'https://learn.microsoft.com/entra/identity-platform/refresh-tokens',
      checked: '2026-11-28'
    },
    {
      facts: 'hosts of downloads, retry-after, access tokens of 60 to 90 minutes',
      confidence: 'guide',
      from: 'Nango, general knowledge',
      checked: '2026-11-28'
    }
  ]
})

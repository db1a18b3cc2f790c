import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'dropbox',
  title: 'Dropbox',
  description: 'Files, folders and what is shared of them',
  color: '#0061ff',
  docsUrl: 'https://www.dropbox.com/developers/documentation/http/documentation',
  api: {
    baseUrl: 'https://api.dropboxapi.com/2',
    bases: { content: 'https://content.dropboxapi.com/2', notify: 'https://notify.dropboxapi.com/2' }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://www.dropbox.com/oauth2/authorize',
      tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
      // Ends the access token that authenticates the request, and its refresh token. It takes no body, and refuses one that is a form.
      revokeRequest: {
        url: 'https://api.dropboxapi.com/2/auth/token/revoke',
        format: 'query',
        headers: { authorization: 'Bearer {access_token}' }
      },
      revocation: 'token',
      scopes: ['account_info.read', 'files.metadata.read', 'files.content.read'],
      scopeTexts: {
        'account_info.read': 'see your name and email address',
        'files.metadata.read': 'see the names of files and folders',
        'files.metadata.write': 'change properties and tags of files',
        'files.content.read': 'see what is in files',
        'files.content.write': 'add and change and delete files',
        'sharing.read': 'see what is shared and with whom',
        'sharing.write': 'share files and folders',
        'file_requests.read': 'see requests for files',
        'file_requests.write': 'make and change requests for files',
        'contacts.write': 'change contacts'
      },
      clientAuthentication: 'body',
      authorizeParams: { token_access_type: 'offline' },
      tokens: { accessTokenLifetime: 14_400, refreshToken: 'kept', refreshTokenLifetime: 'unlimited' },
      lookup: { path: '/users/get_current_account', method: 'POST' },
      account: { from: 'lookup', id: '/account_id', name: ['/email', '/name/display_name'] },
      help: { steps: ['Dropbox asks you to sign in and to allow the access.'] }
    }
  },
  sources: [
    {
      facts: 'API base and its other hosts, request that names the account, scopes, what a revocation ends',
      confidence: 'vendor',
      from: 'https://github.com/dropbox/dropbox-api-spec (users.stone, auth.stone, stone_cfg.stone)',
      checked: '2026-11-28'
    },
    {
      facts: 'authorize and token URLs, token_access_type, PKCE, client authentication in the body',
      confidence: 'vendor',
      from: 'https://dropbox.tech/developers/using-oauth-2-0-with-offline-access and https://github.com/dropbox/dropbox-sdk-js',
      checked: '2026-11-28'
    },
    { facts: 'lifetime of access tokens', confidence: 'clients', from: 'Unstructured and OpenIntegrations', checked: '2026-11-28' },
    { facts: 'a refresh token is kept and does not end', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'discord',
  title: 'Discord',
  description: 'Your profile and servers, or what a bot may do',
  color: '#5865f2',
  docsUrl: 'https://discord.com/developers/docs',
  api: { baseUrl: 'https://discord.com/api/v10', headers: { 'user-agent': 'DiscordBot (grantkeeper, 1)' } },
  methods: {
    oauth2: {
      authorizeUrl: 'https://discord.com/oauth2/authorize',
      tokenUrl: 'https://discord.com/api/oauth2/token',
      revokeUrl: 'https://discord.com/api/oauth2/token/revoke',
      scopes: ['identify', 'guilds'],
      scopeTexts: {
        identify: 'see your username and avatar',
        email: 'see your e-mail address',
        guilds: 'see which servers you are in',
        'guilds.members.read': 'see your nickname and roles in your servers',
        'guilds.join': 'join servers for you',
        connections: 'see the accounts that you have linked'
      },
      clientAuthentication: 'body',
      tokens: { accessTokenLifetime: 604_800, refreshToken: 'rotated' },
      account: { from: 'lookup', path: '/users/@me', id: '/id', name: ['/global_name', '/username'] },
      help: { steps: ['Discord asks you to sign in and to allow the access.'] }
    },
    apiKey: {
      placements: [{ in: 'header', name: 'authorization', prefix: 'Bot ' }],
      check: { path: '/users/@me', status: 200 },
      keysUrl: 'https://discord.com/developers/applications',
      account: { from: 'check', id: '/id', name: ['/global_name', '/username'] },
      help: {
        steps: [
          'In the Discord Developer Portal, open your application.',
          'Choose Bot and then Reset Token.',
          'Copy the token of the bot and paste it here.'
        ]
      }
    }
  },
  sources: [
    {
      facts:
        'OAuth: all three URLs (authorize, token, revoke), scopes, client in the body or Basic, lifetime of a week; a revocation ends all tokens',
      confidence: 'vendor',
      from: 'https://github.com/discord/discord-api-docs (developers/topics/oauth2.mdx)',
      checked: '2026-11-28'
    },
    {
      facts: 'API base, Bot before the token of a bot, form of the User-Agent, page for keys, account of /users/@me',
      confidence: 'vendor',
      from: 'https://github.com/discord/discord-api-docs (developers/reference.mdx and resources/user.mdx)',
      checked: '2026-11-28'
    },
    { facts: 'a refresh replaces the refresh token', confidence: 'guide', from: 'general knowledge', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'wordpress',
  title: 'WordPress.com',
  description: 'Posts, pages and media of your site',
  color: '#3858e9',
  docsUrl: 'https://developer.wordpress.com/docs/api/',
  api: { baseUrl: 'https://public-api.wordpress.com' },
  methods: {
    oauth2: {
      authorizeUrl: 'https://public-api.wordpress.com/oauth2/authorize',
      tokenUrl: 'https://public-api.wordpress.com/oauth2/token',
      scopes: ['sites', 'posts'],
      scopeTexts: {
        sites: 'see your site and its options',
        posts: 'see and change posts and pages',
        media: 'see and add images and files',
        comments: 'see and change comments',
        taxonomy: 'see and change categories and tags',
        users: 'see the users of your site',
        stats: 'see statistics of your site',
        auth: 'see your own account',
        global: 'see and change everything on all your sites'
      },
      clientAuthentication: 'body',
      tokens: { refreshToken: 'none' },
      // A grant is for one site, unless the operator asks for the scope global.
      account: { from: 'token', id: '/blog_id', name: '/blog_url' },
      help: {
        steps: ['WordPress.com asks you to sign in and to choose a site.', 'Choose it and approve the access.'],
        plan: 'Sites elsewhere need Jetpack.'
      }
    }
  },
  sources: [
    {
      facts: 'authorize and token URLs, blog_id and blog_url of token responses, one site a token, Jetpack',
      confidence: 'vendor',
      from: 'https://developer.wordpress.com/docs/oauth2/',
      checked: '2026-11-28'
    },
    {
      facts: 'API base',
      confidence: 'vendor',
      from: 'https://developer.wordpress.com/docs/api/getting-started/',
      checked: '2026-11-28'
    },
    {
      facts: 'what each scope allows, no refresh tokens; another server at /oauth2-1 has them',
      confidence: 'guide',
      from: 'https://github.com/api-evangelist/automattic and Nango',
      checked: '2026-11-28'
    },
    { facts: 'client authentication in the body', confidence: 'clients', from: 'grant and PSWordPress', checked: '2026-11-28' }
  ]
})

import { defineProvider } from '../src/core/provider/define-provider.ts'

export default defineProvider({
  name: 'google',
  title: 'Google',
  description: 'Drive, Calendar, Gmail and other Google services',
  color: '#4285f4',
  docsUrl: 'https://developers.google.com/workspace',
  api: {
    baseUrl: 'https://www.googleapis.com',
    bases: {
      'analytics-admin': 'https://analyticsadmin.googleapis.com',
      'analytics-data': 'https://analyticsdata.googleapis.com',
      bigquery: 'https://bigquery.googleapis.com',
      chat: 'https://chat.googleapis.com',
      docs: 'https://docs.googleapis.com',
      forms: 'https://forms.googleapis.com',
      gmail: 'https://gmail.googleapis.com',
      people: 'https://people.googleapis.com',
      'search-console': 'https://searchconsole.googleapis.com',
      sheets: 'https://sheets.googleapis.com',
      slides: 'https://slides.googleapis.com',
      tasks: 'https://tasks.googleapis.com'
    }
  },
  methods: {
    oauth2: {
      authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
      tokenUrl: 'https://oauth2.googleapis.com/token',
      revokeUrl: 'https://oauth2.googleapis.com/revoke',
      scopes: ['openid', 'email', 'https://www.googleapis.com/auth/drive.file'],
      scopeTexts: {
        openid: 'know which Google account it is',
        email: 'see your e-mail address',
        profile: 'see your name and picture',
        'https://www.googleapis.com/auth/userinfo.email': 'see your e-mail address',
        'https://www.googleapis.com/auth/userinfo.profile': 'see your name and picture',
        'https://www.googleapis.com/auth/drive.file': 'see and change the files in Drive that you open or make here',
        'https://www.googleapis.com/auth/drive.readonly': 'see all files in Drive',
        'https://www.googleapis.com/auth/drive': 'see and change and delete all files in Drive',
        'https://www.googleapis.com/auth/calendar.readonly': 'see your calendars and events',
        'https://www.googleapis.com/auth/calendar.events': 'see and change events in your calendars',
        'https://www.googleapis.com/auth/gmail.readonly': 'read your e-mails',
        'https://www.googleapis.com/auth/gmail.send': 'send e-mails in your name',
        'https://www.googleapis.com/auth/spreadsheets': 'see and change all spreadsheets',
        'https://www.googleapis.com/auth/contacts.readonly': 'see your contacts',
        'https://www.googleapis.com/auth/youtube.readonly': 'see your YouTube account'
      },
      clientAuthentication: 'body',
      authorizeParams: { access_type: 'offline', prompt: 'consent' },
      tokens: { accessTokenLifetime: 3600, refreshToken: 'kept', refreshTokenLifetime: 15_552_000 },
      account: { from: 'id_token', id: '/sub', name: ['/email', '/name'] },
      help: { steps: ['Google asks you to sign in and to choose what you allow.'] }
    }
  },
  sources: [
    {
      facts: 'authorize, token and revoke URLs, API base, access_type, prompt, client authentication in the body',
      confidence: 'clients',
      from: 'Nango, simov/grant, better-auth, open-source apps',
      checked: '2026-11-28'
    },
    {
      facts: 'other API bases; a refresh token ends after six months without use; access tokens expire after an hour',
      confidence: 'guide',
      from: 'catalogues, GitGuardian’s notes; the vendor’s pages were not read in full',
      checked: '2026-11-28'
    }
  ]
})

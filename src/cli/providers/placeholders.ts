/** What stands for a secret in what is shown. Real ones are never asked for. */
export const placeholders = {
  clientId: 'CLIENT_ID',
  clientSecret: 'CLIENT_SECRET',
  clientAssertion: 'CLIENT_ASSERTION',
  code: 'AUTHORIZATION_CODE',
  accessToken: 'ACCESS_TOKEN',
  refreshToken: 'REFRESH_TOKEN',
  apiKey: 'API_KEY'
} as const

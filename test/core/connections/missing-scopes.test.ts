import t from 'tap'
import { type Connection, connectionFromGrant } from '../../../src/core/connections/connection.ts'
import { missingScopes } from '../../../src/core/connections/missing-scopes.ts'
import { Secret } from '../../../src/core/secret.ts'

const accessToken = new Secret('a')
const refreshToken = new Secret('r')
const granted = (scopes: readonly string[], overrides: { refreshToken?: Secret } = {}): Connection =>
  connectionFromGrant({ accessToken, scopes, ...overrides }, 'acme', [], 0)

t.test('requested scopes that were not granted are missing, in the requested order', async t => {
  for (const [requested, scopes, missing] of [
    [['a', 'b', 'c'], ['b'], ['a', 'c']],
    [['a', 'b'], ['b', 'a', 'more'], []],
    [['a', 'b'], [], ['a', 'b']],
    [[], ['a'], []]
  ] as const)
    t.strictSame(missingScopes(requested, granted(scopes)), missing, `${requested} of ${scopes}`)
})

t.test('a scope that is requested since the sign-in is missing', async t => {
  const connection = connectionFromGrant({ accessToken }, 'acme', ['a'], 0)
  t.strictSame(missingScopes(['a'], connection), [])
  t.strictSame(missingScopes(['a', 'new'], connection), ['new'])
})

t.test('a scope that is granted in another spelling is not missing', async t => {
  for (const [requested, scope] of [
    ['Mail.Read', 'mail.read'],
    ['Mail.Read', 'https://graph.microsoft.com/Mail.Read'],
    ['https://graph.microsoft.com/Mail.Read', 'Mail.Read'],
    ['email', 'https://www.googleapis.com/auth/userinfo.email'],
    ['user:email', 'user']
  ] as const)
    t.strictSame(missingScopes([requested], granted([scope])), [], `${requested} by ${scope}`)
})

t.test('a scope that is not included in a granted one is missing', async t => {
  for (const [requested, scope] of [
    ['user', 'user:email'],
    ['read', 'notes.read'],
    ['mail', 'https://mail.example.com/read-mail'],
    ['reader', 'read']
  ] as const)
    t.strictSame(missingScopes([requested], granted([scope])), [requested], `${requested} by ${scope}`)
})

t.test('offline_access is granted by a refresh token', async t => {
  t.strictSame(missingScopes(['offline_access'], granted(['a'], { refreshToken })), [])
  t.strictSame(missingScopes(['offline_access'], granted(['a'])), ['offline_access'])
})

t.test('an API key lacks no scopes', async t => {
  t.strictSame(
    missingScopes(['a'], { id: '1', provider: 'acme', method: 'api_key', status: 'connected', credential: accessToken, connectedAtMs: 0 }),
    []
  )
})

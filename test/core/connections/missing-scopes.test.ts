import t from 'tap'
import { type Connection, connectionFromGrant } from '../../../src/core/connections/connection.ts'
import { missingScopes } from '../../../src/core/connections/missing-scopes.ts'
import { Secret } from '../../../src/core/secret.ts'

const accessToken = new Secret('a')
const refreshToken = new Secret('r')
const granted = (scopes: readonly string[], more: { refreshToken?: Secret } = {}): Connection =>
  connectionFromGrant({ accessToken, scopes, ...more }, 'acme', [], 0)

t.test('what was asked for and not granted is missing, in the order in which it was asked', async t => {
  for (const [asked, scopes, missing] of [
    [['a', 'b', 'c'], ['b'], ['a', 'c']],
    [['a', 'b'], ['b', 'a', 'more'], []],
    [['a', 'b'], [], ['a', 'b']],
    [[], ['a'], []]
  ] as const)
    t.strictSame(missingScopes(asked, granted(scopes)), missing, `${asked} of ${scopes}`)
})

t.test('an answer that names no scope grants what was asked, and what is asked for since is missing', async t => {
  const connection = connectionFromGrant({ accessToken }, 'acme', ['a'], 0)
  t.strictSame(missingScopes(['a'], connection), [])
  t.strictSame(missingScopes(['a', 'new'], connection), ['new'])
})

t.test('a scope that is granted under another name is not missing', async t => {
  for (const [asked, scope] of [
    ['Mail.Read', 'mail.read'],
    ['Mail.Read', 'https://graph.microsoft.com/Mail.Read'],
    ['https://graph.microsoft.com/Mail.Read', 'Mail.Read'],
    ['email', 'https://www.googleapis.com/auth/userinfo.email'],
    ['user:email', 'user']
  ] as const)
    t.strictSame(missingScopes([asked], granted([scope])), [], `${asked} by ${scope}`)
  for (const [asked, scope] of [
    ['user', 'user:email'],
    ['read', 'notes.read'],
    ['mail', 'https://mail.example.com/read-mail'],
    ['reader', 'read']
  ] as const)
    t.strictSame(missingScopes([asked], granted([scope])), [asked], `${asked} by ${scope}`)
})

t.test('a refresh token is what offline_access asks for', async t => {
  t.strictSame(missingScopes(['offline_access'], granted(['a'], { refreshToken })), [])
  t.strictSame(missingScopes(['offline_access'], granted(['a'])), ['offline_access'])
})

t.test('a key has no scopes, and so none is missing', async t => {
  t.strictSame(
    missingScopes(['a'], { provider: 'acme', method: 'api_key', status: 'connected', credential: accessToken, connectedAtMs: 0 }),
    []
  )
})

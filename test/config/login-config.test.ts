import { join } from 'node:path'
import t from 'tap'
import { type Environment, EnvironmentReader } from '../../src/config/environment.ts'
import { readLoginConfig } from '../../src/config/login-config.ts'

function read(variables: Environment, production = false) {
  const env = new EnvironmentReader(variables)
  const login = readLoginConfig(env, { production })
  return { login, env, problems: env.problems }
}

const required = { LOGIN_ISSUER: 'https://login.example.com', LOGIN_CLIENT_ID: 'client-1' }

t.test('without variables there is no sign-in of users', async t => {
  const { login, problems, env } = read({})
  t.equal(login, undefined)
  t.strictSame(problems, [])
  t.ok(env.knownNames().has('LOGIN_MAX_AGE'), 'a misspelled name is recognized all the same')
})

t.test('an issuer and a client are enough', async t => {
  const { login, problems } = read(required)
  t.strictSame(login, { issuer: 'https://login.example.com', clientId: 'client-1', scopes: ['openid', 'profile', 'email'] })
  t.strictSame(problems, [])
})

t.test('every setting can be changed', async t => {
  const { login } = read({
    ...required,
    LOGIN_CLIENT_SECRET: 'canary',
    LOGIN_SCOPES: 'openid, email  openid',
    LOGIN_ACR_VALUES: 'urn:example:mfa pwd',
    LOGIN_MAX_AGE: '0'
  })
  t.match(login, { scopes: ['openid', 'email'], acrValues: ['urn:example:mfa', 'pwd'], maxAgeSeconds: 0 })
  t.equal(login?.clientSecret?.reveal(), 'canary')
  t.notMatch(JSON.stringify(login), 'canary')
})

t.test('the secret may be in a file', async t => {
  const file = join(t.testdir({ secret: 'canary\n' }), 'secret')
  t.equal(read({ ...required, LOGIN_CLIENT_SECRET_FILE: file }).login?.clientSecret?.reveal(), 'canary')
})

t.test('the issuer is kept as it is written', async t => {
  for (const issuer of ['https://login.example.com/', 'https://login.example.com/realms/A%20b', 'https://LOGIN.example.com/x/'])
    t.equal(read({ ...required, LOGIN_ISSUER: issuer }).login?.issuer, issuer)
})

t.test('an issuer without a client is a problem, and a client without an issuer', async t => {
  const missing = (name: string, first: string, example: string) =>
    `${name} is missing: the sign-in of users needs it, and ${first} is set. Set it, for example ${example}.`
  const id = 'LOGIN_CLIENT_ID=abc123'
  const issuer = 'LOGIN_ISSUER=https://login.example.com'
  t.strictSame(read({ LOGIN_ISSUER: required.LOGIN_ISSUER }).problems, [missing('LOGIN_CLIENT_ID', 'LOGIN_ISSUER', id)])
  t.strictSame(read({ LOGIN_CLIENT_ID: 'x' }).problems, [missing('LOGIN_ISSUER', 'LOGIN_CLIENT_ID', issuer)])
  for (const [name, value] of Object.entries({
    LOGIN_CLIENT_SECRET: 'canary',
    LOGIN_SCOPES: 'openid',
    LOGIN_ACR_VALUES: 'mfa',
    LOGIN_MAX_AGE: '60'
  })) {
    const { login, problems } = read({ [name]: value })
    t.equal(login, undefined)
    t.strictSame(problems, [missing('LOGIN_ISSUER', name, issuer), missing('LOGIN_CLIENT_ID', name, id)])
  }
})

t.test('all problems are told at once, each with an example', async t => {
  const { login, problems } = read({
    LOGIN_ISSUER: 'login.example.com',
    LOGIN_CLIENT_ID: 'clïent',
    LOGIN_CLIENT_SECRET: 'canary\u00e9',
    LOGIN_SCOPES: 'profile email',
    LOGIN_ACR_VALUES: 'm"fa',
    LOGIN_MAX_AGE: '1h'
  })
  t.equal(login, undefined)
  t.strictSame([...problems].sort(), [
    'LOGIN_ACR_VALUES must be words of printable ASCII, separated by spaces, for example LOGIN_ACR_VALUES=urn:example:mfa.',
    'LOGIN_CLIENT_ID contains a character that is not printable ASCII. Copy it again, for example LOGIN_CLIENT_ID=abc123.',
    'LOGIN_CLIENT_SECRET contains a character that is not printable ASCII. Copy it again, for example LOGIN_CLIENT_SECRET_FILE=/run/secrets/login_client_secret.',
    'LOGIN_ISSUER must be an absolute http or https URL, for example LOGIN_ISSUER=https://login.example.com.',
    'LOGIN_MAX_AGE must be a whole number from 0 to 31536000, for example LOGIN_MAX_AGE=3600.',
    'LOGIN_SCOPES must contain openid, without which there is no id token, for example LOGIN_SCOPES=openid profile email.'
  ])
  t.notMatch(problems.join(), 'canary')
})

t.test('an issuer that cannot be one is a problem', async t => {
  for (const [issuer, problem] of [
    ['https://login.example.com?tenant=1', 'must not contain a query or fragment'],
    ['https://login.example.com#x', 'must not contain a query or fragment'],
    ['https://user:canary@login.example.com', 'must not contain a user name or password'],
    ['https://login.example.com/.well-known/openid-configuration', 'is the address of the issuer’s metadata']
  ] as const) {
    const { login, problems } = read({ ...required, LOGIN_ISSUER: issuer })
    t.equal(login, undefined)
    t.equal(problems.length, 1)
    t.match(problems[0], `LOGIN_ISSUER ${problem}`)
    t.match(problems[0], 'for example LOGIN_ISSUER=https://login.example.com.')
    t.notMatch(problems[0], 'canary')
  }
})

t.test('in production an issuer off this machine is on https', async t => {
  const issuer = 'http://login.example.com'
  t.match(read({ ...required, LOGIN_ISSUER: issuer }).login, { issuer })
  t.strictSame(read({ ...required, LOGIN_ISSUER: issuer }, true).problems, [
    'LOGIN_ISSUER must be https, for example LOGIN_ISSUER=https://login.example.com.'
  ])
  t.match(read({ ...required, LOGIN_ISSUER: 'http://localhost:8080' }, true).login, { issuer: 'http://localhost:8080' })
})

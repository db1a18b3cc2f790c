import t from 'tap'
import { development, newKey, problemsOf, production, read } from './support.ts'

const hour = 3_600_000
const day = 24 * hour
const issuer = 'https://login.example.com'
const login = { LOGIN_ISSUER: issuer, LOGIN_CLIENT_ID: 'client-1' }
const jwt = { JWT_ISSUER: issuer, JWT_AUDIENCE: 'https://connect.example.com' }
const secrets = { JWT_SECRETS: newKey(), JWT_AUDIENCE: 'https://connect.example.com' }
const serviceKey = { SERVICE_KEYS: `nightly:${'ab'.repeat(32)}` }

t.test('with sign-in of users a session is short', async t => {
  t.strictSame(read({ ...development, ...login }).session, { idleMs: 12 * hour, maxMs: 7 * day })
  t.strictSame(read({ ...development, ...jwt }).session, { idleMs: 14 * day, maxMs: 90 * day }, 'bearers have none')
  t.strictSame(read({ ...development, ...login, SESSION_IDLE: '86400' }).session, { idleMs: day, maxMs: 7 * day })
  t.strictSame(read({ ...development, ...login, SESSION_MAX: '3600' }).session, { idleMs: hour, maxMs: hour })
  t.match(problemsOf({ ...development, ...login, SESSION_IDLE: 'x' })[0], /for example SESSION_IDLE=43200\.$/)
})

t.test('CONNECTION_IDLE is in seconds, and does not depend on sessions', async t => {
  t.equal(read(development).connectionIdleMs, 180 * day)
  t.equal(read({ ...development, ...login }).connectionIdleMs, 180 * day)
  t.equal(read({ ...development, CONNECTION_IDLE: '1', SESSION_MAX: '3600' }).connectionIdleMs, 1000)
  t.equal(read({ ...development, CONNECTION_IDLE: '315360000' }).connectionIdleMs, 3650 * day)
})

t.test('the issuers of the sign-in and of tokens are the same', async t => {
  t.strictSame(problemsOf({ ...production, ...login, ...jwt }), [])
  for (const JWT_ISSUER of [`${issuer}/`, 'https://other.example.com', 'https://LOGIN.example.com'])
    t.strictSame(
      problemsOf({ ...production, ...login, ...jwt, JWT_ISSUER }),
      [
        `LOGIN_ISSUER and JWT_ISSUER name different issuers, so nobody would be the same user in a page and with a token. Set both to one, for example LOGIN_ISSUER=${issuer} and JWT_ISSUER the same.`
      ],
      JWT_ISSUER
    )
  t.match(problemsOf({ ...production, ...login, ...secrets, JWT_ISSUER: 'app' }), [/name different issuers/])
})

t.test('tokens without an issuer name the users of the sign-in', async t => {
  const config = read({ ...production, ...login, ...secrets })
  t.strictSame(config.userNamespaces, [{ issuer, claim: 'sub' }])
  t.equal(config.bearer.jwt?.issuer, undefined)
})

t.test('users have one namespace, whichever way they come', async t => {
  for (const [variables, namespace] of [
    [{}, { issuer: '', claim: 'sub' }],
    [serviceKey, { issuer: '', claim: 'sub' }],
    [secrets, { issuer: '', claim: 'sub' }],
    [
      { ...secrets, JWT_ISSUER: 'app' },
      { issuer: 'app', claim: 'sub' }
    ],
    [jwt, { issuer, claim: 'sub' }],
    [
      { ...jwt, JWT_USER_CLAIM: 'email' },
      { issuer, claim: 'email' }
    ],
    [login, { issuer, claim: 'sub' }],
    [
      { ...login, ...serviceKey },
      { issuer, claim: 'sub' }
    ],
    [
      { ...login, ...jwt, ...serviceKey },
      { issuer, claim: 'sub' }
    ]
  ] as const)
    t.strictSame(read({ ...development, ...variables }).userNamespaces, [namespace], JSON.stringify(variables))
})

t.test('another claim than sub makes two kinds of users, with a warning', async t => {
  const config = read({ ...production, ...login, ...jwt, JWT_USER_CLAIM: 'email' })
  t.strictSame(config.userNamespaces, [
    { issuer, claim: 'email' },
    { issuer, claim: 'sub' }
  ])
  t.match(config.warnings, [/^JWT_USER_CLAIM is email: .+ They are different users/])
  t.strictSame(read({ ...production, ...jwt, JWT_USER_CLAIM: 'email' }).warnings, [])
})

t.test('half a sign-in or half a bearer is no configuration', async t => {
  for (const [variables, names] of [
    [{ LOGIN_ISSUER: issuer }, ['LOGIN_CLIENT_ID']],
    [{ LOGIN_CLIENT_SECRET: 'canary' }, ['LOGIN_ISSUER', 'LOGIN_CLIENT_ID']],
    [{ JWT_ISSUER: issuer }, ['JWT_AUDIENCE']],
    [{ JWT_AUDIENCE: 'a' }, ['JWT_ISSUER']],
    [{ JWT_USER_CLAIM: 'email' }, ['JWT_AUDIENCE', 'JWT_ISSUER']],
    [{ ...jwt, JWT_SECRETS: newKey(), JWT_JWKS_URL: `${issuer}/jwks` }, ['JWT_SECRETS']]
  ] as const) {
    const problems = problemsOf({ ...production, ...variables })
    t.strictSame(
      problems.map(problem => /^[A-Z_]+/.exec(problem)?.[0]),
      names,
      JSON.stringify(variables)
    )
    for (const problem of problems) t.notMatch(problem, /canary/)
  }
})

t.test('in production an issuer is https', async t => {
  const http = 'http://login.example.com'
  t.match(problemsOf({ ...production, ...login, LOGIN_ISSUER: http }), [/^LOGIN_ISSUER/])
  t.match(problemsOf({ ...production, ...jwt, JWT_ISSUER: http }), [/^JWT_ISSUER/])
})

t.test('the issuer may be inside the operator’s network', async t => {
  t.strictSame(read(development).issuerOrigins, [])
  t.strictSame(read({ ...development, ...login, LOGIN_ISSUER: `${issuer}/realms/a` }).issuerOrigins, [issuer])
  t.strictSame(read({ ...development, ...jwt, JWT_JWKS_URL: 'https://keys.example.com/jwks' }).issuerOrigins, [
    issuer,
    'https://keys.example.com'
  ])
  t.strictSame(read({ ...development, ...secrets, JWT_ISSUER: issuer }).issuerOrigins, [], 'nothing is fetched from it')
})

const pattern = 'https://*.preview.example.com'

t.test('SEC-25: a pattern of origins needs bearers', async t => {
  t.strictSame(problemsOf({ ...production, ALLOWED_ORIGINS: pattern }), [
    `ALLOWED_ORIGINS: "${pattern}" counts only for requests with a bearer token, and none are configured. Set JWT_ISSUER and JWT_AUDIENCE, or list exact origins, for example ALLOWED_ORIGINS=https://app.example.com.`
  ])
  t.match(problemsOf({ ...production, ...login, ALLOWED_ORIGINS: pattern }), [/counts only for requests with a bearer token/])
  for (const bearers of [jwt, secrets, serviceKey]) {
    const { allowedOrigins } = read({ ...production, ...bearers, ALLOWED_ORIGINS: `https://app.example.com,${pattern}` })
    t.strictSame([...allowedOrigins], ['https://connect.example.com', 'https://app.example.com'])
    t.ok(allowedOrigins.hasForBearer('https://pr-1.preview.example.com'))
    t.notOk(allowedOrigins.has('https://pr-1.preview.example.com'))
  }
})

t.test('SEC-25: with bearers, a pattern has one leading label of a domain', async t => {
  for (const text of ['*', 'https://*', 'https://*.com', 'https://*.*.example.com', 'https://a-*.example.com', 'https://*.example.com/x'])
    t.match(
      problemsOf({ ...production, ...jwt, ALLOWED_ORIGINS: text }),
      [/is not an exact origin, nor a pattern of one leading label/],
      text
    )
})

t.test('with bearers, a frontend on another site is no mistake', async t => {
  const ALLOWED_ORIGINS = 'https://app.example.org'
  t.match(read({ ...production, ...login, ALLOWED_ORIGINS }).warnings, [/may be another site/])
  for (const bearers of [jwt, secrets]) t.strictSame(read({ ...production, ...bearers, ALLOWED_ORIGINS }).warnings, [])
})

t.test('a misspelled variable of users stops the start', async t => {
  for (const [name, known] of [
    ['LOGIN_CLIENTID', 'LOGIN_CLIENT_ID'],
    ['JWT_AUDIENCES', 'JWT_AUDIENCE'],
    ['SERVICE_KEY', 'SERVICE_KEYS'],
    ['CONNECTION_IDEL', 'CONNECTION_IDLE']
  ] as const)
    t.ok(
      problemsOf({ ...production, [name]: 'x' }).some(problem => problem.startsWith(name) && problem.includes(known)),
      name
    )
})

t.test('SEC-40: no problem or warning repeats a secret of users', async t => {
  const variables = {
    ...production,
    LOGIN_CLIENT_SECRET: 'canary\u0000',
    JWT_SECRETS: 'canary',
    JWT_AUDIENCE: '',
    SERVICE_KEYS: `nightly:canary,canary`,
    JWT_JWKS_URL: 'https://canary@keys.example.com'
  }
  const problems = problemsOf(variables)
  t.ok(problems.length >= 5, problems.join('\n'))
  for (const problem of problems) t.notMatch(problem, /canary/, problem)
})

import t from 'tap'
import { development, problemsOf, production, read } from './support.ts'

t.test('SEC-42: NODE_ENV accepts three exact values and no variants of them', async t => {
  t.equal(read(production).production, true)
  for (const NODE_ENV of [undefined, '', 'development', 'test'])
    t.equal(read({ ...development, NODE_ENV }).production, false, String(NODE_ENV))
  for (const NODE_ENV of [
    'prod',
    'Production',
    'PRODUCTION',
    ' production ',
    'production\n',
    '"production"',
    'staging',
    'live',
    '1',
    'true',
    ' '
  ])
    t.strictSame(
      problemsOf({ ...production, NODE_ENV }),
      [`NODE_ENV is ${JSON.stringify(NODE_ENV)}. It must be production, development or test, for example NODE_ENV=production.`],
      NODE_ENV
    )
  for (const NODE_ENV of ['dev', 'Development', 'testing', ' test'])
    t.strictSame(
      problemsOf({ ...development, NODE_ENV }),
      [`NODE_ENV is ${JSON.stringify(NODE_ENV)}. It must be production, development or test, for example NODE_ENV=production.`],
      NODE_ENV
    )
})

t.test('SEC-42: with an invalid NODE_ENV the production checks still run', async t => {
  const problems = problemsOf({ NODE_ENV: 'prod', PUBLIC_URL: 'http://connect.example.com', HOST: '0.0.0.0' })
  t.strictSame(
    problems.map(problem => /^\w+/.exec(problem)?.[0]),
    ['NODE_ENV', 'PUBLIC_URL', 'SESSION_KEYS', 'TOKEN_KEYS', 'No']
  )
})

t.test('NODE_ENV cannot be read from a file, since libraries read the variable', async t => {
  t.match(problemsOf({ ...development, NODE_ENV_FILE: '/run/secrets/mode' }), [
    /^NODE_ENV_FILE: NODE_ENV is not read from a file\. .* NODE_ENV=production\.$/
  ])
})

t.test('SEC-42: development that others can reach is refused unless it is confirmed', async t => {
  for (const NODE_ENV of [undefined, '', 'development', 'test']) {
    for (const HOST of ['0.0.0.0', '::', '10.0.0.1', '203.0.113.7', 'gateway.internal', '::ffff:0.0.0.0'])
      t.match(
        problemsOf({ ...development, NODE_ENV, HOST }),
        [
          /^HOST is ".+", which others can reach, .* Set for example NODE_ENV=production or HOST=127\.0\.0\.1\. If this is intended, .* set ALLOW_PUBLIC_DEVELOPMENT=1\.$/
        ],
        HOST
      )
    for (const PUBLIC_URL of [
      'https://connect.example.com',
      'http://10.0.0.1:3000',
      'http://0.0.0.0:3000',
      'https://localhost.example.com'
    ])
      t.match(
        problemsOf({ ...development, NODE_ENV, PUBLIC_URL }),
        [/^PUBLIC_URL is ".+", which others can reach, .* Set for example NODE_ENV=production or PUBLIC_URL=http:\/\/localhost:3000\. /],
        PUBLIC_URL
      )
    for (const HOST of ['127.0.0.1', '127.0.0.2', '::1', 'localhost'])
      for (const PUBLIC_URL of ['http://localhost:8080', 'http://127.0.0.1:3000', 'http://[::1]:3000', 'https://gateway.localhost'])
        t.strictSame(problemsOf({ ...development, NODE_ENV, HOST, PUBLIC_URL }), [], `${HOST} ${PUBLIC_URL}`)
  }
})

t.test('ALLOW_PUBLIC_DEVELOPMENT=1 turns the refusal into a warning', async t => {
  const exposed = { ...development, HOST: '0.0.0.0', PUBLIC_URL: 'http://10.0.0.1:3000' }
  t.match(read({ ...exposed, ALLOW_PUBLIC_DEVELOPMENT: '1' }).warnings, [
    /^HOST is "0\.0\.0\.0" and PUBLIC_URL is "http:\/\/10\.0\.0\.1:3000", and this is development mode/
  ])
  t.strictSame(read({ ...development, ALLOW_PUBLIC_DEVELOPMENT: '1' }).warnings, [])
  t.match(problemsOf({ ...development, ALLOW_PUBLIC_DEVELOPMENT: 'yes' }), [
    'ALLOW_PUBLIC_DEVELOPMENT must be 1, for example ALLOW_PUBLIC_DEVELOPMENT=1.'
  ])
})

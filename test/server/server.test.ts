import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startTestSandbox } from '../support/gateway.ts'
import { runNode, startNode, stopped } from '../support/node-process.ts'
import { startRedis } from '../support/redis.ts'

const server = join(import.meta.dirname, '..', '..', 'src', 'cli', 'start.ts')

/** The gateway as `npm start` runs it. */
const run = (t: Test, environment: Record<string, string>) => runNode(t, server, environment)
const started = (t: Test, environment: Record<string, string>) => startNode(t, server, environment)

t.test('without any configuration it starts with every provider in the sandbox, and says what to do next', async t => {
  const dataDir = join(t.testdir(), 'data')
  // Not 0: a port of the system's choice might be that of somebody's outgoing connection when it starts again.
  const environment = { PORT: `${await freePort()}`, DATA_DIR: dataDir }
  const gateway = await started(t, environment)
  for (const line of [
    /Tokens are kept, sealed, in: .*sqlite/i,
    /Providers: .*Productboard/,
    /sandbox/,
    /Outgrow sandbox_outgrow_key/,
    /_CLIENT_ID/
  ])
    t.match(gateway.output(), line)
  t.notMatch(gateway.output(), /Warning/)
  const browser = new Browser()
  for (const provider of ['productboard', 'process-street', 'outgrow', 'ignition']) {
    t.equal((await browser.connect(gateway.url, provider)).url, `${gateway.url}/`)
    t.equal((await browser.fetch(`${gateway.url}/proxy/${provider}/echo`)).status, 200)
  }
  t.equal(await stopped(gateway), 0, 'SIGTERM ends it well')
  for (const file of ['keys.json', 'sandbox.json']) t.equal(statSync(join(dataDir, file)).mode & 0o777, 0o600)

  const again = await started(t, environment)
  for (const provider of ['productboard', 'process-street', 'outgrow', 'ignition'])
    t.equal((await browser.fetch(`${again.url}/proxy/${provider}/echo`)).status, 200, `${provider} is still connected`)
  await browser.fetch(`${again.url}/connections/productboard/refresh`, { method: 'POST' })
  t.equal((await browser.fetch(`${again.url}/proxy/productboard/echo`)).status, 200, 'and renews')
})

t.test('in production nothing is guessed: every problem is printed at once, and it exits with 78', async t => {
  const { child, output } = run(t, {
    NODE_ENV: 'production',
    PORT: 'many',
    PUBLIC_URL: 'http://connect.example.com',
    SESSION_KEYS: 'short',
    PRODUCTBOARD_CLIENT_ID: 'only-half',
    SESSION_IDLE: '-1',
    REDIS_URL: 'http://redis',
    TRUST_PROXY: 'everyone',
    LOG_LEVEL: 'loud',
    ALLOWED_ORIGINS: '*'
  })
  const [code] = await once(child, 'close')
  t.equal(code, 78)
  for (const name of [
    'PORT',
    'PUBLIC_URL',
    'SESSION_KEYS',
    'TOKEN_KEYS',
    'PRODUCTBOARD_CLIENT_SECRET',
    'SESSION_IDLE',
    'REDIS_URL',
    'TRUST_PROXY',
    'LOG_LEVEL',
    'ALLOWED_ORIGINS',
    'No provider'
  ]) {
    t.match(output(), name)
  }
  t.notMatch(output(), /ready/)
  t.notMatch(output(), /\n {4}at /, 'no stack')
})

t.test('SEC-42: what is misspelt or open to everybody never starts, and what is wrong is said without a stack', async t => {
  for (const [environment, said] of [
    [{ NODE_ENV: 'prod', HOST: '0.0.0.0' }, /- NODE_ENV is "prod"/],
    [{ NODE_ENV: '', HOST: '0.0.0.0' }, /- HOST is "0\.0\.0\.0", which others can reach/],
    [{ PUBLIC_URL: 'https://connect.example.com' }, /- PUBLIC_URL is "https:\/\/connect\.example\.com", which others can reach/],
    [{ TRUST_PROXY: '0.0.0.0/0' }, /- TRUST_PROXY: "0\.0\.0\.0\/0" is so wide/],
    [{ HOST: 'localhost:3000' }, /- HOST: "localhost:3000" is not an IP address/],
    [{ DATA_DIR: '/dev/null' }, /- DATA_DIR: "\/dev\/null" cannot be used/],
    [{ NODE_ENV: 'production', SESION_KEYS: 'canary' }, /- SESION_KEYS is not a known variable; SESSION_KEYS is probably meant/]
  ] as const) {
    const { child, output } = run(t, { PORT: '0', DATA_DIR: join(t.testdirName, 'data'), ...environment })
    t.equal((await once(child, 'close'))[0], 78, Object.keys(environment).join())
    t.match(output(), said)
    t.notMatch(output(), /\n {4}at |is ready|canary/)
  }
})

t.test('what may be meant and is likely not is warned of at the start', async t => {
  const { output } = await started(t, {
    PORT: '0',
    DATA_DIR: t.testdir(),
    ALLOWED_ORIGINS: 'https://app.example.com',
    REDIS_URI: 'canary',
    HOST: '0.0.0.0',
    ALLOW_PUBLIC_DEVELOPMENT: '1'
  })
  for (const said of [
    /^ {2}Warning: ALLOWED_ORIGINS: "https:/m,
    /^ {2}Warning: REDIS_URI is not a known variable/m,
    /^ {2}Warning: HOST is "0\.0\.0\.0", and this is development/m
  ])
    t.match(output(), said)
  t.notMatch(output(), /canary/)
})

t.test('a store that cannot be opened, and an address that is not this machine’s, are said in words', async t => {
  const broken = t.testdir({ 'grantkeeper.sqlite': 'this is a text and no database, however long it may go on'.repeat(20) })
  const keys = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  for (const [environment, code, said] of [
    [{ DATA_DIR: broken }, 78, /^Cannot open the store .* file is not a database\. DATA_DIR must be/m],
    [
      { DATA_DIR: join(broken, 'data'), HOST: '192.0.2.1', ALLOW_PUBLIC_DEVELOPMENT: '1' },
      1,
      /^HOST: 192\.0\.2\.1 cannot be listened on \(EADDRNOTAVAIL\).* HOST=127\.0\.0\.1\.$/m
    ],
    [
      { DATA_DIR: join(broken, 'data'), HOST: 'nowhere.invalid', ALLOW_PUBLIC_DEVELOPMENT: '1' },
      1,
      /^HOST: nowhere\.invalid cannot be listened on \((ENOTFOUND|EAI_AGAIN)\)/m
    ]
  ] as const) {
    const { child, output } = run(t, { PORT: '0', ...keys, ...environment })
    t.equal((await once(child, 'close'))[0], code, output())
    t.match(output(), said)
    t.notMatch(output(), /\n {4}at |is ready/)
  }
})

t.test('PORT and HOST may stand in files, also with several processes and PORT=0', async t => {
  const redis = await startRedis(t)
  const directory = t.testdir({ port: '0\n', host: 'localhost\n', keys: newKey() })
  const gateway = await started(t, {
    PORT_FILE: join(directory, 'port'),
    HOST_FILE: join(directory, 'host'),
    SESSION_KEYS_FILE: join(directory, 'keys'),
    TOKEN_KEYS_FILE: join(directory, 'keys'),
    REDIS_URL: redis.url,
    WORKERS: '2',
    PRODUCTBOARD_CLIENT_ID: 'id',
    PRODUCTBOARD_CLIENT_SECRET: 'secret'
  })
  t.equal((await fetch(`${gateway.url}/health/live`)).status, 200)
  t.equal(await stopped(gateway), 0)
})

t.test('a port that is taken is said in words', async t => {
  const first = await started(t, { PORT: '0', DATA_DIR: t.testdir() })
  const { child, output } = run(t, { PORT: new URL(first.url).port, DATA_DIR: join(t.testdirName, 'second') })
  t.equal((await once(child, 'close'))[0], 1)
  t.match(output(), /taken/)
})

for (const kind of ['the embedded store', 'Redis'] as const) {
  t.test(`after a restart of the process the browser is still connected, with ${kind}`, async t => {
    const port = await freePort()
    const sandbox = await startTestSandbox(t, [port])
    const redis = kind === 'Redis' ? await startRedis(t) : undefined
    const environment: Record<string, string> = {
      ...sandbox.environment,
      PORT: String(port),
      DATA_DIR: t.testdir(),
      NODE_ENV: 'production',
      SESSION_KEYS: newKey(),
      TOKEN_KEYS: newKey(),
      ...(redis && { REDIS_URL: redis.url })
    }
    const first = await started(t, environment)
    const browser = new Browser()
    await browser.connect(first.url, 'productboard')
    t.equal((await browser.fetch(`${first.url}/proxy/productboard/v2/notes`)).status, 200)
    // Killed, not asked: what counts must be in the store already.
    await stopped(first, 'SIGKILL')

    const second = await started(t, environment)
    t.equal((await browser.fetch(`${second.url}/proxy/productboard/v2/notes`)).status, 200)
    sandbox.vendor('productboard').expireAccessTokens()
    t.equal((await browser.fetch(`${second.url}/proxy/productboard/v2/notes`)).status, 200)
    t.equal(sandbox.vendor('productboard').counts.tokenRequests.refresh_token, 1)
    t.equal(await stopped(second), 0)
  })
}

t.test('SIGTERM lets a call under way finish', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await started(t, { ...provider.environment, PORT: '0', DATA_DIR: t.testdir() })
  const browser = new Browser()
  await signIn(gateway, browser)
  const arrived = Promise.withResolvers<() => void>()
  provider.api = (_, r) => arrived.resolve(() => json(r, 200, { finished: true }))
  const call = browser.fetch(`${gateway.url}/proxy/productboard/x`)
  const answer = await arrived.promise
  const exit = once(gateway.child, 'exit')
  gateway.child.kill('SIGTERM')
  answer()
  t.same(await (await call).json(), { finished: true })
  t.equal((await exit)[0], 0)
})

t.test('SEC-40: a fault that ends the process is logged by its name and place, and not by its message', async t => {
  const fault = `process.once('SIGUSR2', () => { throw new RangeError(process.env.CANARY) })`
  const gateway = await started(t, {
    PORT: '0',
    DATA_DIR: t.testdir(),
    CANARY: 'fault-canary',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`
  })
  const close = once(gateway.child, 'close')
  gateway.child.kill('SIGUSR2')
  t.same(await close, [1, null])
  t.match(gateway.output(), /"name":"RangeError","stack":\[" {4}at .*a fault of its own/)
  t.notMatch(gateway.output(), 'fault-canary')
})

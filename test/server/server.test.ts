import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { apiKeyWith, providerWith } from '../core/support.ts'
import { Browser } from '../support/browser.ts'
import { runGateway, startGatewayProcess as startGateway } from '../support/command.ts'
import { signIn } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startTestSandbox } from '../support/gateway.ts'
import { stopProcess } from '../support/node-process.ts'
import { startRedis } from '../support/redis.ts'

t.test('without configuration every provider runs in the sandbox, and survives a restart', async t => {
  const dataDir = join(t.testdir(), 'data')
  // Not PORT=0: the system could give that port to an outgoing connection before the restart.
  const environment = { PORT: `${await freePort()}`, DATA_DIR: dataDir }
  const gateway = await startGateway(t, environment)
  for (const line of [
    /Tokens are stored, encrypted, in: .*sqlite/i,
    /Providers: .*Productboard/,
    /sandbox/,
    /Keys, and other values that it accepts, are at http:\/\/127\.0\.0\.1:\d+/,
    /_CLIENT_ID/
  ])
    t.match(gateway.output(), line)
  t.notMatch(gateway.output(), /Warning/)
  const browser = new Browser()
  for (const provider of ['productboard', 'process-street', 'outgrow', 'ignition']) {
    t.equal((await browser.connect(gateway.url, provider)).url, `${gateway.url}/`)
    t.equal((await browser.fetch(`${gateway.url}/proxy/${provider}/echo`)).status, 200)
  }
  t.equal(await stopProcess(gateway), 0, 'SIGTERM ends it with exit code 0')
  for (const file of ['keys.json', 'sandbox.json']) t.equal(statSync(join(dataDir, file)).mode & 0o777, 0o600)

  const restarted = await startGateway(t, environment)
  for (const provider of ['productboard', 'process-street', 'outgrow', 'ignition'])
    t.equal((await browser.fetch(`${restarted.url}/proxy/${provider}/echo`)).status, 200, `${provider} is still connected`)
  await browser.fetch(`${restarted.url}/connections/productboard/refresh`, { method: 'POST' })
  t.equal((await browser.fetch(`${restarted.url}/proxy/productboard/echo`)).status, 200, 'tokens are refreshed')
})

/** A definition of the operator's own with a key of two fields. */
const withTwoFields = providerWith({
  methods: {
    apiKey: {
      ...apiKeyWith({ in: 'basic', username: '{email}/token', password: '{key}' }),
      fields: { email: { title: 'Email', example: 'ada@acme.com' }, key: { title: 'API token', example: 'abc', secret: true } }
    }
  }
})

t.test('the hint for a key of two fields says what stands beside the key', async t => {
  const folder = t.testdir({ 'acme.json': JSON.stringify(withTwoFields) })
  const gateway = await startGateway(t, { PROVIDERS_FROM: join(folder, 'acme.json'), PROVIDERS: 'acme', DATA_DIR: join(folder, 'data') })
  t.match(gateway.output(), /API keys that it accepts: Acme \S+ with email=ada@acme\.com$/m)
})

t.test('a start for a broken definition alone prints its problems, and exits with 78', async t => {
  const folder = t.testdir({ 'acme.json': JSON.stringify({ ...withTwoFields, colour: '#fff' }) })
  const { child, output } = runGateway(t, { PROVIDERS_FROM: folder, PORT: '0', DATA_DIR: folder })
  const [code] = await once(child, 'close')
  t.equal(code, 78)
  t.match(output(), /acme\.json: colour is not a field of a definition\. Did you mean color\?$/m)
})

t.test('in production every configuration problem is printed, with exit code 78', async t => {
  const { child, output } = runGateway(t, {
    NODE_ENV: 'production',
    PORT: 'many',
    PUBLIC_URL: 'http://connect.example.com',
    SESSION_KEYS: 'short',
    PRODUCTBOARD_CLIENT_SECRET: 'only-half',
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
    'PRODUCTBOARD_CLIENT_ID',
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

t.test('SEC-42: an unsafe configuration fails the start with a message and no stack', async t => {
  for (const [environment, message] of [
    [{ NODE_ENV: 'prod', HOST: '0.0.0.0' }, /- NODE_ENV is "prod"/],
    [{ NODE_ENV: '', HOST: '0.0.0.0' }, /- HOST is "0\.0\.0\.0", which others can reach/],
    [{ PUBLIC_URL: 'https://connect.example.com' }, /- PUBLIC_URL is "https:\/\/connect\.example\.com", which others can reach/],
    [{ TRUST_PROXY: '0.0.0.0/0' }, /- TRUST_PROXY: "0\.0\.0\.0\/0" is so wide/],
    [{ HOST: 'localhost:3000' }, /- HOST: "localhost:3000" is not an IP address/],
    [{ DATA_DIR: '/dev/null' }, /- DATA_DIR: "\/dev\/null" cannot be used/],
    [{ NODE_ENV: 'production', SESION_KEYS: 'canary' }, /- SESION_KEYS is not a known variable; SESSION_KEYS is probably meant/]
  ] as const) {
    const { child, output } = runGateway(t, { PORT: '0', DATA_DIR: join(t.testdirName, 'data'), ...environment })
    t.equal((await once(child, 'close'))[0], 78, Object.keys(environment).join())
    t.match(output(), message)
    t.notMatch(output(), /\n {4}at |is ready|canary/)
  }
})

t.test('settings that are probably mistakes are warnings at the start', async t => {
  const { output } = await startGateway(t, {
    PORT: '0',
    DATA_DIR: t.testdir(),
    ALLOWED_ORIGINS: 'https://app.example.com',
    REDIS_URI: 'canary',
    HOST: '0.0.0.0',
    ALLOW_PUBLIC_DEVELOPMENT: '1'
  })
  for (const pattern of [
    /^ {2}Warning: ALLOWED_ORIGINS: "https:/m,
    /^ {2}Warning: REDIS_URI is not a known variable/m,
    /^ {2}Warning: HOST is "0\.0\.0\.0", and this is development/m
  ])
    t.match(output(), pattern)
  t.notMatch(output(), /canary/)
})

t.test('a broken store and a foreign HOST fail the start with a clear message', async t => {
  const broken = t.testdir({ 'grantkeeper.sqlite': 'this is text and not a database'.repeat(40) })
  const keys = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() }
  for (const [environment, code, message] of [
    [{ DATA_DIR: broken }, 78, /^Cannot open the store .* file is not a database\. DATA_DIR must be/m],
    [
      { DATA_DIR: join(broken, 'data'), HOST: '192.0.2.1', ALLOW_PUBLIC_DEVELOPMENT: '1' },
      1,
      /^HOST: cannot listen on 192\.0\.2\.1 \(EADDRNOTAVAIL\).* HOST=127\.0\.0\.1\.$/m
    ],
    [
      { DATA_DIR: join(broken, 'data'), HOST: 'nowhere.invalid', ALLOW_PUBLIC_DEVELOPMENT: '1' },
      1,
      /^HOST: cannot listen on nowhere\.invalid \((ENOTFOUND|EAI_AGAIN)\)/m
    ]
  ] as const) {
    const { child, output } = runGateway(t, { PORT: '0', ...keys, ...environment })
    t.equal((await once(child, 'close'))[0], code, output())
    t.match(output(), message)
    t.notMatch(output(), /\n {4}at |is ready/)
  }
})

t.test('PORT and HOST can be read from files, with workers and PORT=0', async t => {
  const redis = await startRedis(t)
  const directory = t.testdir({ port: '0\n', host: 'localhost\n', keys: newKey() })
  const gateway = await startGateway(t, {
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
  t.equal(await stopProcess(gateway), 0)
})

t.test('a port in use fails the start with a clear message', async t => {
  const first = await startGateway(t, { PORT: '0', DATA_DIR: t.testdir() })
  const { child, output } = runGateway(t, { PORT: new URL(first.url).port, DATA_DIR: join(t.testdirName, 'second') })
  t.equal((await once(child, 'close'))[0], 1)
  t.match(output(), /Port \d+ is already in use/)
})

for (const kind of ['the embedded store', 'Redis'] as const) {
  t.test(`connections survive a killed process, with ${kind}`, async t => {
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
    const first = await startGateway(t, environment)
    const browser = new Browser()
    await browser.connect(first.url, 'productboard')
    t.equal((await browser.fetch(`${first.url}/proxy/productboard/v2/notes`)).status, 200)
    // SIGKILL, so that only what is already stored survives.
    await stopProcess(first, 'SIGKILL')

    const second = await startGateway(t, environment)
    t.equal((await browser.fetch(`${second.url}/proxy/productboard/v2/notes`)).status, 200)
    sandbox.vendor('productboard').expireAccessTokens()
    t.equal((await browser.fetch(`${second.url}/proxy/productboard/v2/notes`)).status, 200)
    t.equal(sandbox.vendor('productboard').counts.tokenRequests.refresh_token, 1)
    t.equal(await stopProcess(second), 0)
  })
}

t.test('SIGTERM lets a request in flight finish', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { ...provider.environment, PORT: '0', DATA_DIR: t.testdir() })
  const browser = new Browser()
  await signIn(gateway, browser)
  const arrived = Promise.withResolvers<() => void>()
  provider.api = (_, r) => arrived.resolve(() => json(r, 200, { finished: true }))
  const response = browser.fetch(`${gateway.url}/proxy/productboard/x`)
  const respond = await arrived.promise
  const exit = once(gateway.child, 'exit')
  gateway.child.kill('SIGTERM')
  respond()
  t.same(await (await response).json(), { finished: true })
  t.equal((await exit)[0], 0)
})

t.test('SEC-40: a fatal error is logged with name and stack but without its message', async t => {
  const crash = `process.once('SIGUSR2', () => { throw new RangeError(process.env.CANARY) })`
  const gateway = await startGateway(t, {
    PORT: '0',
    DATA_DIR: t.testdir(),
    CANARY: 'message-canary',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}`
  })
  const close = once(gateway.child, 'close')
  gateway.child.kill('SIGUSR2')
  t.same(await close, [1, null])
  t.match(gateway.output(), /"name":"RangeError","stack":\[" {4}at .*uncaught error: shutting down/)
  t.notMatch(gateway.output(), 'message-canary')
})

import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { connect, redirectUri } from './oauth-client.ts'

const consoleCaptures = (['debug', 'error', 'info', 'log', 'warn'] as const).map(name => t.capture(console, name))

/** Those that sign in by the standard alone. */
const names = ['ignition', 'outgrow', 'process-street', 'productboard']
const definitions = (await loadProviders()).filter(({ name }) => names.includes(name))
const redirectUris = (vendor: string) => [redirectUri(vendor)]
const sandbox = await startSandbox({ definitions, redirectUris, switches: { outgrow: { accessTokenSeconds: 9 } } })
t.teardown(() => sandbox.close())

const get = (path: string, headers: Record<string, string> = {}) => fetch(sandbox.origin + path, { headers })
const patch = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(sandbox.origin + path, { method: 'PATCH', body, headers })

t.test('the environment has the sandbox, and the client of each provider', async t => {
  t.match(sandbox.origin, /^http:\/\/127\.0\.0\.1:\d+$/)
  const { SANDBOX_URL, ...clients } = sandbox.environment
  t.equal(SANDBOX_URL, sandbox.origin)
  for (const { name } of definitions) {
    const prefix = name.toUpperCase().replaceAll('-', '_')
    t.equal(clients[`${prefix}_CLIENT_ID`], `grantkeeper-${name}`)
    t.ok(Buffer.from(clients[`${prefix}_CLIENT_SECRET`] ?? '', 'base64url').length >= 32)
  }
})

t.test('providers with API keys have one that is the same at every start', async t => {
  const keyed = definitions.filter(({ methods }) => methods.apiKey).map(({ name }) => name)
  t.same(Object.keys(sandbox.apiKeys).sort(), keyed.sort())
  for (const [name, key] of Object.entries(sandbox.apiKeys)) t.equal(key, `sandbox_${name.replaceAll('-', '_')}_key`)
})

t.test('the root lists the vendors, and values that they accept', async t => {
  const { vendors, examples } = (await (await get('/')).json()) as { vendors: string[]; examples: object }
  t.strictSame(vendors, names)
  t.strictSame(examples, sandbox.examples)
  t.match(examples, { outgrow: { fields: { key: 'sandbox_outgrow_key' }, parameters: {} }, ignition: undefined })
})

t.test('a sign-in with every vendor logs nothing', async t => {
  for (const { name } of definitions) {
    const { tokens } = await connect(sandbox, name)
    t.ok(tokens.refresh_token, name)
  }
  t.same(
    consoleCaptures.flatMap(capture => capture()),
    []
  )
})

t.test('switches are returned, set and reset to their initial values', async t => {
  const outgrow = sandbox.vendor('outgrow')
  t.match(await (await get('/_switches')).json(), {
    productboard: { accessTokenSeconds: 300 },
    outgrow: { accessTokenSeconds: 9, tokenFault: null }
  })
  const set = await patch('/outgrow/_switches', '{"tokenFault":"stall","graceSeconds":60,"accessTokenSeconds":1}')
  t.equal(set.status, 200)
  t.match(await set.json(), { tokenFault: 'stall', graceSeconds: 60, tokenType: null })
  t.match(outgrow.switches, { tokenFault: 'stall', graceSeconds: 60, accessTokenSeconds: 1 })
  t.equal((await patch('/outgrow/_switches', '{"tokenFault":null}')).status, 200)
  t.equal(outgrow.switches.tokenFault, undefined)
  outgrow.reset()
  t.match(outgrow.switches, { graceSeconds: 0, accessTokenSeconds: 9 })
})

t.test('every switch is documented', async t => {
  const page = readFileSync(new URL('../../docs/command.md', import.meta.url), 'utf8')
  for (const name of Object.keys(sandbox.vendor('outgrow').switches)) t.ok(page.includes(`\`${name}\``), name)
})

t.test('an unknown or invalid switch is rejected, and none is set', async t => {
  const { switches } = sandbox.vendor('outgrow')
  for (const [body, message] of [
    ['{"dropTokenResponse":true,"colour":"green"}', /there is no switch "colour"; there are accessTokenSeconds, /],
    ['{"dropTokenResponse":true,"__proto__":{}}', /there is no switch "__proto__"/],
    ['{"dropTokenResponse":true,"graceSeconds":"60"}', /graceSeconds must be a whole number from 0 to /],
    ['{"dropTokenResponse":true,"accessTokenSeconds":0}', /accessTokenSeconds must be null or a whole number from 1 to /],
    ['{"dropTokenResponse":true,"omitIss":1}', /omitIss must be true or false/],
    ['{"dropTokenResponse":true,"tokenFault":"sulk"}', /tokenFault must be null or one of error500, error503, /],
    ['{"dropTokenResponse":true,"tokenFaultOn":null}', /tokenFaultOn must be one of all, /],
    ['{"dropTokenResponse":true,"tokenType":7}', /tokenType must be null or a string/],
    ['[]', /switches must be a JSON object/],
    ['', /switches must be a JSON object/]
  ] as const) {
    const response = await patch('/outgrow/_switches', body)
    t.equal(response.status, 400, body)
    t.match(((await response.json()) as { message: string }).message, message)
    t.equal(switches.dropTokenResponse, false)
  }
})

t.test('a web page cannot reach the switches', async t => {
  t.equal((await get('/_switches', { origin: 'https://elsewhere.example' })).status, 403)
  t.equal((await patch('/outgrow/_switches', '{"dropTokenResponse":true}', { origin: sandbox.origin })).status, 403)
  t.equal(sandbox.vendor('outgrow').switches.dropTokenResponse, false)
  const { hostname, port } = new URL(sandbox.origin)
  const rebound = await new Promise(resolve => {
    request({ hostname, port, path: '/_switches', headers: { host: `rebound.example:${port}` } }, res => {
      res.resume()
      resolve(res.statusCode)
    }).end()
  })
  t.equal(rebound, 403)
})

t.test('there are no switches at other paths', async t => {
  t.equal((await patch('/nobody/_switches', '{}')).status, 404)
  t.equal((await get('/outgrow/_switches')).status, 404)
  t.equal((await patch('/_switches', '{}')).status, 404)
})

t.test('an unknown vendor or a missing callback URL is an error', async t => {
  t.throws(() => sandbox.vendor('nobody'), { message: 'there is no vendor "nobody" in the sandbox' })
  await t.rejects(startSandbox({ definitions, redirectUris, switches: { nobody: {} } }), { message: /no vendor "nobody"/ })
  await t.rejects(startSandbox({ definitions, redirectUris: () => [] }), { message: /needs a callback URL for [a-z-]+/ })
})

t.test('two sandboxes share nothing, and one closes with a request in flight', async t => {
  const other = await startSandbox({ definitions, redirectUris, switches: { productboard: { apiFault: 'stall' } } })
  t.not(other.environment.PRODUCTBOARD_CLIENT_SECRET, sandbox.environment.PRODUCTBOARD_CLIENT_SECRET)
  const pending = t.rejects(fetch(`${other.vendor('productboard').definition.api.baseUrl}/v2/notes`))
  while (other.vendor('productboard').counts.apiCalls === 0) await new Promise(resolve => setImmediate(resolve))
  await other.close()
  await pending
  await other.close()
})

t.test('an error of the sandbox itself is a 500 and is reported', async t => {
  const errors: unknown[] = []
  const broken = await startSandbox({ definitions, redirectUris, onError: error => errors.push(error) })
  t.teardown(() => broken.close())
  const { switches } = broken.vendor('outgrow')
  const { app, tokens } = await connect(broken, 'outgrow')

  Object.assign(switches, { apiFault: 'unknown' })
  const response = await app.request('/get_cal')
  t.equal(response.status, 500)
  t.match(await response.json(), { message: 'The sandbox itself failed', error: /^TypeError/ })
  t.equal(errors.length, 1)

  const unreadable = new Error('unreadable')
  Object.defineProperty(switches, 'accessTokenSeconds', {
    get() {
      throw unreadable
    }
  })
  t.equal((await app.refresh(tokens.refresh_token)).status, 500)
  t.equal(errors.at(-1), unreadable)
})

t.test('without onError an error becomes a process warning', async t => {
  const warnings = t.capture(process, 'emitWarning')
  Object.assign(sandbox.vendor('outgrow').switches, { apiFault: 'unknown' })
  await get('/outgrow/api-calc.outgrow.co/api/v1/get_cal')
  t.match(warnings(), [{ args: [/^TypeError: [\s\S]*api\.ts/, 'SandboxWarning'] }])
})

t.test('a port in use is an error', async t => {
  const port = Number(new URL(sandbox.origin).port)
  await t.rejects(startSandbox({ definitions, redirectUris, port }), { code: 'EADDRINUSE' })
})

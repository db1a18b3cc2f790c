import { request } from 'node:http'
import t from 'tap'
import { connect, redirectUri } from './person.ts'

// Before anything of it is loaded: oidc-provider has things to say already then.
const said = (['debug', 'error', 'info', 'log', 'warn'] as const).map(name => t.capture(console, name))
const { startSandbox } = await import('../../src/sandbox/sandbox.ts')

const redirectUris = (vendor: string) => [redirectUri(vendor)]
const sandbox = await startSandbox({ redirectUris, switches: { outgrow: { accessTokenSeconds: 9 } } })
t.teardown(() => sandbox.close())

const get = (path: string, headers: Record<string, string> = {}) => fetch(sandbox.origin + path, { headers })
const patch = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(sandbox.origin + path, { method: 'PATCH', body, headers })

t.test('the sandbox tells the gateway everything it must know', async t => {
  t.match(sandbox.origin, /^http:\/\/127\.0\.0\.1:\d+$/)
  t.same(Object.keys(sandbox.environment).sort(), [
    'IGNITION_API_URL',
    'IGNITION_AUTHORIZE_URL',
    'IGNITION_CLIENT_ID',
    'IGNITION_CLIENT_SECRET',
    'IGNITION_REVOKE_URL',
    'IGNITION_TOKEN_URL',
    'OUTGROW_API_URL',
    'OUTGROW_AUTHORIZE_URL',
    'OUTGROW_CLIENT_ID',
    'OUTGROW_CLIENT_SECRET',
    'OUTGROW_TOKEN_URL',
    'PROCESS_STREET_API_URL',
    'PROCESS_STREET_AUTHORIZE_URL',
    'PROCESS_STREET_CLIENT_ID',
    'PROCESS_STREET_CLIENT_SECRET',
    'PROCESS_STREET_TOKEN_URL',
    'PRODUCTBOARD_API_URL',
    'PRODUCTBOARD_AUTHORIZE_URL',
    'PRODUCTBOARD_CLIENT_ID',
    'PRODUCTBOARD_CLIENT_SECRET',
    'PRODUCTBOARD_REVOKE_URL',
    'PRODUCTBOARD_TOKEN_URL'
  ])
  t.match(sandbox.environment, {
    PRODUCTBOARD_API_URL: `${sandbox.origin}/productboard/api`,
    PROCESS_STREET_API_URL: `${sandbox.origin}/process-street/api/v1.1`,
    OUTGROW_API_URL: `${sandbox.origin}/outgrow/api/v1`,
    IGNITION_API_URL: `${sandbox.origin}/ignition/external/api/v1`,
    IGNITION_REVOKE_URL: `${sandbox.origin}/ignition/oauth2/revoke`
  })
  t.ok(Buffer.from(sandbox.environment.OUTGROW_CLIENT_SECRET ?? '', 'base64url').length >= 32)
})

t.test('its keys are the same at every start, so that a person can be told them', async t => {
  t.same(sandbox.apiKeys, {
    outgrow: 'sandbox_outgrow_key',
    'process-street': 'sandbox_process_street_key',
    productboard: 'sandbox_productboard_key'
  })
})

t.test('a sign-in with every vendor prints nothing', async t => {
  for (const vendor of ['productboard', 'process-street', 'outgrow', 'ignition']) {
    const { tokens } = await connect(sandbox, vendor)
    t.ok(tokens.refresh_token, vendor)
  }
  t.same(
    said.flatMap(capture => capture()),
    []
  )
})

t.test('switches are shown, set, and reset to how they were at the start', async t => {
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

t.test('a switch that is unknown or of the wrong kind is refused, and nothing is set', async t => {
  const { switches } = sandbox.vendor('outgrow')
  for (const [body, message] of [
    ['{"answerLost":true,"colour":"green"}', /there is no switch "colour"; there are accessTokenSeconds, /],
    ['{"answerLost":true,"__proto__":{}}', /there is no switch "__proto__"/],
    ['{"answerLost":true,"graceSeconds":"60"}', /graceSeconds must be a whole number from 0 to /],
    ['{"answerLost":true,"accessTokenSeconds":0}', /accessTokenSeconds must be a whole number from 1 to /],
    ['{"answerLost":true,"omitIss":1}', /omitIss must be true or false/],
    ['{"answerLost":true,"tokenFault":"sulk"}', /tokenFault must be null or one of error500, error503, /],
    ['{"answerLost":true,"tokenFaultOn":null}', /tokenFaultOn must be one of all, /],
    ['{"answerLost":true,"tokenType":7}', /tokenType must be null or a text/],
    ['[]', /switches must be a JSON object/],
    ['', /switches must be a JSON object/]
  ] as const) {
    const answer = await patch('/outgrow/_switches', body)
    t.equal(answer.status, 400, body)
    t.match(((await answer.json()) as { message: string }).message, message)
    t.equal(switches.answerLost, false)
  }
})

t.test('switches are out of reach for a web page', async t => {
  t.equal((await get('/_switches', { origin: 'https://elsewhere.example' })).status, 403)
  t.equal((await patch('/outgrow/_switches', '{"answerLost":true}', { origin: sandbox.origin })).status, 403)
  t.equal(sandbox.vendor('outgrow').switches.answerLost, false)
  const { hostname, port } = new URL(sandbox.origin)
  const rebound = await new Promise(resolve => {
    request({ hostname, port, path: '/_switches', headers: { host: `rebound.example:${port}` } }, res => {
      res.resume()
      resolve(res.statusCode)
    }).end()
  })
  t.equal(rebound, 403)
})

t.test('there are no switches elsewhere', async t => {
  t.equal((await patch('/nobody/_switches', '{}')).status, 404)
  t.equal((await get('/outgrow/_switches')).status, 404)
  t.equal((await patch('/_switches', '{}')).status, 404)
})

t.test('a vendor that is not played is a mistake in the test, and said to be', async t => {
  t.throws(() => sandbox.vendor('nobody'), { message: 'there is no vendor "nobody" in the sandbox' })
  await t.rejects(startSandbox({ redirectUris, switches: { nobody: {} } }), { message: /no vendor "nobody"/ })
  await t.rejects(startSandbox({ redirectUris: () => [] }), { message: /needs a callback address for ignition/ })
})

t.test('two sandboxes share nothing, and one ends while somebody waits', async t => {
  const other = await startSandbox({ redirectUris, switches: { productboard: { apiFault: 'stall' } } })
  t.not(other.environment.PRODUCTBOARD_CLIENT_SECRET, sandbox.environment.PRODUCTBOARD_CLIENT_SECRET)
  const waiting = t.rejects(fetch(`${other.environment.PRODUCTBOARD_API_URL}/v2/notes`))
  while (other.vendor('productboard').counts.apiCalls === 0) await new Promise(resolve => setImmediate(resolve))
  await other.close()
  await waiting
  await other.close()
})

t.test('a fault of the sandbox itself is a 500 and is reported', async t => {
  const faults: unknown[] = []
  const broken = await startSandbox({ redirectUris, onError: error => faults.push(error) })
  t.teardown(() => broken.close())
  const { switches } = broken.vendor('outgrow')
  const { app, tokens } = await connect(broken, 'outgrow')

  Object.assign(switches, { apiFault: 'unheard of' })
  const answer = await app.call('/get_cal')
  t.equal(answer.status, 500)
  t.match(await answer.json(), { message: 'The sandbox itself is at fault', error: /^TypeError/ })
  t.equal(faults.length, 1)

  switches.accessTokenSeconds = -1
  t.equal((await app.refresh(tokens.refresh_token)).status, 500)
  t.match(faults[1], TypeError, 'inside oidc-provider')

  const unreadable = new Error('unreadable')
  Object.defineProperty(switches, 'omitIss', {
    get() {
      throw unreadable
    }
  })
  t.equal((await app.refresh(tokens.refresh_token)).status, 500)
  t.equal(faults.at(-1), unreadable, 'around oidc-provider')
})

t.test('a fault that nobody listens for is a warning of the process', async t => {
  const warned = t.capture(process, 'emitWarning')
  Object.assign(sandbox.vendor('outgrow').switches, { apiFault: 'unheard of' })
  await get('/outgrow/api/v1/get_cal')
  t.match(warned(), [{ args: [/^TypeError: [\s\S]*api\.ts/, 'SandboxWarning'] }])
})

t.test('a given port is used, and a port in use is an error', async t => {
  const port = Number(new URL(sandbox.origin).port)
  await t.rejects(startSandbox({ redirectUris, port }), { code: 'EADDRINUSE' })
})

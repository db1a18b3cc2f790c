import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { createVendorState } from '../../src/sandbox/state.ts'
import { abortWhen, bearer, connect, oauthClient, redirectUri } from './oauth-client.ts'

const sandbox = await startSandbox({ definitions: await loadProviders(), redirectUris: vendor => [redirectUri(vendor)] })
t.teardown(() => sandbox.close())

const productboard = sandbox.vendor('productboard')
t.beforeEach(() => productboard.reset())

const pb = oauthClient(sandbox, 'productboard')
const ps = oauthClient(sandbox, 'process-street')
const og = oauthClient(sandbox, 'outgrow')
const ig = await connect(sandbox, 'ignition')
const pbKey = bearer(productboard.apiKey)
const psKey = { 'x-api-key': sandbox.vendor('process-street').apiKey }
const ogKey = { 'api-key': sandbox.vendor('outgrow').apiKey }
const igToken = bearer(ig.tokens.access_token)

// biome-ignore lint/suspicious/noExplicitAny: the tests assert the shape of the vendors' responses.
type Json = any
const json = async (response: Promise<Response> | Response): Promise<Json> => (await response).json()
const failureOf = (response: Promise<unknown>) =>
  response.then(
    () => undefined,
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.name
  )

async function readPages(
  first: string,
  headers: Record<string, string>,
  next: (body: Json) => string | undefined,
  items: (body: Json) => Json[]
) {
  const all: Json[] = []
  for (let url: string | undefined = first; url; ) {
    const body: Json = await json(fetch(url, { headers }))
    all.push(...items(body))
    url = next(body)
  }
  return all
}

t.test('Productboard pages notes and entities, and returns single entities', async t => {
  const data = (body: Json) => body.data
  const next = (body: Json) => body.links.next ?? undefined
  t.equal((await readPages(`${pb.apiUrl}/v2/notes`, pbKey, next, data)).length, 12)
  const features = await readPages(`${pb.apiUrl}/v2/entities?type=feature&pageLimit=3`, pbKey, next, data)
  t.equal(features.length, 10)
  t.ok((await readPages(`${pb.apiUrl}/v2/entities`, pbKey, next, data)).length > features.length)
  t.same((await json(pb.request(`/v2/entities/${features[0].id}`, pbKey))).data, features[0])
  t.match(await json(pb.request('/v2/entities/none', pbKey)), { errors: [{ code: 'resource.notFound' }] })
})

t.test('Productboard creates a note and returns its URL', async t => {
  const post = (body: string) => pb.request('/v2/notes', { ...pbKey, 'content-type': 'application/json' }, { method: 'POST', body })
  const created = await post(JSON.stringify({ data: { type: 'textNote', fields: { name: 'More mint', content: 'Please.' } } }))
  t.equal(created.status, 201)
  const { data } = await json(created)
  t.equal(created.headers.get('location'), `${pb.apiUrl}/v2/notes/${data.id}`)
  t.match((await json(pb.request('/v2/notes', pbKey))).data[0], { id: data.id, fields: { name: 'More mint' } })
  t.equal((await post('{}')).status, 400)
  t.equal((await post('')).status, 400)
  t.match(await json(post('{"data":')), { errors: [{ title: 'The body is not valid JSON' }] })
})

t.test('Process Street returns the label of a key, and links to the next page', async t => {
  t.same(await json(ps.request('/testAuth', psKey)), { apiKeyLabel: 'Fernhill Tea sandbox' })
  const next = (body: Json) => body.links.find((link: Json) => link.name === 'next')?.href
  const workflows = await readPages(`${ps.apiUrl}/workflows`, psKey, next, body => body.workflows)
  t.equal(workflows.length, 12)
  const runs = await readPages(`${ps.apiUrl}/workflow-runs`, psKey, next, body => body.workflowRuns)
  t.equal(runs.length, 12)
  t.equal((await json(ps.request(`/workflow-runs?workflowId=${workflows[2].id}`, psKey))).workflowRuns.length, 1)
})

t.test('Outgrow accepts its key in path or header, and reports errors with 200', async t => {
  const calculators = await json(og.request(`/get_cal/${ogKey['api-key']}`))
  t.match(calculators, { success: true, data: { length: 12 } })
  t.match(await json(og.request(`/get_leads/${calculators.data[0].id}`, ogKey)), { success: true, data: { length: 12 } })
  t.match(await json(og.request('/get_leads/none', ogKey)), { success: false, message: String })
  for (const pending of [og.request('/get_cal/wrong'), og.request('/get_cal'), og.request('/get_cal', ogKey)]) {
    const response = await pending
    t.equal(response.status, 200)
    t.match(await response.json(), { success: false, message: String })
  }
  t.equal((await og.request('/get_leads/1', { 'api-key': 'wrong' })).status, 401, 'elsewhere it is a 401')
  t.equal((await og.request('/get_leads/1', bearer('wrong'))).status, 401)
})

t.test('Ignition pages by cursor and says when its rate limit resets', async t => {
  for (const [path, size] of [
    ['/reporting/clients', 5],
    ['/reporting/proposals', 100]
  ] as const) {
    const first = `${ig.app.apiUrl}${path}?limit=${size}`
    const next = (body: Json) => body.meta.pagination.next_cursor && `${first}&cursor=${body.meta.pagination.next_cursor}`
    t.equal((await readPages(first, igToken, next, body => body.data)).length, 12)
  }
  const { headers } = await ig.app.request('/reporting/clients', igToken)
  t.ok(Number(headers.get('x-ratelimit-reset')) > Date.now() / 1000)
  t.ok(Number(headers.get('x-ratelimit-remaining')) < 1000)
})

t.test('a missing or invalid credential gets the vendor’s own error', async t => {
  const response = await pb.request('/v2/notes', bearer('wrong'))
  t.equal(response.status, 401)
  t.match(response.headers.get('www-authenticate'), /^Bearer /)
  t.match(await response.json(), { id: String, errors: [{ code: 'auth.unauthorized', title: String, detail: String }] })
  t.equal((await pb.request('/v2/notes')).status, 401)
  t.match(await json(ps.request('/workflows', { 'x-api-key': 'wrong' })), { error: 'Unauthorized', message: /credential is invalid/ })
  t.match(await json(ig.app.request('/reporting/clients')), { error: { code: 'unauthorized', message: /^A credential is missing/ } })
})

t.test('an unknown vendor, host or method is rejected', async t => {
  t.equal((await pb.request('/v2/notes', pbKey, { method: 'DELETE' })).status, 405)
  t.equal((await pb.request('/v2/notes', pbKey, { method: 'HEAD' })).status, 200)
  for (const path of ['/nobody', '/productboard', '/process-street/public-api.process.st/api/v1', '/productboard/api.productboard.co']) {
    t.equal((await fetch(sandbox.origin + path)).status, 404, path)
  }
})

t.test('unauthorizedCalls rejects that many requests with any credential', async t => {
  productboard.switches.unauthorizedCalls = 2
  const responses = await Promise.all([1, 2, 3].map(() => pb.request('/v2/notes', pbKey)))
  t.same(responses.map(({ status }) => status).sort(), [200, 401, 401])
  t.equal(productboard.counts.apiCalls, 3)
})

t.test('rateLimitCalls returns the vendor’s 429', async t => {
  productboard.switches.rateLimitCalls = 1
  const limited = await pb.request('/v2/notes', pbKey)
  t.equal(limited.status, 429)
  t.equal(limited.headers.get('retry-after'), '1')
  t.equal(limited.headers.get('x-ratelimit-remaining'), '0')
  t.match(await limited.json(), { errors: [{ code: 'rateLimit.exceeded' }] })
  const after = await pb.request('/v2/notes', pbKey)
  t.equal(after.status, 200)
  t.equal(after.headers.get('x-ratelimit-limit'), '50')
  sandbox.vendor('ignition').switches.rateLimitCalls = 1
  const { status, headers } = await ig.app.request('/reporting/clients', igToken)
  t.equal(status, 429)
  t.match(headers.get('x-ratelimit-reset'), /^\d{10}$/)
})

t.test('apiFault injects an error into API requests', async t => {
  const { switches, requests } = productboard
  switches.apiFault = 'error500'
  t.equal((await pb.request('/v2/notes', pbKey)).status, 500)
  switches.apiFault = 'reset'
  t.equal(await failureOf(pb.request('/v2/notes', pbKey)), 'ECONNRESET')
  switches.apiFault = 'short'
  const short = await pb.request('/v2/notes', pbKey)
  t.equal(short.headers.get('content-length'), '1000')
  t.ok(await failureOf(short.text()))
  switches.apiFault = 'stall'
  t.equal(await failureOf(pb.request('/v2/notes', pbKey, { signal: abortWhen(() => requests.length === 4) })), 'TimeoutError')
  while (requests.at(-1)?.outcome === 'open') await setImmediate()
  t.same(
    requests.map(({ outcome }) => outcome),
    ['complete', 'aborted', 'aborted', 'aborted']
  )
})

t.test('/echo returns the request as it arrived', async t => {
  const body = Buffer.alloc(2_000_000, 'leaf')
  const sha256 = createHash('sha256').update(body).digest('hex')
  const path = '/echo/a%2f..%2fb//c?x=1&x=%20'
  const echoed = await json(pb.request(path, { ...pbKey, 'x-leaf': 'green' }, { method: 'PUT', body }))
  t.match(echoed, {
    method: 'PUT',
    url: `/productboard/api.productboard.com${path}`,
    headers: { 'x-leaf': 'green' },
    bodyLength: body.length,
    bodySha256: sha256
  })
  t.match(productboard.requests.at(-1), { method: 'PUT', url: echoed.url, bodyLength: body.length, bodySha256: sha256 })
  t.equal((await pb.request('/echo')).status, 401, 'it needs a credential')
})

t.test('/echo receives a path without normalization', async t => {
  const { hostname, port, pathname } = new URL(pb.apiUrl)
  const path = `${pathname}/echo/./../x`
  const text = await new Promise<string>((resolve, reject) => {
    request({ hostname, port, path, headers: pbKey }, async res => resolve((await res.toArray()).join('')))
      .on('error', reject)
      .end()
  })
  t.equal(JSON.parse(text).url, path)
})

t.test('/events sends three events and stays open until the client disconnects', async t => {
  const controller = new AbortController()
  const response = await pb.request('/events', pbKey, { signal: controller.signal })
  t.equal(response.headers.get('content-type'), 'text/event-stream')
  let text = ''
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  while (text.split('\n\n').length <= 3) text += (await reader?.read())?.value ?? ''
  t.match(text, /^id: 1\nevent: note\.updated\ndata: {"sequence":1}\n\nid: 2\n[\s\S]*"sequence":3}\n\n$/)
  const entry = productboard.requests.at(-1)
  t.equal(entry?.outcome, 'open')
  controller.abort()
  while (entry?.outcome === 'open') await setImmediate()
  t.equal(entry?.outcome, 'aborted')
})

t.test('/slow responds after its delay, unless the client has disconnected', async t => {
  t.same(await json(pb.request('/slow?ms=1', pbKey)), { waitedMs: 1 })
  const signal = abortWhen(() => productboard.requests.length === 2)
  t.equal(await failureOf(pb.request('/slow?ms=99999999', pbKey, { signal })), 'TimeoutError')
  t.equal((await pb.request('/slow?ms=soon', pbKey)).status, 400)
})

t.test('/bytes sends the requested number, and stops when the client disconnects', async t => {
  const response = await pb.request('/bytes?n=200000', pbKey)
  t.equal((await response.arrayBuffer()).byteLength, 200_000)
  t.equal((await (await pb.request('/bytes?n=0', pbKey)).arrayBuffer()).byteLength, 0)
  t.equal((await pb.request('/bytes', pbKey)).status, 400)
  const large = await pb.request('/bytes?n=999999999', pbKey)
  t.equal(large.headers.get('content-length'), '16777216')
  await large.body?.cancel()
  while (productboard.requests.at(-1)?.outcome === 'open') await setImmediate()
  t.equal(productboard.requests.at(-1)?.outcome, 'aborted')
})

t.test('a client that disconnects during its body is recorded as aborted', async t => {
  const { hostname, port, pathname } = new URL(pb.apiUrl)
  const upload = request({ hostname, port, path: `${pathname}/echo`, method: 'POST', headers: { ...pbKey, 'content-length': 1000 } })
  upload.on('error', () => {})
  upload.write('half')
  while (productboard.requests.length === 0) await setImmediate()
  upload.destroy()
  const [entry] = productboard.requests
  while (entry?.outcome === 'open') await setImmediate()
  t.match(entry, { outcome: 'aborted', bodyLength: undefined })
})

t.test('the latest thousand requests are recorded', async t => {
  const state = createVendorState()
  for (let n = 0; n < 1005; n++) state.recordRequest({ method: 'GET', url: `/${n}`, headers: {}, outcome: 'complete' })
  t.equal(state.requests.length, 1000)
  t.match([state.requests.at(0), state.requests.at(-1)], [{ url: '/5' }, { url: '/1004' }])
})

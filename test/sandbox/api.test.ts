import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { vendorState } from '../../src/sandbox/state.ts'
import { bearer, client, connect, limitPast, redirectUri } from './person.ts'

const sandbox = await startSandbox({ redirectUris: vendor => [redirectUri(vendor)] })
t.teardown(() => sandbox.close())

const productboard = sandbox.vendor('productboard')
t.beforeEach(() => productboard.reset())

const pb = client(sandbox, 'productboard')
const ps = client(sandbox, 'process-street')
const og = client(sandbox, 'outgrow')
const ig = await connect(sandbox, 'ignition')
const pbKey = bearer(productboard.apiKey)
const psKey = { 'x-api-key': sandbox.vendor('process-street').apiKey }
const ogKey = { 'api-key': sandbox.vendor('outgrow').apiKey }
const igToken = bearer(ig.tokens.access_token)

// biome-ignore lint/suspicious/noExplicitAny: the vendors' answers are what is asserted.
type Json = any
const json = async (response: Promise<Response> | Response): Promise<Json> => (await response).json()
const failure = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.name
  )

async function pages(
  first: string,
  headers: Record<string, string>,
  next: (body: Json) => string | undefined,
  items: (body: Json) => Json[]
) {
  const seen: Json[] = []
  for (let address: string | undefined = first; address; ) {
    const body: Json = await json(fetch(address, { headers }))
    seen.push(...items(body))
    address = next(body)
  }
  return seen
}

t.test('Productboard lists notes and entities in pages, and has each entity', async t => {
  const data = (body: Json) => body.data
  const next = (body: Json) => body.links.next ?? undefined
  t.equal((await pages(`${pb.apiUrl}/v2/notes`, pbKey, next, data)).length, 12)
  const features = await pages(`${pb.apiUrl}/v2/entities?type=feature&pageLimit=3`, pbKey, next, data)
  t.equal(features.length, 10)
  t.ok((await pages(`${pb.apiUrl}/v2/entities`, pbKey, next, data)).length > features.length)
  t.same((await json(pb.call(`/v2/entities/${features[0].id}`, pbKey))).data, features[0])
  t.match(await json(pb.call('/v2/entities/none', pbKey)), { errors: [{ code: 'resource.notFound' }] })
})

t.test('Productboard takes a note and says where it is', async t => {
  const post = (body: string) => pb.call('/v2/notes', { ...pbKey, 'content-type': 'application/json' }, { method: 'POST', body })
  const created = await post(JSON.stringify({ data: { type: 'textNote', fields: { name: 'More mint', content: 'Please.' } } }))
  t.equal(created.status, 201)
  const { data } = await json(created)
  t.equal(created.headers.get('location'), `${pb.apiUrl}/v2/notes/${data.id}`)
  t.match((await json(pb.call('/v2/notes', pbKey))).data[0], { id: data.id, fields: { name: 'More mint' } })
  t.equal((await post('{}')).status, 400)
  t.equal((await post('')).status, 400)
  t.match(await json(post('{"data":')), { errors: [{ title: 'The body is not valid JSON' }] })
})

t.test('Process Street knows a key by its label, and links to the next page', async t => {
  t.same(await json(ps.call('/testAuth', psKey)), { apiKeyLabel: 'Fernhill Tea sandbox' })
  const next = (body: Json) => body.links.find((link: Json) => link.name === 'next')?.href
  const workflows = await pages(`${ps.apiUrl}/workflows`, psKey, next, body => body.workflows)
  t.equal(workflows.length, 12)
  const runs = await pages(`${ps.apiUrl}/workflow-runs`, psKey, next, body => body.workflowRuns)
  t.equal(runs.length, 12)
  t.equal((await json(ps.call(`/workflow-runs?workflowId=${workflows[2].id}`, psKey))).workflowRuns.length, 1)
})

t.test('Outgrow takes its key in the path or in a header, and says no inside a 200', async t => {
  const calculators = await json(og.call(`/get_cal/${ogKey['api-key']}`))
  t.match(calculators, { success: true, data: { length: 12 } })
  t.match(await json(og.call(`/get_leads/${calculators.data[0].id}`, ogKey)), { success: true, data: { length: 12 } })
  t.match(await json(og.call('/get_leads/none', ogKey)), { success: false, message: String })
  for (const call of [og.call('/get_cal/wrong'), og.call('/get_cal'), og.call('/get_leads/1', { 'api-key': 'wrong' })]) {
    const answer = await call
    t.equal(answer.status, 200)
    t.match(await answer.json(), { success: false, message: String })
  }
  t.equal((await og.call('/get_cal', bearer('wrong'))).status, 401, 'but to a token as everybody else')
})

t.test('Ignition pages by cursor and tells when its limit begins anew', async t => {
  for (const [path, size] of [
    ['/reporting/clients', 5],
    ['/reporting/proposals', 100]
  ] as const) {
    const first = `${ig.app.apiUrl}${path}?limit=${size}`
    const next = (body: Json) => body.meta.pagination.next_cursor && `${first}&cursor=${body.meta.pagination.next_cursor}`
    t.equal((await pages(first, igToken, next, body => body.data)).length, 12)
  }
  const { headers } = await ig.app.call('/reporting/clients', igToken)
  t.ok(Number(headers.get('x-ratelimit-reset')) > Date.now() / 1000)
  t.ok(Number(headers.get('x-ratelimit-remaining')) < 1000)
})

t.test('a missing or wrong credential is refused in the vendor’s own shape', async t => {
  const answer = await pb.call('/v2/notes', bearer('wrong'))
  t.equal(answer.status, 401)
  t.match(answer.headers.get('www-authenticate'), /^Bearer /)
  t.match(await answer.json(), { id: String, errors: [{ code: 'auth.unauthorized', title: String, detail: String }] })
  t.equal((await pb.call('/v2/notes')).status, 401)
  t.match(await json(ps.call('/workflows', { 'x-api-key': 'wrong' })), { error: 'Unauthorized', message: 'The API key is not valid' })
  t.match(await json(ig.app.call('/reporting/clients')), { error: { code: 'unauthorized', message: 'A credential is missing' } })
})

t.test('an unknown address or method is refused', async t => {
  t.equal((await pb.call('/v2/nothing', pbKey)).status, 404)
  t.equal((await pb.call('/v2/notes', pbKey, { method: 'DELETE' })).status, 405)
  t.equal((await pb.call('/v2/notes', pbKey, { method: 'HEAD' })).status, 200)
  for (const path of ['/', '/nobody', '/productboard', '/process-street/api/v1', '/productboard/apis']) {
    t.equal((await fetch(sandbox.origin + path)).status, 404, path)
  }
})

t.test('a storm of 401 spares no credential, and ends', async t => {
  productboard.switches.unauthorizedCalls = 2
  const answers = await Promise.all([1, 2, 3].map(() => pb.call('/v2/notes', pbKey)))
  t.same(answers.map(({ status }) => status).sort(), [200, 401, 401])
  t.equal(productboard.counts.apiCalls, 3)
})

t.test('a rate limit answers 429 in the vendor’s manner', async t => {
  productboard.switches.rateLimitCalls = 1
  const limited = await pb.call('/v2/notes', pbKey)
  t.equal(limited.status, 429)
  t.equal(limited.headers.get('retry-after'), '1')
  t.equal(limited.headers.get('x-ratelimit-remaining'), '0')
  t.match(await limited.json(), { errors: [{ code: 'rateLimit.exceeded' }] })
  const after = await pb.call('/v2/notes', pbKey)
  t.equal(after.status, 200)
  t.equal(after.headers.get('x-ratelimit-limit'), '50')
  sandbox.vendor('ignition').switches.rateLimitCalls = 1
  const { status, headers } = await ig.app.call('/reporting/clients', igToken)
  t.equal(status, 429)
  t.match(headers.get('x-ratelimit-reset'), /^\d{10}$/)
})

t.test('an API call meets a fault', async t => {
  const { switches, requests } = productboard
  switches.apiFault = 'error500'
  t.equal((await pb.call('/v2/notes', pbKey)).status, 500)
  switches.apiFault = 'reset'
  t.equal(await failure(pb.call('/v2/notes', pbKey)), 'ECONNRESET')
  switches.apiFault = 'short'
  const short = await pb.call('/v2/notes', pbKey)
  t.equal(short.headers.get('content-length'), '1000')
  t.ok(await failure(short.text()))
  switches.apiFault = 'stall'
  t.equal(await failure(pb.call('/v2/notes', pbKey, { signal: limitPast(() => requests.length === 4) })), 'TimeoutError')
  while (requests.at(-1)?.outcome === 'open') await setImmediate()
  t.same(
    requests.map(({ outcome }) => outcome),
    ['answered', 'cut', 'cut', 'cut']
  )
})

t.test('echo says what arrived, to the byte', async t => {
  const body = Buffer.alloc(2_000_000, 'leaf')
  const sha256 = createHash('sha256').update(body).digest('hex')
  const path = '/echo/a%2f..%2fb//c?x=1&x=%20'
  const answer = await json(pb.call(path, { ...pbKey, 'x-leaf': 'green' }, { method: 'PUT', body }))
  t.match(answer, {
    method: 'PUT',
    url: `/productboard/api${path}`,
    headers: { 'x-leaf': 'green' },
    bodyLength: body.length,
    bodySha256: sha256
  })
  t.match(productboard.requests.at(-1), { method: 'PUT', url: answer.url, bodyLength: body.length, bodySha256: sha256 })
  t.equal((await pb.call('/echo')).status, 401, 'and only to who may ask')
})

t.test('a path reaches the echo as it was written', async t => {
  const { hostname, port, pathname } = new URL(pb.apiUrl)
  const path = `${pathname}/echo/./../x`
  const text = await new Promise<string>((resolve, reject) => {
    request({ hostname, port, path, headers: pbKey }, async res => resolve((await res.toArray()).join('')))
      .on('error', reject)
      .end()
  })
  t.equal(JSON.parse(text).url, path)
})

t.test('events come three at once, and the stream stays open until the client goes', async t => {
  const leave = new AbortController()
  const answer = await pb.call('/events', pbKey, { signal: leave.signal })
  t.equal(answer.headers.get('content-type'), 'text/event-stream')
  let text = ''
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  while (text.split('\n\n').length <= 3) text += (await reader?.read())?.value ?? ''
  t.match(text, /^id: 1\nevent: note\.updated\ndata: {"sequence":1}\n\nid: 2\n[\s\S]*"sequence":3}\n\n$/)
  const entry = productboard.requests.at(-1)
  t.equal(entry?.outcome, 'open')
  leave.abort()
  while (entry?.outcome === 'open') await setImmediate()
  t.equal(entry?.outcome, 'cut')
})

t.test('slow answers after its wait, unless the client has gone', async t => {
  t.same(await json(pb.call('/slow?ms=1', pbKey)), { waitedMs: 1 })
  const signal = limitPast(() => productboard.requests.length === 2)
  t.equal(await failure(pb.call('/slow?ms=99999999', pbKey, { signal })), 'TimeoutError')
  t.equal((await pb.call('/slow?ms=soon', pbKey)).status, 400)
})

t.test('bytes come as many as asked for, and stop when the client does', async t => {
  const answer = await pb.call('/bytes?n=200000', pbKey)
  t.equal((await answer.arrayBuffer()).byteLength, 200_000)
  t.equal((await (await pb.call('/bytes?n=0', pbKey)).arrayBuffer()).byteLength, 0)
  t.equal((await pb.call('/bytes', pbKey)).status, 400)
  const large = await pb.call('/bytes?n=999999999', pbKey)
  t.equal(large.headers.get('content-length'), '16777216')
  await large.body?.cancel()
  while (productboard.requests.at(-1)?.outcome === 'open') await setImmediate()
  t.equal(productboard.requests.at(-1)?.outcome, 'cut')
})

t.test('a client that leaves in the middle of its body is noted as cut', async t => {
  const { hostname, port, pathname } = new URL(pb.apiUrl)
  const upload = request({ hostname, port, path: `${pathname}/echo`, method: 'POST', headers: { ...pbKey, 'content-length': 1000 } })
  upload.on('error', () => {})
  upload.write('half')
  while (productboard.requests.length === 0) await setImmediate()
  upload.destroy()
  const [entry] = productboard.requests
  while (entry?.outcome === 'open') await setImmediate()
  t.match(entry, { outcome: 'cut', bodyLength: undefined })
})

t.test('a thousand requests are remembered, and no more', async t => {
  const state = vendorState('outgrow')
  for (let n = 0; n < 1005; n++) state.record({ method: 'GET', url: `/${n}`, headers: {}, outcome: 'answered' })
  t.equal(state.requests.length, 1000)
  t.match([state.requests.at(0), state.requests.at(-1)], [{ url: '/5' }, { url: '/1004' }])
})

import { once } from 'node:events'
import { get, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { hostname } from 'node:os'
import t from 'tap'
import { startConnected } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

type Line = Record<string, unknown>

/** Sends the path unchanged, where fetch would normalize it. */
const statusOf = (url: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(url)
    const request = get({ host: '127.0.0.1', port, path, headers: { 'x-csrf': '1' } }, response => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
  })

const linesIn = (logs: readonly string[]): Line[] => logs.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'request')

t.test('a request line has its id, method, path without query, status and duration', async t => {
  const gateway = await startGateway(t)
  const response = await fetch(`${gateway.url}/proxy/nobody/at/home?secret=1`, { headers: { 'x-csrf': '1' } })
  const { requestId } = (await response.json()) as Line
  const [line] = linesIn(gateway.logs)
  t.match(line, { requestId, method: 'GET', path: '/proxy/nobody/at/home', status: response.status, ms: Number })
  t.ok(gateway.logs.every(line => line.endsWith('}\n')))
})

t.test('a request line begins with the same fields as any other log line', async t => {
  const gateway = await startGateway(t)
  const beforeMs = Date.now()
  await statusOf(gateway.url, '/proxy/nobody/at/home')
  gateway.app.log.info('another line')
  const [line] = linesIn(gateway.logs)
  const other = JSON.parse(gateway.logs.find(line => line.includes('another line')) ?? '{}')
  const { level, pid, time } = other
  t.match(line, { level, pid, hostname: hostname() })
  t.ok(Number(line?.time) >= beforeMs && Number(line?.time) <= time, 'its time is the end of the request')
  t.strictSame(Object.keys(other).slice(0, 4), Object.keys(line ?? {}).slice(0, 4), 'in the same order')
  t.ok(gateway.logs.every(line => line.endsWith('}\n')))
})

t.test('any path is logged unchanged, on one line of valid JSON', async t => {
  const gateway = await startGateway(t)
  for (const path of ['/proxy/nobody/a"b', '/proxy/nobody/"}', '/proxy/nobody/a\\', '/proxy/nobody/a\\n\\"', "/proxy/nobody/'"]) {
    gateway.app.log.info('next')
    t.equal(await statusOf(gateway.url, path), 404)
    t.equal(linesIn(gateway.logs).at(-1)?.path, path)
  }
  t.ok(gateway.logs.every(line => line.indexOf('\n') === line.length - 1))
})

t.test('a LOG_LEVEL above info logs no request line', async t => {
  const gateway = await startGateway(t, { environment: { LOG_LEVEL: 'warn' } })
  await statusOf(gateway.url, '/proxy/nobody/home')
  t.strictSame(gateway.logs, [])
})

t.test('a request line has an error code only for the gateway’s own errors', async t => {
  const s = await startConnected(t)
  s.provider.api = (_, r) => json(r, 403, {})
  await s.browser.fetch(`${s.proxy}/x`)
  await s.browser.request(`${s.proxy}/x`)
  await s.browser.fetch(`${s.gateway.url}/nothing`)
  s.provider.api = (_, r) => void r.destroy()
  await s.browser.fetch(`${s.proxy}/x`, { method: 'POST' })
  t.strictSame(
    linesIn(s.gateway.logs)
      .slice(-4)
      .map(({ status, code }) => [status, code]),
    [
      [403, undefined],
      [403, 'csrf_rejected'],
      [404, 'not_found'],
      [502, 'provider_unavailable']
    ]
  )
})

t.test('a failed request to the provider is logged as a warning with its cause', async t => {
  const s = await startConnected(t)
  s.provider.api = (_, r) => void r.destroy()
  await s.browser.fetch(`${s.proxy}/x`, { method: 'POST' })
  const warning = s.gateway.logs.map(line => JSON.parse(line)).find(({ msg, code }) => msg !== 'request' && code === 'provider_unavailable')
  t.match(warning, { level: 40, provider: 'productboard', cause: { name: /./, code: /./ } })
})

t.test('a path without a route is logged only up to its unknown part', async t => {
  const gateway = await startGateway(t)
  t.equal(await statusOf(gateway.url, '/%zz?state=canary'), 400)
  t.equal(await statusOf(gateway.url, `/auth/${'a'.repeat(300)}/canary`), 404)
  const lines = linesIn(gateway.logs)
  t.match(lines, [
    { method: 'GET', path: '/…', status: 400, code: 'path_rejected', ms: Number },
    { path: '/auth…', status: 404 }
  ])
  t.equal(lines.length, 2)
  t.notMatch(gateway.logs.join(''), 'canary')
})

/** Waits for the next request line: that of a disconnected client is logged when the gateway notices. */
async function lineAfter(logs: readonly string[], count: number): Promise<Line> {
  while (linesIn(logs).length <= count) await new Promise(setImmediate)
  return linesIn(logs).at(-1) ?? {}
}

t.test('a disconnected client is logged as aborted, with the status of a started response', async t => {
  const s = await startConnected(t)
  for (const [moment, status, api] of [
    ['before the response', undefined, () => {}],
    ['during the body', 200, (r: ServerResponse) => void r.writeHead(200, { 'content-type': 'text/plain' }).write('half')],
    [
      'during an event stream',
      200,
      (r: ServerResponse) => void r.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    ]
  ] as const) {
    const open = Promise.withResolvers<ServerResponse>()
    s.provider.api = (_, r) => {
      api(r)
      open.resolve(r)
    }
    const count = linesIn(s.gateway.logs).length
    const disconnect = new AbortController()
    const request = s.browser.fetch(`${s.proxy}/x`, { signal: disconnect.signal })
    const upstream = await open.promise
    if (status) await request
    const closed = once(upstream, 'close')
    disconnect.abort()
    await request.then(response => response.text()).catch(() => {})
    await closed
    const line = await lineAfter(s.gateway.logs, count)
    t.match(line, { path: '/proxy/productboard/x', aborted: true, ms: Number }, moment)
    t.equal(line.status, status, moment)
    t.equal(line.code, undefined, moment)
  }
  const warnings = s.gateway.logs.map(line => JSON.parse(line)).filter(({ level }) => level > 30)
  t.strictSame(warnings, [])
})

t.test('a client that disconnects mid-body or on another route is logged as aborted', async t => {
  const s = await startConnected(t)
  const { port } = new URL(s.gateway.url)
  const cookie = s.browser.sessionPair(s.gateway.url)
  for (const [start, sendsAll] of [
    ['POST /proxy/productboard/x', false],
    ['POST /connections/productboard', true]
  ] as const) {
    const reached = Promise.withResolvers<void>()
    s.provider.api = () => reached.resolve()
    const count = linesIn(s.gateway.logs).length
    const accepted = once(s.gateway.app.server, 'request')
    const socket = connect(Number(port), '127.0.0.1')
    const body = '{"apiKey":"some-key"}'
    const type = 'Content-Type: application/json'
    socket.write(`${start} HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n`)
    socket.write(sendsAll ? body : body.slice(0, 5))
    await (sendsAll ? reached.promise : accepted)
    socket.destroy()
    const line = await lineAfter(s.gateway.logs, count)
    t.match(line, { method: 'POST', aborted: true }, start)
    t.equal(line.status, undefined, start)
  }
})

t.test('a response that the provider aborts is not logged as aborted by the client', async t => {
  const s = await startConnected(t)
  s.provider.api = (_, r) => {
    r.writeHead(200, { 'content-length': '1000' })
    r.write('short', () => r.destroy())
  }
  const count = linesIn(s.gateway.logs).length
  await t.rejects(s.browser.fetch(`${s.proxy}/x`).then(response => response.text()))
  const line = await lineAfter(s.gateway.logs, count)
  t.match(line, { status: 200 })
  t.equal(line.aborted, undefined)
  t.match(s.gateway.logs.join(''), /response aborted/)
})

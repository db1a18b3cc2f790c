import { once } from 'node:events'
import { get, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { hostname } from 'node:os'
import t from 'tap'
import { connected } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

type Line = Record<string, unknown>

/** As it is given, by no means as a URL would have it. */
const statusOf = (url: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(url)
    const request = get({ host: '127.0.0.1', port, path, headers: { 'x-csrf': '1' } }, response => {
      response.resume().on('end', () => resolve(response.statusCode))
    })
    request.on('error', reject)
  })

const linesIn = (logs: readonly string[]): Line[] => logs.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'request')

t.test('The line of a call says what any line of the log says, and what came of the call', async t => {
  const gateway = await startGateway(t)
  const beforeMs = Date.now()
  const answer = await fetch(`${gateway.url}/proxy/nobody/at/home?secret=1`, { headers: { 'x-csrf': '1' } })
  const { requestId } = (await answer.json()) as Line
  gateway.app.log.info('beside it')
  const [line] = linesIn(gateway.logs)
  const usual = JSON.parse(gateway.logs.find(line => line.includes('beside it')) ?? '{}')
  t.match(line, { requestId, method: 'GET', path: '/proxy/nobody/at/home', status: answer.status, ms: Number })
  const { level, pid, time } = usual
  t.match(line, { level, pid, hostname: hostname() })
  t.ok(Number(line?.time) >= beforeMs && Number(line?.time) <= time, 'its time is that of the end of the call')
  t.strictSame(Object.keys(usual).slice(0, 4), Object.keys(line ?? {}).slice(0, 4), 'what they have in common comes first, in one order')
  t.ok(gateway.logs.every(line => line.endsWith('}\n')))
})

t.test('Whatever an address holds, its line is one line of JSON that shows it', async t => {
  const gateway = await startGateway(t)
  for (const path of ['/proxy/nobody/a"b', '/proxy/nobody/"}', '/proxy/nobody/a\\', '/proxy/nobody/a\\n\\"', "/proxy/nobody/'"]) {
    gateway.app.log.info('next')
    t.equal(await statusOf(gateway.url, path), 404)
    t.equal(linesIn(gateway.logs).at(-1)?.path, path)
  }
  t.ok(gateway.logs.every(line => line.indexOf('\n') === line.length - 1))
})

t.test('A log that wants less than that has no line of a call', async t => {
  const gateway = await startGateway(t, { environment: { LOG_LEVEL: 'warn' } })
  await statusOf(gateway.url, '/proxy/nobody/home')
  t.strictSame(gateway.logs, [])
})

t.test('The line of a refusal of ours has its code, and that of a refusal of the provider’s has none', async t => {
  const s = await connected(t)
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
  const warning = s.gateway.logs.map(line => JSON.parse(line)).find(({ msg, code }) => msg !== 'request' && code === 'provider_unavailable')
  t.match(warning, { level: 40, provider: 'productboard', cause: { name: /./, code: /./ } }, 'with what has happened')
})

t.test('What cannot be decoded, and so has no route, has its line as well', async t => {
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

/** A line of a request whose client has gone comes when that has been seen. */
async function lineAfter(logs: readonly string[], known: number): Promise<Line> {
  while (linesIn(logs).length <= known) await new Promise(setImmediate)
  return linesIn(logs).at(-1) ?? {}
}

t.test('A client that goes away has a line that says so, with a status only where its response had begun, and blames nobody', async t => {
  const s = await connected(t)
  for (const [what, status, api] of [
    ['before the head', undefined, () => {}],
    ['in the body', 200, (r: ServerResponse) => void r.writeHead(200, { 'content-type': 'text/plain' }).write('half')],
    ['in an event stream', 200, (r: ServerResponse) => void r.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')]
  ] as const) {
    const open = Promise.withResolvers<ServerResponse>()
    s.provider.api = (_, r) => {
      api(r)
      open.resolve(r)
    }
    const known = linesIn(s.gateway.logs).length
    const leaving = new AbortController()
    const call = s.browser.fetch(`${s.proxy}/x`, { signal: leaving.signal })
    const upstream = await open.promise
    if (status) await call
    const closed = once(upstream, 'close')
    leaving.abort()
    await call.then(response => response.text()).catch(() => {})
    await closed
    const line = await lineAfter(s.gateway.logs, known)
    t.match(line, { path: '/proxy/productboard/x', aborted: true, ms: Number }, what)
    t.equal(line.status, status, what)
    t.equal(line.code, undefined, what)
  }
  t.strictSame(
    s.gateway.logs.map(line => JSON.parse(line)).filter(({ level }) => level > 30),
    []
  )
})

t.test('So has one that goes in the middle of its body, or while another route works for it', async t => {
  const s = await connected(t)
  const { port } = new URL(s.gateway.url)
  const cookie = s.browser.sessionPair(s.gateway.url)
  for (const [start, whole] of [
    ['POST /proxy/productboard/x', false],
    ['POST /connections/productboard', true]
  ] as const) {
    const asked = Promise.withResolvers<void>()
    s.provider.api = () => asked.resolve()
    const known = linesIn(s.gateway.logs).length
    const accepted = once(s.gateway.app.server, 'request')
    const socket = connect(Number(port), '127.0.0.1')
    const body = '{"apiKey":"some-key"}'
    const type = 'Content-Type: application/json'
    socket.write(`${start} HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n`)
    socket.write(whole ? body : body.slice(0, 5))
    await (whole ? asked.promise : accepted)
    socket.destroy()
    const line = await lineAfter(s.gateway.logs, known)
    t.match(line, { method: 'POST', aborted: true }, start)
    t.equal(line.status, undefined, start)
  }
})

t.test('A response that the provider breaks off is not its client’s doing', async t => {
  const s = await connected(t)
  s.provider.api = (_, r) => {
    r.writeHead(200, { 'content-length': '1000' })
    r.write('short', () => r.destroy())
  }
  const known = linesIn(s.gateway.logs).length
  await t.rejects(s.browser.fetch(`${s.proxy}/x`).then(response => response.text()))
  const line = await lineAfter(s.gateway.logs, known)
  t.match(line, { status: 200 })
  t.equal(line.aborted, undefined)
  t.match(s.gateway.logs.join(''), /response aborted/)
})

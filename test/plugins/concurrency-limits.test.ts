import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'

/** Two sessions that use all they can, and a third one. */
async function setUp(t: Test) {
  const c = await startConnected(t)
  const [second, other] = [new Browser(), new Browser()]
  await signIn(c.gateway, second)
  await signIn(c.gateway, other)
  return { ...c, greedy: [c.browser, second], other }
}

t.test('SEC-36: two sessions with all their slow uploads do not block others', async t => {
  const { gateway, provider, greedy, other, proxy } = await setUp(t)
  const port = Number(new URL(gateway.url).port)
  provider.onHead = q => q.method === 'POST' && q.url === '/base/slow'
  const statuses = greedy.flatMap(browser =>
    Array.from({ length: 256 }, () => {
      const socket = connect(port, '127.0.0.1')
      t.teardown(() => socket.destroy())
      const cookie = browser.sessionPair(gateway.url)
      const head = `POST /proxy/productboard/slow HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nCookie: ${cookie}\r\nContent-Length: 1000000\r\n\r\nx`
      socket.on('error', () => {}).write(head)
      return new Promise<string>(resolve => socket.once('data', data => resolve(String(data).slice(9, 12))))
    })
  )
  // Refusals show that all have arrived.
  const refused: string[] = []
  for (const status of statuses) void status.then(text => refused.push(text))
  while (refused.length < 2 * (256 - 32)) await Promise.race(statuses.map(status => status)).then(() => new Promise(setImmediate))
  t.strictSame(new Set(refused), new Set(['429']))

  const calls = await Promise.all(Array.from({ length: 50 }, () => other.fetch(`${proxy}/x`)))
  t.strictSame(new Set(calls.map(({ status }) => status)), new Set([200]))
  const upload = await other.fetch(`${proxy}/x`, { method: 'POST', body: Buffer.alloc(200_000) })
  t.equal(upload.status, 200, 'an upload passes as well')
  t.equal((await (greedy[0] as Browser).fetch(`${proxy}/x`)).status, 200, 'a short request of theirs passes')
})

t.test('SEC-36: two sessions with all their event streams leave room for others', async t => {
  const { provider, greedy, other, proxy } = await setUp(t)
  const ends = new AbortController()
  t.teardown(() => ends.abort())
  provider.api = ({ url }, r) => {
    if (url === '/base/events') r.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    else r.end()
  }
  const open = (browser: Browser) => browser.fetch(`${proxy}/events`, { signal: ends.signal })
  for (const browser of greedy) {
    const streams = await Promise.all(Array.from({ length: 80 }, () => open(browser)))
    t.equal(streams.filter(({ status }) => status === 200).length, 64)
    t.match(await assertProblem(t, streams.find(({ status }) => status !== 200) as Response, 429, 'rate_limited'), { retryAfter: 1 })
  }
  t.equal((await open(other)).status, 200)
  t.equal((await other.fetch(`${proxy}/x`)).status, 200)
  t.equal((await (greedy[0] as Browser).fetch(`${proxy}/x`)).status, 200)
})

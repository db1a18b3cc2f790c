import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { json } from '../support/fake-provider.ts'
import { pythonModules } from '../support/programs.ts'
import type { Client } from './client.ts'
import { libraries } from './libraries.ts'
import { curl, env, python } from './programs.ts'
import { megabyte, setUp } from './setup.ts'

/** Ends a test in which a response never arrives. */
const limit = { timeout: 120_000 }

/** Sets up an expired token, and a provider that sends its 401 before or after it has read the body. */
async function setUpExpired(t: Test, when: 'before' | 'after') {
  const s = await setUp(t)
  if (when === 'before') {
    s.provider.onHead = (request, response) => {
      if (s.isGood(request)) return false
      json(response, 401, { error: 'token_expired' })
      return true
    }
  }
  s.expire()
  return s
}

/** Sends a body that is too large for the gateway to buffer for a second attempt. */
async function assertToldToRetry(t: Test, when: 'before' | 'after', client: Client): Promise<void> {
  const s = await setUpExpired(t, when)
  const headers = { ...s.headers, 'content-type': 'application/octet-stream' }
  const put = () => client.send({ method: 'PUT', url: `${s.proxy}/json`, headers, body: megabyte })
  const first = await put()
  if (client.retries) t.equal(first.status, 200, 'the library retried by itself')
  else {
    t.equal(first.status, 503)
    t.equal(first.headers['grantkeeper-error'], 'retry_request')
    t.match(first.headers['retry-after'], /^\d+$/)
  }
  t.equal((await client.send({ method: 'GET', url: `${s.proxy}/json`, headers: s.headers })).status, 200, 'the next request succeeds')
  t.match(JSON.parse(String((await put()).body)), { length: megabyte.length }, 'the same request succeeds')
}

for (const when of ['before', 'after'] as const) {
  const clients: Record<string, () => Client> = {
    ...Object.fromEntries(Object.entries(libraries).map(([name, client]) => [name, () => client])),
    curl: () => curl,
    ...Object.fromEntries(pythonModules.map(name => [`${name} (Python)`, () => python(name)]))
  }
  for (const [name, open] of Object.entries(clients)) {
    t.test(`${name}: a 401 sent ${when} the body is read becomes a retryable 503`, limit, async t => {
      const client = open()
      if (client.close) t.teardown(client.close)
      await assertToldToRetry(t, when, client)
    })
  }

  t.test(`hey (Go net/http): a 401 sent ${when} the body is read becomes a retryable 503`, limit, async t => {
    const s = await setUpExpired(t, when)
    const file = join(t.testdir(), 'megabyte')
    await writeFile(file, megabyte)
    const headers = Object.entries(s.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    const { stdout } = await promisify(execFile)('hey', ['-n', '3', '-c', '1', ...headers, '-m', 'PUT', '-D', file, `${s.proxy}/json`], {
      env
    })
    t.match(stdout, /\[503\]\s+1 responses/)
    t.match(stdout, /\[200\]\s+2 responses/)
    t.notMatch(stdout, /Error distribution/)
  })
}

/** Opens a raw TCP client that reuses its one connection for as long as the gateway allows. */
async function openRawClient(t: Test) {
  const s = await setUpExpired(t, 'before')
  const socket = connect(Number(new URL(s.gateway.url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket.setEncoding('latin1').on('data', text => (received += text))
  await once(socket, 'connect')
  const head = (start: string, ...lines: string[]) =>
    `${start} /proxy/productboard/json HTTP/1.1\r\n${['Host: x', `Cookie: ${s.headers.cookie}`, 'X-CSRF: 1', ...lines].join('\r\n')}\r\n\r\n`
  const until = async (pattern: RegExp) => {
    while (!pattern.test(received)) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`connection ended after ${received.slice(-300)}`)
      await Promise.race([once(socket, 'data'), once(socket, 'end')])
    }
  }
  return { socket, head, until, putHead: head('PUT', `Content-Length: ${megabyte.length}`), received: () => received }
}

const retryRequest = /^HTTP\/1\.1 503 [\s\S]*"retry_request"/
/** Asserts that the next request succeeds on the same connection, or that the gateway announced and closed it. */
async function assertContinues({ socket, head, until, received }: Awaited<ReturnType<typeof openRawClient>>, t: Test): Promise<void> {
  if (/^connection: close\r$/im.test(received())) {
    if (!socket.readableEnded) await once(socket, 'end')
    t.pass('the gateway announced the close and closed')
  } else {
    socket.write(head('GET'))
    await until(/HTTP\/1\.1 200 OK/)
    t.pass('the next request succeeds')
  }
}

t.test('a client that reads only after sending its body gets the whole 503', limit, async t => {
  const c = await openRawClient(t)
  c.socket.pause()
  c.socket.write(c.putHead)
  await new Promise<void>((resolve, reject) => c.socket.write(megabyte, error => (error ? reject(error) : resolve())))
  c.socket.resume()
  await c.until(retryRequest)
  await assertContinues(c, t)
})

t.test('a client that pauses within its body gets the 503 before the rest', limit, async t => {
  const c = await openRawClient(t)
  c.socket.write(c.putHead)
  c.socket.write(megabyte.subarray(0, 200_000))
  await c.until(retryRequest)
  if (!c.socket.readableEnded) c.socket.write(megabyte.subarray(200_000))
  await assertContinues(c, t)
})

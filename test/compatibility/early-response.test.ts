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

/** Nobody waits so long for what is right: it ends a test in which something is never answered. */
const limit = { timeout: 120_000 }

/** A provider that says no as soon as it has the head, or when it has the whole body. */
async function withTokenEnded(t: Test, when: 'before' | 'after') {
  const s = await setUp(t)
  if (when === 'before') {
    s.provider.early = (request, response) => {
      if (s.isGood(request)) return false
      json(response, 401, { error: 'token_expired' })
      return true
    }
  }
  s.expire()
  return s
}

/** The token has ended, and the body is too large to be kept for a second try. */
async function isTold(t: Test, when: 'before' | 'after', client: Client): Promise<void> {
  const s = await withTokenEnded(t, when)
  const octets = { ...s.headers, 'content-type': 'application/octet-stream' }
  const put = () => client.send({ method: 'PUT', url: `${s.proxy}/json`, headers: octets, body: megabyte })
  const first = await put()
  if (client.retries) t.equal(first.status, 200, 'it has repeated the call by itself')
  else {
    t.equal(first.status, 503)
    t.equal(first.headers['grantkeeper-error'], 'retry_request')
    t.match(first.headers['retry-after'], /^\d+$/)
  }
  t.equal((await client.send({ method: 'GET', url: `${s.proxy}/json`, headers: s.headers })).status, 200, 'the next call is served')
  t.match(JSON.parse(String((await put()).body)), { length: megabyte.length }, 'and so is the same once more')
}

for (const when of ['before', 'after'] as const) {
  const all: Record<string, () => Client> = {
    ...Object.fromEntries(Object.entries(libraries).map(([name, client]) => [name, () => client])),
    curl: () => curl,
    ...Object.fromEntries(pythonModules.map(name => [`${name}, of Python,`, () => python(name)]))
  }
  for (const [name, open] of Object.entries(all)) {
    t.test(`${name} is told to send a large body again by a refusal ${when} it has come, and goes on`, limit, async t => {
      const client = open()
      if (client.close) t.teardown(client.close)
      await isTold(t, when, client)
    })
  }

  t.test(`hey, which is the HTTP client of Go, is told so by a refusal ${when} the body has come, and goes on`, limit, async t => {
    const s = await withTokenEnded(t, when)
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

/** A client of bytes, on one connection that it keeps as long as it may. */
async function onOneConnection(t: Test) {
  const s = await withTokenEnded(t, 'before')
  const socket = connect(Number(new URL(s.gateway.url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket.setEncoding('latin1').on('data', text => (received += text))
  await once(socket, 'connect')
  const head = (start: string, ...lines: string[]) =>
    `${start} /proxy/productboard/json HTTP/1.1\r\n${['Host: x', `Cookie: ${s.headers.cookie}`, 'X-CSRF: 1', ...lines].join('\r\n')}\r\n\r\n`
  const until = async (what: RegExp) => {
    while (!what.test(received)) {
      if (socket.readableEnded || socket.destroyed) throw new Error(`it ended with ${received.slice(-300)}`)
      await Promise.race([once(socket, 'data'), once(socket, 'end')])
    }
  }
  return { socket, head, until, putHead: head('PUT', `Content-Length: ${megabyte.length}`), received: () => received }
}

const retryRequest = /^HTTP\/1\.1 503 [\s\S]*"retry_request"/
/** The next call after it, on the same connection unless that was to end. */
async function goesOn({ socket, head, until, received }: Awaited<ReturnType<typeof onOneConnection>>, t: Test): Promise<void> {
  if (/^connection: close\r$/im.test(received())) {
    if (!socket.readableEnded) await once(socket, 'end')
    t.pass('it was told that the connection ends, and it has')
  } else {
    socket.write(head('GET'))
    await until(/HTTP\/1\.1 200 OK/)
    t.pass('the next call is served')
  }
}

t.test('a client that reads nothing until all of its body is sent reads the whole refusal', limit, async t => {
  const c = await onOneConnection(t)
  c.socket.pause()
  c.socket.write(c.putHead)
  await new Promise<void>((resolve, reject) => c.socket.write(megabyte, error => (error ? reject(error) : resolve())))
  c.socket.resume()
  await c.until(retryRequest)
  await goesOn(c, t)
})

t.test('a client that waits with the rest of its body hears the refusal before', limit, async t => {
  const c = await onOneConnection(t)
  c.socket.write(c.putHead)
  c.socket.write(megabyte.subarray(0, 200_000))
  await c.until(retryRequest)
  if (!c.socket.readableEnded) c.socket.write(megabyte.subarray(200_000))
  await goesOn(c, t)
})

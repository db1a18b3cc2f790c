import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import { type ConnectedGateway, signIn, startConnected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { waitForClose } from '../support/raw.ts'

const KiB = 1024

/** Opens a keep-alive connection. `head` makes the head of a request; `text` returns everything received. */
function openConnection(t: Test, { gateway, browser }: ConnectedGateway, allowHalfOpen = false) {
  const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1', allowHalfOpen })
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
  })
  const ended = waitForClose(socket)
  const head = (start: string, ...lines: string[]) =>
    [`${start} HTTP/1.1`, 'Host: x', 'X-CSRF: 1', `Cookie: ${browser.sessionPair(gateway.url)}`, ...lines, '', ''].join('\r\n')
  return {
    socket,
    head,
    ended,
    text: () => text,
    /** Resolves when the received text matches. */
    receives: async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        if (socket.closed || socket.readableEnded) throw new Error(`connection ended: ${text}`)
        await Promise.race([once(socket, 'data'), ended])
      }
    }
  }
}

/** Writes with backpressure until everything is sent or the connection takes no more. */
async function write(socket: Socket, bytes: string | Buffer): Promise<void> {
  const size = 16 * KiB
  for (let at = 0; at < bytes.length && socket.writable; at += size) {
    const piece = bytes.slice(at, at + size)
    if (!socket.write(piece as string, 'latin1')) await new Promise<void>(resume => socket.once('drain', resume).once('close', resume))
  }
}

/** Outcomes before the end of a body, of which the provider has received a part. */
const earlyOutcomes: Record<string, { status: number; code?: string; prepare: (c: ConnectedGateway) => void }> = {
  'a 422 with a body': {
    status: 422,
    prepare: ({ provider }) => {
      provider.onHead = respondEarly((_, r) => json(r, 422, { no: true }))
    }
  },
  'a 413 that closes': {
    status: 413,
    prepare: ({ provider }) => {
      provider.onHead = respondEarly((_, r) => r.writeHead(413, { connection: 'close' }).end('too large'))
    }
  },
  'a reset': {
    status: 502,
    code: 'provider_unavailable',
    prepare: ({ provider }) => {
      provider.onHead = respondEarly(request => request.socket.resetAndDestroy())
    }
  },
  'a 401 whose renewal succeeds': {
    status: 503,
    code: 'retry_request',
    prepare: ({ provider }) => {
      provider.onHead = respondEarly((_, r) => json(r, 401, {}))
    }
  },
  'a 401 whose renewal ends the grant': {
    status: 401,
    code: 'reconnect_required',
    prepare: ({ provider }) => {
      provider.onHead = respondEarly((_, r) => json(r, 401, {}))
      provider.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
    }
  },
  'a 401 whose renewal fails': {
    status: 502,
    code: 'provider_unavailable',
    prepare: ({ provider }) => {
      provider.onHead = respondEarly((_, r) => json(r, 401, {}))
      provider.token = (_, r) => void r.writeHead(503).end()
    }
  },
  'a malformed response': {
    status: 502,
    code: 'provider_unavailable',
    prepare: ({ provider }) => {
      provider.onHead = respondEarly(request => request.socket.end('nonsense\r\n\r\n'))
    }
  }
}

/** Responds to uploads at their first bytes, and reads no more of them. */
function respondEarly(respond: (request: IncomingMessage, response: ServerResponse) => void) {
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.method === 'GET') return false
    request.once('data', () => {
      request.pause()
      respond(request, response)
    })
    return true
  }
}

/** Connects again, after the backoff and with the default provider. */
async function reconnect(t: Test, c: ConnectedGateway): Promise<void> {
  c.clock.advance(120_000)
  c.provider.onHead = undefined
  await signIn(c.gateway, c.browser)
  t.equal((await c.browser.fetch(`${c.proxy}/x`)).status, 200)
}

for (const [outcome, { status, code, prepare }] of Object.entries(earlyOutcomes)) {
  t.test(`${outcome} before the end of an upload reaches the client`, async t => {
    const c = await startConnected(t)
    const responseHead = new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\\r\\n\\r\\n`)
    for (const [size, framing] of [
      [200 * KiB, 'length'],
      [200 * KiB, 'chunks'],
      [8 * KiB * KiB, 'length']
    ] as const) {
      // Each round starts with a valid grant.
      await reconnect(t, c)
      prepare(c)
      const body = 'x'.repeat(size)
      const sent = framing === 'length' ? body : `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      const line = framing === 'length' ? `Content-Length: ${size}` : 'Transfer-Encoding: chunked'
      const client = openConnection(t, c)
      client.socket.write(client.head('POST /proxy/productboard/x', line))
      await Promise.all([write(client.socket, sent), client.receives(responseHead)])
      if (code) t.match(client.text(), new RegExp(`^grantkeeper-error: ${code}\\r$`, 'im'), `${size} in ${framing}`)
      if (/^connection: close\r$/im.test(client.text())) {
        await client.ended
        t.pass('the connection ends as announced')
      } else {
        client.socket.write(client.head('GET /health/live'))
        await client.receives(/[\s\S]HTTP\/1\.1 200 /)
        t.pass('the next request gets a response')
      }
      c.provider.onHead = undefined
      c.provider.token = (_, r) => json(r, 200, tokens())
    }
  })
}

t.test('a client that sends everything before it reads gets the response', async t => {
  const c = await startConnected(t)
  c.provider.onHead = respondEarly((_, r) => json(r, 422, { no: true }))
  const client = openConnection(t, c)
  client.socket.pause()
  const size = 8 * KiB * KiB
  client.socket.write(client.head('POST /proxy/productboard/x', `Content-Length: ${size}`))
  await write(client.socket, 'x'.repeat(size))
  client.socket.resume()
  await client.receives(/^HTTP\/1\.1 422 [\s\S]*\{"no":true\}/)
  t.pass('it receives the whole response')
})

t.test('an upload that is refused by its head gets the gateway’s response', async t => {
  const c = await startConnected(t)
  for (const [start, size, status] of [
    ['POST /proxy/productboard/x', 8 * KiB * KiB, 403],
    ['POST /proxy/productboard/x', 200 * KiB, 403],
    ['POST /connections/productboard', 200 * KiB, 403],
    ['POST /nowhere', 200 * KiB, 403]
  ] as const) {
    const client = openConnection(t, c)
    client.socket.write(client.head(start, `Content-Length: ${size}`).replace('X-CSRF', 'X-None'))
    await Promise.all([write(client.socket, 'x'.repeat(size)), client.receives(new RegExp(`^HTTP/1\\.1 ${status} `))])
    if (/^connection: close\r$/im.test(client.text())) await client.ended
    else {
      client.socket.write(client.head('GET /health/live'))
      await client.receives(/[\s\S]HTTP\/1\.1 200 /)
    }
    t.pass(`${start} with ${size} bytes`)
  }
})

t.test('a chunked body above the limit is refused while it arrives', async t => {
  const c = await startConnected(t)
  const client = openConnection(t, c)
  client.socket.write(client.head('POST /proxy/productboard/x', 'Transfer-Encoding: chunked'))
  const chunk = `100000\r\n${'x'.repeat(KiB * KiB)}\r\n`
  const sending = (async () => {
    for (let i = 0; i < 40; i++) await write(client.socket, chunk)
    if (client.socket.writable) client.socket.write('0\r\n\r\n')
  })()
  await client.receives(/^HTTP\/1\.1 413 [\s\S]*body_too_large/)
  await Promise.all([sending, client.ended])
  t.pass('the response and the end of the connection are received')
})

t.test('a response before the request’s body ends the connection, whatever the client does', async t => {
  const c = await startConnected(t)
  const open = new Set<Socket>()
  c.gateway.app.server.on('connection', socket => open.add(socket.on('close', () => open.delete(socket))))
  // The client never closes the connection itself.
  const clients = ['Content-Length: 100', 'Content-Length: 20000000', 'Transfer-Encoding: chunked'].map(framing => {
    const client = openConnection(t, c, true)
    client.socket.write(client.head('POST /proxy/productboard/x', framing).replace('X-CSRF', 'X-None'))
    return client
  })
  const malformed = openConnection(t, c, true)
  malformed.socket.write('GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n')
  const ends = [...clients, malformed].map(({ socket }) => once(socket, 'end'))
  for (const client of [...clients, malformed]) await client.receives(/^HTTP\/1\.1 40[03] /)
  await Promise.all(ends)
  await eventually('the gateway has closed all connections', async () => open.size === 0)
})

t.test('a request refused for its framing or expectation gets the response despite its body', async t => {
  const c = await startConnected(t)
  const size = 2 * KiB * KiB
  const body = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`
  for (const [lines, status] of [
    [['Transfer-Encoding: gzip, chunked'], 400],
    [['Transfer-Encoding: chunked', 'Expect: a miracle'], 417]
  ] as const) {
    const client = openConnection(t, c)
    client.socket.write(client.head('POST /proxy/productboard/x', ...lines))
    await write(client.socket, body)
    await client.receives(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*header_rejected`))
    await client.ended
  }
  t.equal(c.provider.seen.api.length, 0)
})

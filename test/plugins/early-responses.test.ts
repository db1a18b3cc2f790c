import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import { type Connected, connected, signIn } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { closed } from '../support/raw.ts'

const KiB = 1024

/** A keep-alive connection of a client, with the head of a request and everything received. */
function keptAlive(t: Test, { gateway, browser }: Connected, allowHalfOpen = false) {
  const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1', allowHalfOpen })
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('latin1').on('data', chunk => {
    text += chunk
  })
  const ended = closed(socket)
  const head = (start: string, ...lines: string[]) =>
    [`${start} HTTP/1.1`, 'Host: x', 'X-CSRF: 1', `Cookie: ${browser.sessionPair(gateway.url)}`, ...lines, '', ''].join('\r\n')
  return {
    socket,
    head,
    ended,
    text: () => text,
    /** Resolves when this has been received. */
    comes: async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        if (socket.closed || socket.readableEnded) throw new Error(`it has ended: ${text}`)
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

/** Ways in which a request ends before its body, each for a body that the provider has received in part. */
const ends: Record<string, { status: number; code?: string; provider: (c: Connected) => void }> = {
  'a 422 with a body': {
    status: 422,
    provider: ({ provider }) => {
      provider.early = early((_, r) => json(r, 422, { no: true }))
    }
  },
  'a 413 that closes': {
    status: 413,
    provider: ({ provider }) => {
      provider.early = early((_, r) => r.writeHead(413, { connection: 'close' }).end('too large'))
    }
  },
  'a reset': {
    status: 502,
    code: 'provider_unavailable',
    provider: ({ provider }) => {
      provider.early = early(q => q.socket.resetAndDestroy())
    }
  },
  'a 401 with which the token is renewed': {
    status: 503,
    code: 'retry_request',
    provider: ({ provider }) => {
      provider.early = early((_, r) => json(r, 401, {}))
    }
  },
  'a 401 after which the grant is over': {
    status: 401,
    code: 'reconnect_required',
    provider: ({ provider }) => {
      provider.early = early((_, r) => json(r, 401, {}))
      provider.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
    }
  },
  'a 401 and a token endpoint that fails': {
    status: 502,
    code: 'provider_unavailable',
    provider: ({ provider }) => {
      provider.early = early((_, r) => json(r, 401, {}))
      provider.token = (_, r) => void r.writeHead(503).end()
    }
  },
  'a malformed response': {
    status: 502,
    code: 'provider_unavailable',
    provider: ({ provider }) => {
      provider.early = early(q => q.socket.end('nonsense\r\n\r\n'))
    }
  }
}

/** Responds to uploads at their first bytes, and reads no more of them. */
function early(act: (request: IncomingMessage, response: ServerResponse) => void) {
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.method === 'GET') return false
    request.once('data', () => {
      request.pause()
      act(request, response)
    })
    return true
  }
}

/** The same gateway and provider, with a new connection when the last one is closed. */
async function again(t: Test, c: Connected): Promise<Connected> {
  c.clock.advance(120_000)
  c.provider.early = undefined
  await signIn(c.gateway, c.browser)
  t.equal((await c.browser.fetch(`${c.proxy}/x`)).status, 200)
  return c
}

for (const [what, { status, code, provider }] of Object.entries(ends)) {
  t.test(`${what} before the end of an upload reaches its client`, async t => {
    const c = await connected(t)
    const first = new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*\\r\\n\\r\\n`)
    for (const [size, framing] of [
      [200 * KiB, 'length'],
      [200 * KiB, 'chunks'],
      [8 * KiB * KiB, 'length']
    ] as const) {
      // Each round starts with a valid grant.
      const fresh = await again(t, c)
      provider(fresh)
      const body = 'x'.repeat(size)
      const sent = framing === 'length' ? body : `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`
      const line = framing === 'length' ? `Content-Length: ${size}` : 'Transfer-Encoding: chunked'
      const client = keptAlive(t, fresh)
      client.socket.write(client.head('POST /proxy/productboard/x', line))
      await Promise.all([write(client.socket, sent), client.comes(first)])
      if (code) t.match(client.text(), new RegExp(`^grantkeeper-error: ${code}\\r$`, 'im'), `${size} in ${framing}`)
      if (/^connection: close\r$/im.test(client.text())) {
        await client.ended
        t.pass('it has said that the connection ends, and it ends')
      } else {
        client.socket.write(client.head('GET /health/live'))
        await client.comes(/[\s\S]HTTP\/1\.1 200 /)
        t.pass('the next request gets a response')
      }
      fresh.provider.early = undefined
      fresh.provider.token = (_, r) => json(r, 200, tokens())
    }
  })
}

t.test('a client that sends everything before it reads gets the response', async t => {
  const c = await connected(t)
  c.provider.early = early((_, r) => json(r, 422, { no: true }))
  const client = keptAlive(t, c)
  client.socket.pause()
  const size = 8 * KiB * KiB
  client.socket.write(client.head('POST /proxy/productboard/x', `Content-Length: ${size}`))
  await write(client.socket, 'x'.repeat(size))
  client.socket.resume()
  await client.comes(/^HTTP\/1\.1 422 [\s\S]*\{"no":true\}/)
  t.pass('the whole response')
})

t.test('an upload that is refused by its head gets the gateway’s response', async t => {
  const c = await connected(t)
  for (const [start, size, status] of [
    ['POST /proxy/productboard/x', 8 * KiB * KiB, 403],
    ['POST /proxy/productboard/x', 200 * KiB, 403],
    ['POST /connections/productboard', 200 * KiB, 403],
    ['POST /nowhere', 200 * KiB, 403]
  ] as const) {
    const client = keptAlive(t, c)
    client.socket.write(client.head(start, `Content-Length: ${size}`).replace('X-CSRF', 'X-None'))
    await Promise.all([write(client.socket, 'x'.repeat(size)), client.comes(new RegExp(`^HTTP/1\\.1 ${status} `))])
    if (/^connection: close\r$/im.test(client.text())) await client.ended
    else {
      client.socket.write(client.head('GET /health/live'))
      await client.comes(/[\s\S]HTTP\/1\.1 200 /)
    }
    t.pass(`${start} with ${size} bytes`)
  }
})

t.test('a chunked body above the limit is refused while it arrives', async t => {
  const c = await connected(t)
  const client = keptAlive(t, c)
  client.socket.write(client.head('POST /proxy/productboard/x', 'Transfer-Encoding: chunked'))
  const chunk = `100000\r\n${'x'.repeat(KiB * KiB)}\r\n`
  const sending = (async () => {
    for (let i = 0; i < 40; i++) await write(client.socket, chunk)
    if (client.socket.writable) client.socket.write('0\r\n\r\n')
  })()
  await client.comes(/^HTTP\/1\.1 413 [\s\S]*body_too_large/)
  await Promise.all([sending, client.ended])
  t.pass('and the end')
})

t.test('a response without the request’s body does not hold the connection open', async t => {
  const c = await connected(t)
  const open = new Set<Socket>()
  c.gateway.app.server.on('connection', socket => open.add(socket.on('close', () => open.delete(socket))))
  // The client never closes the connection itself.
  const clients = ['Content-Length: 100', 'Content-Length: 20000000', 'Transfer-Encoding: chunked'].map(framing => {
    const client = keptAlive(t, c, true)
    client.socket.write(client.head('POST /proxy/productboard/x', framing).replace('X-CSRF', 'X-None'))
    return client
  })
  const malformed = keptAlive(t, c, true)
  malformed.socket.write('GET / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n')
  const ends = [...clients, malformed].map(({ socket }) => once(socket, 'end'))
  for (const client of [...clients, malformed]) await client.comes(/^HTTP\/1\.1 40[03] /)
  await Promise.all(ends)
  await eventually('the gateway has let go of all', async () => open.size === 0)
})

t.test('a request refused for its framing or expectation gets the response despite its body', async t => {
  const c = await connected(t)
  const size = 2 * KiB * KiB
  const body = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`
  for (const [lines, status] of [
    [['Transfer-Encoding: gzip, chunked'], 400],
    [['Transfer-Encoding: chunked', 'Expect: a miracle'], 417]
  ] as const) {
    const client = keptAlive(t, c)
    client.socket.write(client.head('POST /proxy/productboard/x', ...lines))
    await write(client.socket, body)
    await client.comes(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*header_rejected`))
    await client.ended
  }
  t.equal(c.provider.seen.api.length, 0)
})

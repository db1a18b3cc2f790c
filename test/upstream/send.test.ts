import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import t, { type Test } from 'tap'
import { hasCode } from '../../src/core/errors.ts'
import type { PipeOutcome, RequestBody, ResponseHead, Send, UpstreamRequest } from '../../src/core/proxy/upstream.ts'
import { createLookup } from '../../src/upstream/lookup.ts'
import { openUpstream } from '../../src/upstream/send.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { streamedBody } from '../support/streamed.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A server on a real socket, and the `send` under test. */
async function setUp(t: Test, handler: Handler, widths?: Parameters<typeof openUpstream>[1]) {
  const server = createServer(handler)
  const port = await listen(t, server)
  t.teardown(() => server.closeAllConnections())
  const { send } = upstream(t, widths)
  const request = (change: Partial<UpstreamRequest> = {}): UpstreamRequest => requestTo(`http://127.0.0.1:${port}`, change)
  return { send, request, server, port }
}

function upstream(t: Test, widths?: Parameters<typeof openUpstream>[1]) {
  const opened = openUpstream(createLookup({ production: false, providers: new Map() }), widths)
  t.teardown(() => opened.close())
  return opened
}

const requestTo = (origin: string, change: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  provider: 'acme',
  origin,
  method: 'GET',
  path: '/',
  headers: [],
  body: undefined,
  bodyLength: undefined,
  timeoutMs: 5_000,
  signal: new AbortController().signal,
  ...change
})

/** Sends a request and reads the response to its end. */
async function receive(send: Send, request: UpstreamRequest): Promise<ResponseHead & { outcome: PipeOutcome; text: string }> {
  const response = await send(request)
  const sink = new PassThrough()
  const chunks = sink.toArray()
  const outcome = await response.pipeTo(sink)
  return { status: response.status, headers: response.headers, outcome, text: Buffer.concat(await chunks).toString() }
}

t.test('a response is its head first, and then its body piped to a sink', async t => {
  const { send, request } = await setUp(t, (q, r) => r.writeHead(201, { 'x-path': q.url ?? '' }).end('hello'))
  t.match(await receive(send, request({ path: '/a%2Fb/../c?d=%zz', headers: ['X-One', '1'] })), {
    status: 201,
    headers: { 'x-path': '/a%2Fb/../c?d=%zz' },
    outcome: 'complete',
    text: 'hello'
  })
})

t.test('every byte of a response reaches the client, whatever its size, pieces and framing', async t => {
  const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 7) % 256))
  const cases = [0, 1, 256, 12 * 1024, 12 * 1024 + 1, 20_000, 300_000].flatMap(length =>
    [0, 1, 2, 3].flatMap(pieces => [true, false].map(sized => ({ length, pieces, sized })))
  )
  let shape = cases[0] as (typeof cases)[0]
  const { send, request } = await setUp(t, async (_, r) => {
    const { length, pieces, sized } = shape
    const body = bytes(length)
    if (sized) r.setHeader('content-length', length)
    // Body and end in one tick, so that a small body arrives in one packet.
    if (pieces === 0) {
      r.write(body)
      r.end()
      return
    }
    const size = Math.ceil(length / pieces)
    for (let i = 0; i < pieces; i++) {
      // Each in a packet of its own.
      await new Promise<void>(sent => r.write(body.subarray(i * size, (i + 1) * size), () => sent()))
      await new Promise(setImmediate)
    }
    r.end()
  })
  const front = createServer(async (_, r) => {
    const response = await send(request())
    const length = response.headers['content-length']
    await response.pipeTo(r.writeHead(response.status, length ? ['content-length', String(length)] : []))
  })
  const port = await listen(t, front)
  t.teardown(() => front.closeAllConnections())
  for (shape of cases) {
    const response = await fetch(`http://127.0.0.1:${port}`)
    t.ok(Buffer.from(await response.arrayBuffer()).equals(bytes(shape.length)), JSON.stringify(shape))
  }
})

t.test('the head is sent before a late body', async t => {
  const begins = Promise.withResolvers<ServerResponse>()
  const { send, request } = await setUp(t, (_, r) => {
    r.writeHead(200).flushHeaders()
    begins.resolve(r)
  })
  const front = createServer(async (_, r) => {
    const response = await send(request())
    await response.pipeTo(r.writeHead(response.status))
  })
  const port = await listen(t, front)
  t.teardown(() => front.closeAllConnections())
  const response = await fetch(`http://127.0.0.1:${port}`)
  const upstreamResponse = await begins.promise
  upstreamResponse.end('late')
  t.equal(await response.text(), 'late')
})

t.test('a small response reaches the client as one write, head and body', async t => {
  const { send, request } = await setUp(t, (_, r) => r.end('x'.repeat(1000)))
  const writes: unknown[] = []
  const front = createServer(async (_, r) => {
    const response = await send(request())
    const { socket } = r
    if (!socket) throw new Error('no socket')
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    socket.write = (...args: unknown[]) => {
      writes.push(args[0])
      return write(...args)
    }
    await response.pipeTo(r.writeHead(response.status, ['content-length', '1000']))
  })
  const port = await listen(t, front)
  t.teardown(() => front.closeAllConnections())
  t.equal((await (await fetch(`http://127.0.0.1:${port}`)).text()).length, 1000)
  t.equal(writes.length, 1)
})

t.test('a body that arrives before it is piped is buffered up to a limit, and complete in the end', async t => {
  for (const length of [10, 300_000, 5_000_000]) {
    const { send, request } = await setUp(t, (_, r) => r.end(Buffer.alloc(length, 'x')))
    const response = await send(request())
    await new Promise(resolve => setTimeout(resolve, 100))
    const sink = new PassThrough()
    const chunks = sink.toArray()
    t.equal(await response.pipeTo(sink), 'complete')
    t.equal(Buffer.concat(await chunks).length, length)
  }
})

t.test('a body that is cut off before it is piped destroys the sink', async t => {
  const cut = Promise.withResolvers<void>()
  const { send, request } = await setUp(t, (_, r) => {
    r.writeHead(200, { 'content-length': '10' }).write('half')
    r.on('close', cut.resolve)
    setTimeout(() => r.destroy(), 50)
  })
  const response = await send(request())
  await cut.promise
  await new Promise(resolve => setTimeout(resolve, 50))
  const sink = new PassThrough()
  t.equal(await response.pipeTo(sink), 'aborted')
  t.ok(sink.destroyed)
})

t.test('a response whose sink is closed already ends the request', async t => {
  const closed = Promise.withResolvers<void>()
  const { send, request } = await setUp(t, (_, r) => {
    r.on('close', closed.resolve)
    r.writeHead(200).write('half')
  })
  const response = await send(request())
  t.equal(await response.pipeTo(new PassThrough().destroy()), 'aborted')
  await closed.promise
})

t.test('a discarded response leaves its connection to the next request', async t => {
  const sockets = new Set<unknown>()
  const { send, request } = await setUp(t, (q, r) => {
    sockets.add(q.socket)
    r.writeHead(401).end('x'.repeat(1000))
  })
  const response = await send(request())
  response.discard()
  await new Promise(setImmediate)
  await receive(send, request())
  t.equal(sockets.size, 1)
})

t.test('a long discarded response is not read to its end', async t => {
  const closed = Promise.withResolvers<void>()
  const { send, request } = await setUp(t, (_, r) => {
    r.on('close', closed.resolve).writeHead(401)
    const more = () => {
      while (!r.destroyed && r.write(Buffer.alloc(16 * 1024)));
      r.once('drain', more)
    }
    more()
  })
  const response = await send(request())
  response.discard()
  await closed.promise
  t.pass('the connection was ended')
})

t.test('an upstream that does not respond in time is a provider_timeout', async t => {
  const { send, request } = await setUp(t, () => {})
  await t.rejects(receive(send, request({ timeoutMs: 50 })), { code: 'provider_timeout', status: 504 })
})

t.test('a body that stalls is aborted, and its sink destroyed and not ended', async t => {
  const { send, request } = await setUp(t, (_, r) => r.writeHead(200, { 'content-length': '10' }).write('half'))
  const response = await send(request({ timeoutMs: 1000 }))
  const sink = new PassThrough()
  sink.on('error', () => {})
  t.equal(await response.pipeTo(sink), 'aborted')
  t.ok(sink.destroyed)
  t.notOk(sink.writableFinished)
})

t.test('server-sent events may be silent for longer than the timeout', async t => {
  const begun = Promise.withResolvers<ServerResponse>()
  const { send, request } = await setUp(t, (_, r) => {
    r.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' }).write('data: 1\n\n')
    begun.resolve(r)
  })
  const response = await send(request({ timeoutMs: 1000 }))
  const sink = new PassThrough()
  const piped = response.pipeTo(sink)
  await once(sink, 'data')
  // Another request with about the same timeout shows that it has passed.
  const silent = await setUp(t, () => {})
  await t.rejects(receive(silent.send, silent.request({ timeoutMs: 1100 })), { code: 'provider_timeout' })
  t.notOk(sink.destroyed)
  ;(await begun.promise).end()
  t.equal(await piped, 'complete')
})

t.test('an upload that makes progress may take longer than the timeout', async t => {
  const { send, request } = await setUp(t, (q, r) => {
    q.resume()
    q.on('end', () => r.end('done'))
  })
  async function* slow() {
    for (let i = 0; i < 5; i++) {
      await new Promise(resolve => setTimeout(resolve, 300))
      yield Buffer.alloc(1000)
    }
  }
  t.match(await receive(send, request({ method: 'POST', body: streamedBody(slow()), timeoutMs: 1000 })), {
    outcome: 'complete',
    text: 'done'
  })
})

t.test('a slow reader slows the upstream down', async t => {
  let written = 0
  const { send, request } = await setUp(t, (_, r) => {
    r.writeHead(200)
    const more = () => {
      while (written < 50_000_000) {
        written += 65536
        if (!r.write(Buffer.alloc(65536))) return void r.once('drain', more)
      }
      r.end()
    }
    more()
  })
  const blocked = Promise.withResolvers<() => void>()
  const sink = new Writable({ highWaterMark: 1024, write: (_chunk, _encoding, done) => blocked.resolve(done) })
  const leaving = new AbortController()
  sink.on('error', () => {})
  const response = await send(request({ signal: leaving.signal }))
  const piped = response.pipeTo(sink)
  await blocked.promise
  const silent = await setUp(t, () => {})
  await t.rejects(receive(silent.send, silent.request({ timeoutMs: 100 })), { code: 'provider_timeout' })
  t.ok(written < 20_000_000, `only what the buffers of two sockets hold was written: ${written}`)
  leaving.abort()
  t.equal(await piped, 'aborted')
})

t.test('a disconnected client aborts the request, before and after it is sent', async t => {
  const arrived = Promise.withResolvers<ServerResponse>()
  const { send, request } = await setUp(t, (_, r) => arrived.resolve(r))
  const leaving = new AbortController()
  const sending = receive(send, request({ signal: leaving.signal }))
  const response = await arrived.promise
  leaving.abort()
  await t.rejects(sending, { code: 'provider_unavailable' })
  await once(response, 'close')
  await t.rejects(receive(send, request({ signal: AbortSignal.abort() })), { code: 'provider_unavailable' })
})

t.test('informational responses are skipped', async t => {
  const { send, request } = await setUp(t, (_, r) => {
    r.writeEarlyHints({ link: '</a>; rel=preload' })
    r.end('final')
  })
  t.match(await receive(send, request()), { status: 200, text: 'final' })
})

t.test('a request body and its length are sent unchanged', async t => {
  const { send, request } = await setUp(t, async (q, r) =>
    r.end(JSON.stringify({ headers: q.headers, body: Buffer.concat(await q.toArray()).toString() }))
  )
  async function* stream() {
    yield Buffer.from('abc')
    yield Buffer.from('def')
  }
  const cases: [RequestBody, number | undefined, object, string][] = [
    [[], undefined, { 'content-length': '0' }, ''],
    [[Buffer.from('abc')], 3, { 'content-length': '3' }, 'abc'],
    [[Buffer.from('abc'), Buffer.from('def'), Buffer.from('g')], 7, { 'content-length': '7' }, 'abcdefg'],
    [[Buffer.from('abc'), Buffer.from('def')], undefined, { 'content-length': '6' }, 'abcdef'],
    [streamedBody(stream()), 6, { 'content-length': '6' }, 'abcdef'],
    [streamedBody(stream()), undefined, { 'transfer-encoding': 'chunked' }, 'abcdef']
  ]
  for (const [body, bodyLength, headers, received] of cases) {
    const { text } = await receive(send, request({ method: 'POST', body, bodyLength }))
    t.match(JSON.parse(text), { headers, body: received })
  }
})

t.test('SEC-34: a server with an untrusted or wrong certificate receives no request', async t => {
  let requests = 0
  const server = createTlsServer(await selfSignedCertificate(t, 'elsewhere.example'), (_, r) => {
    requests++
    r.end()
  })
  server.on('tlsClientError', () => {})
  const port = await listen(t, server)
  await t.rejects(receive(upstream(t).send, requestTo(`https://localhost:${port}`)), { code: 'provider_unavailable' })
  t.equal(requests, 0)
})

t.test('SEC-34: a redirect is not followed', async t => {
  const { send, request, server } = await setUp(t, (_, r) => r.writeHead(302, { location: '/other' }).end())
  let requests = 0
  server.on('request', () => requests++)
  t.match(await receive(send, request()), { status: 302 })
  t.equal(requests, 1)
})

t.test('a response that is not HTTP is provider_unavailable', async t => {
  const { send } = upstream(t)
  for (const bytes of [
    '',
    'nonsense\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    'HTTP/1.1 200 OK\r\nA: b\x00c\r\n\r\n'
  ]) {
    const server = createTcpServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(bytes))
    })
    const port = await listen(t, server)
    await t.rejects(receive(send, requestTo(`http://127.0.0.1:${port}`)), { code: 'provider_unavailable' }, JSON.stringify(bytes))
  }
  const closed = createTcpServer()
  const port = await listen(t, closed)
  closed.close()
  const refused = await receive(send, requestTo(`http://127.0.0.1:${port}`)).catch(error => error)
  t.ok(hasCode(refused, 'provider_unavailable'))
})

t.test('SEC-36: event streams take no place from requests, and one too many is refused', async t => {
  const { send, request } = await setUp(
    t,
    (q, r) => {
      if (q.url === '/events') r.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      else r.end('called')
    },
    { requests: 1, eventStreams: 2 }
  )
  const ends = new AbortController()
  for (let i = 0; i < 2; i++) {
    const response = await send(request({ path: '/events', signal: ends.signal }))
    t.equal(response.status, 200)
    void response.pipeTo(new PassThrough())
  }
  t.match(await receive(send, request()), { outcome: 'complete', text: 'called' })
  await t.rejects(receive(send, request({ path: '/events' })), { code: 'rate_limited' })
  ends.abort()
})

t.test('SEC-36: a request aborted in the queue is never sent', async t => {
  const seen: string[] = []
  const firstReceived = Promise.withResolvers<ServerResponse>()
  const { send, request } = await setUp(
    t,
    (q, r) => {
      seen.push(q.url ?? '')
      if (q.url === '/first') firstReceived.resolve(r)
      else r.end()
    },
    { requests: 1, eventStreams: 1 }
  )
  const first = receive(send, request({ path: '/first' }))
  const response = await firstReceived.promise
  const gone = new AbortController()
  const second = receive(send, request({ path: '/second', method: 'POST', body: [Buffer.alloc(60_000)], signal: gone.signal }))
  const third = receive(send, request({ path: '/third' }))
  gone.abort()
  await t.rejects(second)
  response.end()
  await Promise.all([first, third])
  t.strictSame(seen, ['/first', '/third'])
})

t.test('SEC-36: a failed request releases its place exactly once', async t => {
  const seen: string[] = []
  const firstReceived = Promise.withResolvers<ServerResponse>()
  const { send, request, port } = await setUp(
    t,
    (q, r) => {
      seen.push(q.url ?? '')
      if (q.url === '/broken') q.socket.destroy()
      else if (q.url === '/first') firstReceived.resolve(r)
      else r.end()
    },
    { requests: 1, eventStreams: 1 }
  )
  await t.rejects(receive(send, request({ path: '/broken' })), { code: 'provider_unavailable' })
  const first = receive(send, request({ path: '/first' }))
  const second = receive(send, request({ path: '/second' }))
  const response = await firstReceived.promise
  // Sent after the second would have been, so the second would arrive first.
  await (await fetch(`http://127.0.0.1:${port}/probe`)).text()
  t.strictSame(seen, ['/broken', '/first', '/probe'])
  response.end()
  await Promise.all([first, second])
  t.equal(seen.at(-1), '/second')
})

t.test('SEC-36: an upload takes no place from requests while its client sends', async t => {
  const { send, request } = await setUp(t, async (q, r) => r.end(String(Buffer.concat(await q.toArray()).length)), {
    requests: 1,
    eventStreams: 1
  })
  const rest = Promise.withResolvers<void>()
  async function* slow() {
    yield Buffer.alloc(1000)
    await rest.promise
    yield Buffer.alloc(1000)
  }
  const upload = receive(send, request({ method: 'POST', body: streamedBody(slow()), bodyLength: 2000 }))
  t.match(await receive(send, request()), { text: '0' })
  rest.resolve()
  t.match(await upload, { text: '2000' })
})

t.test('SEC-36: providers that share an origin do not share limits', async t => {
  const firstReceived = Promise.withResolvers<ServerResponse>()
  const { send, request } = await setUp(t, (q, r) => (q.url === '/first-received' ? firstReceived.resolve(r) : r.end('called')), {
    requests: 1,
    eventStreams: 1
  })
  const first = receive(send, request({ path: '/first-received' }))
  const response = await firstReceived.promise
  t.match(await receive(send, request({ provider: 'other' })), { text: 'called' })
  response.end()
  await first
})

t.test('few origins of redirects keep connections, and the provider’s own always does', async t => {
  const ended: string[] = []
  const someEnded = Promise.withResolvers<void>()
  const portOf = (name: string) => {
    const server = createServer((_, r) => r.end(name))
    server.on('connection', socket => {
      socket.on('close', () => {
        ended.push(name)
        someEnded.resolve()
      })
    })
    t.teardown(() => server.closeAllConnections())
    return listen(t, server)
  }
  const { send } = upstream(t, { requests: 8, eventStreams: 8, origins: 2 })
  const call = async (port: number) => (await receive(send, requestTo(`http://127.0.0.1:${port}`))).text
  const [own, first, second] = [await portOf('own'), await portOf('first'), await portOf('second')]
  for (const port of [own, first, second]) await call(port)
  await someEnded.promise
  t.strictSame(ended, ['first'])
  t.equal(await call(first), 'first', 'an evicted pool is opened again')
})

t.test('a client that reads nothing has its own timeout, shorter or longer than the provider’s', async t => {
  const { send, request } = await setUp(t, (_, r) => {
    const more = () => {
      while (r.write(Buffer.alloc(65536)));
    }
    r.on('drain', more).on('error', () => {})
    more()
  })
  for (const [timeoutMs, readTimeoutMs] of [
    [60_000, 300],
    [200, 700]
  ] as const) {
    const blocked = Promise.withResolvers<void>()
    const sink = new Writable({ highWaterMark: 1024, write: () => blocked.resolve() })
    sink.on('error', () => {})
    const response = await send(request({ timeoutMs, readTimeoutMs }))
    const piped = response.pipeTo(sink)
    await blocked.promise
    const startMs = performance.now()
    t.equal(await piped, 'aborted')
    t.ok(performance.now() - startMs >= readTimeoutMs * 0.7, 'not earlier')
  }
})

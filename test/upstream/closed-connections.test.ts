import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { UpstreamRequest } from '../../src/core/proxy/upstream.ts'
import { streamedBody } from '../support/streamed.ts'
import { ok, type RawRequest, startRawProvider } from './raw-provider.ts'

const pieces = [Buffer.from('sent '), Buffer.from('in pieces')]
async function* stream() {
  yield Buffer.from('streamed')
}

/** How a provider closes a connection on which a request arrives. */
const closes = {
  'a FIN': (socket: Socket) => void socket.end(),
  'a reset': (socket: Socket) => void socket.resetAndDestroy()
}

/** Responds to the first request of each connection, and closes it on the second. */
const onceEach = (close: (socket: Socket) => void) => {
  const served = new Set<number>()
  const received: string[] = []
  return {
    received,
    onRequest: ({ socket, text, connection }: RawRequest) => {
      received.push(`${connection} ${text.split(' ', 1)[0]}`)
      if (served.has(connection)) return close(socket)
      served.add(connection)
      socket.write(ok)
    }
  }
}

for (const [how, close] of Object.entries(closes)) {
  t.test(`a reused connection closed with ${how} before the response fails no idempotent request`, async t => {
    for (const [method, body] of [
      ['GET', undefined],
      ['HEAD', undefined],
      ['PUT', [Buffer.from('sent')]],
      ['PUT', pieces],
      ['DELETE', undefined],
      ['DELETE', pieces]
    ] as const) {
      const { received, onRequest } = onceEach(close)
      const { call } = await startRawProvider(t, onRequest)
      await call()
      t.match(await call({ method, body }), { status: 200 }, method)
      t.strictSame(received, ['1 GET', `1 ${method}`, `2 ${method}`])
    }
  })

  t.test(`a request that is not idempotent is not retried after ${how}`, async t => {
    for (const [method, body] of [
      ['POST', undefined],
      ['POST', [Buffer.from('sent')]],
      ['PATCH', pieces],
      ['PUT', streamedBody(stream())]
    ] as [UpstreamRequest['method'], UpstreamRequest['body']][]) {
      const { received, onRequest } = onceEach(close)
      const { call } = await startRawProvider(t, onRequest)
      await call()
      await t.rejects(call({ method, body }), { code: 'provider_unavailable' }, method)
      t.strictSame(received, ['1 GET', `1 ${method}`])
    }
  })
}

t.test('a request is retried once, and only after a failure on a reused connection', async t => {
  const received: number[] = []
  const { call } = await startRawProvider(t, ({ socket, connection }) => {
    received.push(connection)
    if (received.length === 1) socket.write(ok)
    else socket.resetAndDestroy()
  })
  await call()
  await t.rejects(call(), { code: 'provider_unavailable' })
  t.strictSame(received, [1, 1, 2], 'a failure on the second connection is final')
  await t.rejects(call(), { code: 'provider_unavailable' })
  t.strictSame(received, [1, 1, 2, 3], 'a failure on a new connection is final')
})

t.test('a request is not retried once a byte of its response has arrived', async t => {
  for (const beginning of ['H', 'HTTP/1.1 200 OK\r\nContent-Le', 'HTTP/1.1 102 Processing\r\n\r\n', 'nonsense']) {
    let received = 0
    const { call } = await startRawProvider(t, ({ socket }) => {
      if (++received === 1) socket.write(ok)
      else socket.end(beginning)
    })
    await call()
    await t.rejects(call(), { code: 'provider_unavailable' }, beginning)
    t.equal(received, 2)
  }
})

t.test('no POST is sent on an idle connection that the provider will soon close', async t => {
  const sockets: Socket[] = []
  const { call, connections } = await startRawProvider(t, ({ socket }) => {
    sockets.push(socket)
    socket.write(ok)
  })
  await call({ method: 'POST' })
  const startMs = performance.now()
  await sleep(100)
  const ended = once(sockets[0] as Socket, 'close')
  sockets[0]?.end()
  await ended
  const idleMs = performance.now() - startMs
  await call({ method: 'POST' })
  t.equal(connections(), 2)
  await sleep(idleMs)
  await call({ method: 'POST' })
  t.equal(connections(), 3, 'it has been idle for as long')
  await sleep(idleMs)
  await call({ method: 'GET' })
  t.equal(connections(), 3, 'a request that can be retried is sent on it all the same')
})

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { UpstreamRequest } from '../../src/core/proxy/upstream.ts'
import { streamed } from '../support/streamed.ts'
import { type Came, ok, startRawProvider } from './raw-provider.ts'

const pieces = [Buffer.from('kept '), Buffer.from('in pieces')]
async function* stream() {
  yield Buffer.from('streamed')
}

/** How a provider closes a connection on which a request comes. */
const closes = {
  'a FIN': (socket: Socket) => void socket.end(),
  'a reset': (socket: Socket) => void socket.resetAndDestroy()
}

/** One answer on each connection; a further request on it is not answered but ended. */
const onceEach = (close: (socket: Socket) => void) => {
  const served = new Set<number>()
  const asked: string[] = []
  return {
    asked,
    onRequest: ({ socket, text, connection }: Came) => {
      asked.push(`${connection} ${text.split(' ', 1)[0]}`)
      if (served.has(connection)) return close(socket)
      served.add(connection)
      socket.write(ok)
    }
  }
}

for (const [how, close] of Object.entries(closes)) {
  t.test(`a kept connection that ends with ${how} in place of an answer costs no call that may be sent again`, async t => {
    for (const [method, body] of [
      ['GET', undefined],
      ['HEAD', undefined],
      ['PUT', [Buffer.from('kept')]],
      ['PUT', pieces],
      ['DELETE', undefined],
      ['DELETE', pieces]
    ] as const) {
      const { asked, onRequest } = onceEach(close)
      const { call } = await startRawProvider(t, onRequest)
      await call()
      t.match(await call({ method, body }), { status: 200 }, method)
      t.strictSame(asked, ['1 GET', `1 ${method}`, `2 ${method}`])
    }
  })

  t.test(`a call that may do something twice is not sent again after ${how}`, async t => {
    for (const [method, body] of [
      ['POST', undefined],
      ['POST', [Buffer.from('kept')]],
      ['PATCH', pieces],
      ['PUT', streamed(stream())]
    ] as [UpstreamRequest['method'], UpstreamRequest['body']][]) {
      const { asked, onRequest } = onceEach(close)
      const { call } = await startRawProvider(t, onRequest)
      await call()
      await t.rejects(call({ method, body }), { code: 'provider_unavailable' }, method)
      t.strictSame(asked, ['1 GET', `1 ${method}`])
    }
  })
}

t.test('a call is sent again once, and only when its connection has served before', async t => {
  const asked: number[] = []
  const { call } = await startRawProvider(t, ({ socket, connection }) => {
    asked.push(connection)
    if (asked.length === 1) socket.write(ok)
    else socket.resetAndDestroy()
  })
  await call()
  await t.rejects(call(), { code: 'provider_unavailable' })
  t.strictSame(asked, [1, 1, 2], 'a second connection is the last')
  await t.rejects(call(), { code: 'provider_unavailable' })
  t.strictSame(asked, [1, 1, 2, 3], 'and one that is new is the only one')
})

t.test('a call is not sent again when a byte of its answer has come', async t => {
  for (const beginning of ['H', 'HTTP/1.1 200 OK\r\nContent-Le', 'HTTP/1.1 102 Processing\r\n\r\n', 'nonsense']) {
    let asked = 0
    const { call } = await startRawProvider(t, ({ socket }) => {
      if (++asked === 1) socket.write(ok)
      else socket.end(beginning)
    })
    await call()
    await t.rejects(call(), { code: 'provider_unavailable' }, beginning)
    t.equal(asked, 2)
  }
})

t.test('a provider that ends idle connections after a while is sent no POST on one that is about to end', async t => {
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
  t.equal(connections(), 3, 'which does not matter to a call that may be sent again')
})

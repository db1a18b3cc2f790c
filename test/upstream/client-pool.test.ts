import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { ClientPool, type PooledClient } from '../../src/upstream/client-pool.ts'
import { createLookup } from '../../src/upstream/lookup.ts'
import { selfSigned } from '../support/certificate.ts'

const lookup = createLookup({ production: false, providers: new Map() })

async function connectionsTo(t: Test, server: Server, host: string): Promise<ClientPool> {
  server.listen(0)
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const origin = `${host}:${(server.address() as AddressInfo).port}`
  const connections = new ClientPool(origin, lookup(origin))
  t.teardown(() => connections.destroy())
  return connections
}

/** A server that knows its connections by the order of their coming, and what leads to it. */
async function setUp(t: Test, listener: RequestListener) {
  const sockets: Socket[] = []
  const server = createServer(listener).on('connection', socket => sockets.push(socket))
  return { connections: await connectionsTo(t, server, 'http://127.0.0.1'), sockets, server }
}

/** @returns the answer's body */
function call({ client }: PooledClient, path = '/'): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let body = ''
  client.dispatch(
    { method: 'GET', path },
    {
      onRequestStart: () => {},
      onResponseStart: () => {},
      onResponseData: (_, chunk) => {
        body += chunk
      },
      onResponseEnd: () => resolve(body),
      onResponseError: (_, error) => reject(error)
    }
  )
  return promise
}

t.test('calls at once have a connection each, and the one that was used last is the next', async t => {
  const { connections, sockets } = await setUp(t, (_, r) => r.end('answer'))
  const clients = [connections.acquire(true), connections.acquire(true), connections.acquire(true)] as const
  t.same(await Promise.all(clients.map(client => call(client))), ['answer', 'answer', 'answer'])
  t.equal(sockets.length, 3)
  for (const client of clients) connections.release(client)
  for (let i = 0; i < 5; i++) {
    const client = connections.acquire(true)
    t.equal(client, clients[2])
    t.equal(await call(client), 'answer')
    connections.release(client)
  }
  t.equal(sockets.length, 3)
})

t.test('a connection that was dropped is closed and never the next', async t => {
  const { connections, sockets } = await setUp(t, (_, r) => r.end())
  const client = connections.acquire(true)
  await call(client)
  const closed = once(sockets[0] as Socket, 'close')
  connections.discard(client)
  await closed
  t.not(connections.acquire(true), client)
})

t.test('a connection that its server has ended is forgotten while nobody uses it', async t => {
  const { connections, sockets } = await setUp(t, (_, r) => r.end('answer'))
  const [first, second] = [connections.acquire(true), connections.acquire(true)]
  await Promise.all([call(first), call(second)])
  connections.release(first)
  connections.release(second)
  const ended = once(second.client, 'disconnect')
  sockets[1]?.end()
  await ended
  t.equal(connections.acquire(true), first)
  t.not(connections.acquire(true), second)
})

t.test('one that is taken in the moment in which its server ends it connects anew, and serves on', async t => {
  const { connections, sockets } = await setUp(t, (_, r) => r.setHeader('connection', 'close').end('answer'))
  const client = connections.acquire(true)
  const ended = once(client.client, 'disconnect')
  t.equal(await call(client), 'answer')
  connections.release(client)
  const again = connections.acquire(true)
  t.equal(again, client)
  t.equal(await call(again), 'answer')
  await ended
  t.equal(sockets.length, 2)
  connections.release(again)
  t.equal(connections.acquire(true), client)
})

t.test('the end of all of them ends calls under way', async t => {
  const { connections, server } = await setUp(t, () => {})
  const asked = once(server, 'request')
  const calling = call(connections.acquire(true))
  await asked
  await Promise.all([t.rejects(calling), connections.destroy()])
})

t.test('a further connection resumes the TLS session of one before', async t => {
  const { key, cert } = await selfSigned(t, 'localhost')
  const trusted = getCACertificates()
  setDefaultCACertificates([cert.toString()])
  t.teardown(() => setDefaultCACertificates(trusted))
  const resumed: boolean[] = []
  const server = createTlsServer({ key, cert }, (_, r) => r.end('answer'))
  server.on('secureConnection', (socket: TLSSocket) => resumed.push(socket.isSessionReused()))
  const connections = await connectionsTo(t, server, 'https://localhost')
  for (let i = 0; i < 2; i++) t.equal(await call(connections.acquire(true)), 'answer')
  t.same(resumed, [false, true])
})

import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { ClientPool, type PooledClient } from '../../src/upstream/client-pool.ts'
import { createLookup } from '../../src/upstream/lookup.ts'
import { selfSignedCertificate } from '../support/certificate.ts'

const lookup = createLookup({ production: false, providers: new Map() })

async function openPool(t: Test, server: Server, host: string): Promise<ClientPool> {
  server.listen(0)
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const origin = `${host}:${(server.address() as AddressInfo).port}`
  const pool = new ClientPool(origin, lookup(origin))
  t.teardown(() => pool.destroy())
  return pool
}

/** A pool, and its server with its sockets in the order of connection. */
async function setUp(t: Test, listener: RequestListener) {
  const sockets: Socket[] = []
  const server = createServer(listener).on('connection', socket => sockets.push(socket))
  return { pool: await openPool(t, server, 'http://127.0.0.1'), sockets, server }
}

/** @returns the response body */
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

t.test('concurrent requests have a connection each, and the last one used is reused first', async t => {
  const { pool, sockets } = await setUp(t, (_, r) => r.end('response'))
  const clients = [pool.acquire(true), pool.acquire(true), pool.acquire(true)] as const
  t.same(await Promise.all(clients.map(client => call(client))), ['response', 'response', 'response'])
  t.equal(sockets.length, 3)
  for (const client of clients) pool.release(client)
  for (let i = 0; i < 5; i++) {
    const client = pool.acquire(true)
    t.equal(client, clients[2])
    t.equal(await call(client), 'response')
    pool.release(client)
  }
  t.equal(sockets.length, 3)
})

t.test('a discarded connection is closed and not reused', async t => {
  const { pool, sockets } = await setUp(t, (_, r) => r.end())
  const client = pool.acquire(true)
  await call(client)
  const closed = once(sockets[0] as Socket, 'close')
  pool.discard(client)
  await closed
  t.not(pool.acquire(true), client)
})

t.test('an idle connection that its server closes is removed from the pool', async t => {
  const { pool, sockets } = await setUp(t, (_, r) => r.end('response'))
  const [first, second] = [pool.acquire(true), pool.acquire(true)]
  await Promise.all([call(first), call(second)])
  pool.release(first)
  pool.release(second)
  const ended = once(second.client, 'disconnect')
  sockets[1]?.end()
  await ended
  t.equal(pool.acquire(true), first)
  t.not(pool.acquire(true), second)
})

t.test('a client acquired while its server closes the connection reconnects and stays usable', async t => {
  const { pool, sockets } = await setUp(t, (_, r) => r.setHeader('connection', 'close').end('response'))
  const client = pool.acquire(true)
  const ended = once(client.client, 'disconnect')
  t.equal(await call(client), 'response')
  pool.release(client)
  const again = pool.acquire(true)
  t.equal(again, client)
  t.equal(await call(again), 'response')
  await ended
  t.equal(sockets.length, 2)
  pool.release(again)
  t.equal(pool.acquire(true), client)
})

t.test('destroying the pool aborts requests in flight', async t => {
  const { pool, server } = await setUp(t, () => {})
  const requested = once(server, 'request')
  const calling = call(pool.acquire(true))
  await requested
  await Promise.all([t.rejects(calling), pool.destroy()])
})

t.test('a later connection resumes the TLS session of an earlier one', async t => {
  const { key, cert } = await selfSignedCertificate(t, 'localhost')
  const trusted = getCACertificates()
  setDefaultCACertificates([cert.toString()])
  t.teardown(() => setDefaultCACertificates(trusted))
  const resumed: boolean[] = []
  const server = createTlsServer({ key, cert }, (_, r) => r.end('response'))
  server.on('secureConnection', (socket: TLSSocket) => resumed.push(socket.isSessionReused()))
  const pool = await openPool(t, server, 'https://localhost')
  for (let i = 0; i < 2; i++) t.equal(await call(pool.acquire(true)), 'response')
  t.same(resumed, [false, true])
})

import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Test } from 'tap'
import { connected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import type { Client, Request, Response } from './client.ts'

export const megabyte = randomBytes(1024 * 1024)
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** A gateway with a browser that has signed in, in front of a provider with one address for everything that a client does. */
export async function setUp(t: Test) {
  let good = ''
  let granted = 0
  const { gateway, provider, browser, proxy } = await connected(t, {
    // On, and not connected.
    environment: { IGNITION_CLIENT_ID: 'id', IGNITION_CLIENT_SECRET: 'secret' },
    token: (_, response) => {
      good = `access-${++granted}`
      json(response, 200, tokens({ access_token: good }))
    }
  })
  const isGood = ({ headers }: Pick<IncomingMessage, 'headers'>) => headers.authorization === `Bearer ${good}`
  provider.api = ({ method, url, headers, body, ...seen }, response) => {
    if (!isGood({ headers })) return json(response, 401, { error: 'token_expired' })
    if (url === '/base/none') return json(response, 404, { its: 'own' })
    if (url === '/base/large') return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(megabyte)
    const echo = JSON.stringify({ method, length: body.length, sha256: sha256(body), type: headers['content-type'], ...seen })
    if (url !== '/base/gzip') return void response.writeHead(200, { 'content-type': 'application/json' }).end(echo)
    const packed = { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-asked': headers['accept-encoding'] ?? '' }
    response.writeHead(200, packed).end(gzipSync(echo))
  }
  const sockets = new Map<string, Socket[]>()
  // The gateway's own listener leaves another address there.
  gateway.app.server.prependListener('request', ({ url = '', socket }: IncomingMessage) => {
    sockets.set(url, [...(sockets.get(url) ?? []), socket])
  })
  return {
    gateway,
    provider,
    proxy,
    isGood,
    /** What a page sends with each call. */
    headers: { cookie: [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; '), 'x-csrf': '1' },
    /** The connections on which this path was asked for. */
    connectionsOf: (path: string) => sockets.get(`/proxy/productboard${path}`) ?? [],
    /** The access token ends. */
    expire: () => {
      good = ''
    },
    grants: () => granted
  }
}

/** The calls that every frontend and script makes. */
export async function assertServes(t: Test, client: Client): Promise<void> {
  const s = await setUp(t)
  const call = (path: string, { headers, ...rest }: Partial<Request> = {}) =>
    client.send({ method: 'GET', url: s.proxy + path, headers: { ...s.headers, ...headers }, ...rest })
  const read = ({ body }: Response) => JSON.parse(body.toString())
  const octets = { 'content-type': 'application/octet-stream' }

  const got = await call('/json')
  t.equal(got.status, 200, 'GET')
  t.match(got.headers['content-type'], 'application/json')
  t.match(read(got), { method: 'GET', length: 0 })

  const note = Buffer.from(JSON.stringify({ note: 'Mehr Minze, bitte ☘' }))
  const post = () => call('/json', { method: 'POST', body: note, headers: { 'content-type': 'application/json' } })
  t.match(read(await post()), { method: 'POST', type: 'application/json', sha256: sha256(note) }, 'POST of JSON')

  const put = await call('/json', { method: 'PUT', body: megabyte, headers: octets })
  t.match(read(put), { method: 'PUT', length: megabyte.length, sha256: sha256(megabyte) }, 'PUT of a megabyte')

  if (!client.cannotStream) {
    const streamed = await call('/json', { method: 'PUT', body: megabyte, inChunks: true, headers: octets })
    t.match(read(streamed), { method: 'PUT', length: megabyte.length, sha256: sha256(megabyte) }, 'PUT of a stream')
    t.equal(s.provider.seen.api.at(-1)?.headers['transfer-encoding'], 'chunked')
  }

  const large = await call('/large')
  t.ok(large.body.equals(megabyte), 'a download of a megabyte')

  if (client.sendTwice) t.equal((await client.sendTwice({ method: 'GET', url: `${s.proxy}/kept`, headers: s.headers })).status, 200)
  // A pool may have several connections, and take another each time.
  else for (let times = 0; times < 4; times++) t.equal((await call('/kept')).status, 200)
  const connections = s.connectionsOf('/kept')
  t.ok(new Set(connections).size < connections.length, 'a connection serves more than one call')

  const packed = await call('/gzip')
  t.match(packed.headers['x-asked'], 'gzip', 'it asks for gzip')
  t.match(read(packed), { method: 'GET' }, 'and reads it')

  const none = await call('/none')
  t.equal(none.status, 404, 'the provider has no such thing')
  t.notOk(none.headers['grantkeeper-error'])
  t.same(read(none), { its: 'own' })

  const refused = await client.send({ method: 'GET', url: `${s.gateway.url}/proxy/ignition/x`, headers: s.headers })
  t.equal(refused.status, 401, 'a provider that is not connected')
  t.equal(refused.headers['grantkeeper-error'], 'connection_required')
  t.match(refused.headers['content-type'], /^application\/problem\+json/)
  t.match(read(refused), { code: 'connection_required', connectUrl: `${s.gateway.url}/auth/ignition` })

  const [asked, granted] = [s.provider.seen.api.length, s.grants()]
  s.expire()
  t.match(read(await post()), { method: 'POST', sha256: sha256(note) }, 'POST with a token that has ended')
  t.same([s.provider.seen.api.length, s.grants()], [asked + 2, granted + 1], 'renewed once and sent once more')
}

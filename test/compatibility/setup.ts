import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Test } from 'tap'
import { startConnected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import type { Client, Request, Response } from './client.ts'

export const megabyte = randomBytes(1024 * 1024)
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** A gateway, a connected browser, and a provider that echoes requests and has a path for each kind of response. */
export async function setUp(t: Test) {
  let validToken = ''
  let grantCount = 0
  const { gateway, provider, browser, proxy } = await startConnected(t, {
    // A second provider that is enabled and not connected.
    environment: { IGNITION_CLIENT_ID: 'id', IGNITION_CLIENT_SECRET: 'secret' },
    token: (_, response) => {
      validToken = `access-${++grantCount}`
      json(response, 200, tokens({ access_token: validToken }))
    }
  })
  const isGood = ({ headers }: Pick<IncomingMessage, 'headers'>) => headers.authorization === `Bearer ${validToken}`
  provider.api = ({ method, url, headers, body, ...seen }, response) => {
    if (!isGood({ headers })) return json(response, 401, { error: 'token_expired' })
    if (url === '/base/none') return json(response, 404, { its: 'own' })
    if (url === '/base/large') return void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(megabyte)
    const echo = JSON.stringify({ method, length: body.length, sha256: sha256(body), type: headers['content-type'], ...seen })
    if (url !== '/base/gzip') return void response.writeHead(200, { 'content-type': 'application/json' }).end(echo)
    const compressed = {
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'x-accept-encoding': headers['accept-encoding'] ?? ''
    }
    response.writeHead(200, compressed).end(gzipSync(echo))
  }
  const sockets = new Map<string, Socket[]>()
  // Prepended, because the gateway's own listener rewrites `url`.
  gateway.app.server.prependListener('request', ({ url = '', socket }: IncomingMessage) => {
    sockets.set(url, [...(sockets.get(url) ?? []), socket])
  })
  return {
    gateway,
    provider,
    proxy,
    isGood,
    /** The headers of a page's requests. */
    headers: { cookie: [...browser.cookies.values()].map(({ name, value }) => `${name}=${value}`).join('; '), 'x-csrf': '1' },
    /** The socket of each request for this path. */
    connectionsOf: (path: string) => sockets.get(`/proxy/productboard${path}`) ?? [],
    /** Expires the access token. */
    expire: () => {
      validToken = ''
    },
    grants: () => grantCount
  }
}

/** Asserts that the requests of every frontend and script work with this client. */
export async function assertServes(t: Test, client: Client): Promise<void> {
  const s = await setUp(t)
  const send = (path: string, { headers, ...rest }: Partial<Request> = {}) =>
    client.send({ method: 'GET', url: s.proxy + path, headers: { ...s.headers, ...headers }, ...rest })
  const read = ({ body }: Response) => JSON.parse(body.toString())
  const octets = { 'content-type': 'application/octet-stream' }

  const got = await send('/json')
  t.equal(got.status, 200, 'GET')
  t.match(got.headers['content-type'], 'application/json')
  t.match(read(got), { method: 'GET', length: 0 })

  const note = Buffer.from(JSON.stringify({ note: 'Mehr Minze, bitte ☘' }))
  const post = () => send('/json', { method: 'POST', body: note, headers: { 'content-type': 'application/json' } })
  t.match(read(await post()), { method: 'POST', type: 'application/json', sha256: sha256(note) }, 'POST of JSON')

  const put = await send('/json', { method: 'PUT', body: megabyte, headers: octets })
  t.match(read(put), { method: 'PUT', length: megabyte.length, sha256: sha256(megabyte) }, 'PUT of a megabyte')

  const streamed = await send('/json', { method: 'PUT', body: megabyte, inChunks: true, headers: octets })
  t.match(read(streamed), { method: 'PUT', length: megabyte.length, sha256: sha256(megabyte) }, 'PUT of a stream')
  t.equal(s.provider.seen.api.at(-1)?.headers['transfer-encoding'], 'chunked')

  const large = await send('/large')
  t.ok(large.body.equals(megabyte), 'download of a megabyte')

  if (client.sendTwice) t.equal((await client.sendTwice({ method: 'GET', url: `${s.proxy}/reused`, headers: s.headers })).status, 200)
  // A pool may have several connections and use a different one each time.
  else for (let times = 0; times < 4; times++) t.equal((await send('/reused')).status, 200)
  const connections = s.connectionsOf('/reused')
  t.ok(new Set(connections).size < connections.length, 'a connection serves more than one request')

  const compressed = await send('/gzip')
  t.match(compressed.headers['x-accept-encoding'], 'gzip', 'it accepts gzip')
  t.match(read(compressed), { method: 'GET' }, 'it decodes gzip')

  const none = await send('/none')
  t.equal(none.status, 404, 'a 404 of the provider')
  t.notOk(none.headers['grantkeeper-error'])
  t.same(read(none), { its: 'own' })

  const refused = await client.send({ method: 'GET', url: `${s.gateway.url}/proxy/ignition/x`, headers: s.headers })
  t.equal(refused.status, 401, 'a provider that is not connected')
  t.equal(refused.headers['grantkeeper-error'], 'connection_required')
  t.match(refused.headers['content-type'], /^application\/problem\+json/)
  t.match(read(refused), { code: 'connection_required', connectUrl: `${s.gateway.url}/auth/ignition` })

  const [requests, grants] = [s.provider.seen.api.length, s.grants()]
  s.expire()
  t.match(read(await post()), { method: 'POST', sha256: sha256(note) }, 'POST with an expired token')
  t.same([s.provider.seen.api.length, s.grants()], [requests + 2, grants + 1], 'one renewal and one resend')
}

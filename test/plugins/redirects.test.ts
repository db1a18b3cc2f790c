import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { assertProblem, startConnected } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { sendRawRequest } from '../support/raw.ts'

// The provider has plain http here, so redirects to plain http are allowed; for an https API they are not.

/** A provider that redirects downloads to a storage host, on another port of a host that its definition lists. */
async function withStorage(t: Test, redirectHosts: readonly string[] | undefined = ['127.0.0.1']) {
  const storage = await startFakeProvider(t, 'STORAGE')
  const definitions = (await loadProviders()).map(definition => ({
    ...definition,
    api: { ...definition.api, ...(redirectHosts && { redirectHosts }) }
  }))
  const s = await startConnected(t, { definitions })
  const to =
    (location: string, status = 302): FakeProvider['api'] =>
    (_, r) =>
      void r.writeHead(status, { location }).end('go there')
  return { ...s, storage, to }
}

const file = randomBytes(300_000)

t.test('a download that is redirected to a storage host is streamed from there, without credentials', async t => {
  const s = await withStorage(t)
  s.storage.api = (_, r) =>
    void r.writeHead(200, { 'content-type': 'a/b', etag: '"1"', 'set-cookie': 'a=b', 'access-control-allow-origin': 'x' }).end(file)
  const headers = {
    authorization: 'Bearer mine',
    'x-api-key': 'mine',
    'x-anything': 'mine',
    range: 'bytes=0-9',
    accept: 'a/b',
    'if-none-match': '"0"',
    'if-range': '"0"',
    'user-agent': 'mine'
  }
  for (const status of [301, 302, 303, 307, 308]) {
    s.provider.api = s.to(`${s.storage.origin}/bucket/file%20a?signature=a%2Fb`, status)
    const response = await s.browser.fetch(`${s.proxy}/files/1`, { headers })
    t.equal(response.status, 200, String(status))
    t.ok(Buffer.from(await response.arrayBuffer()).equals(file))
    t.match(Object.fromEntries(response.headers), { 'content-type': 'a/b', etag: '"1"', 'cross-origin-resource-policy': 'same-origin' })
    t.notOk(response.headers.has('set-cookie') || response.headers.has('access-control-allow-origin'))
    const seen = s.storage.seen.api.at(-1)
    t.equal(seen?.url, '/bucket/file%20a?signature=a%2Fb')
    t.match(seen?.headers, { range: 'bytes=0-9', accept: 'a/b', 'if-none-match': '"0"', 'if-range': '"0"', 'user-agent': 'mine' })
    const others = Object.keys(seen?.headers ?? {}).filter(name => !/^(accept.*|range|if-.*|user-agent|host|connection)$/.test(name))
    t.strictSame(others, [])
    t.match(s.provider.seen.api.at(-1)?.headers.authorization, /^Bearer access-/)
  }
})

t.test('a HEAD is redirected as a HEAD, and other methods are not followed', async t => {
  const s = await withStorage(t)
  s.provider.api = s.to(`${s.storage.origin}/file`)
  t.equal((await s.browser.fetch(`${s.proxy}/x`, { method: 'HEAD' })).status, 200)
  t.equal(s.storage.seen.api[0]?.method, 'HEAD')
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const response = await s.browser.fetch(`${s.proxy}/x`, { method, body: 'x', redirect: 'manual' })
    t.equal(response.status, 302, method)
    t.equal(response.headers.get('location'), `${s.storage.origin}/file`)
  }
  const withBody = await sendRawRequest(s, 'GET /proxy/productboard/x', { headers: ['Content-Length: 1'], body: 'x' })
  t.match(withBody, /^HTTP\/1\.1 302 /, 'nor a GET with a body')
  t.equal(s.storage.seen.api.length, 1)
})

t.test('a redirect to an unlisted host or within the API is passed on', async t => {
  const s = await withStorage(t)
  const { host } = new URL(s.storage.origin)
  for (const [location, shown] of [
    ['https://files.example/x', 'https://files.example/x'],
    [`http://user:word@${host}/x`, `http://user:word@${host}/x`],
    [`http://localhost:1/x`, 'http://localhost:1/x'],
    [`${s.provider.origin}/base/v2/x`, '/proxy/productboard/v2/x'],
    ['next', '/proxy/productboard/files/next'],
    ['javascript:1', null],
    [`${s.gateway.url}/logout`, null]
  ] as const) {
    s.provider.api = s.to(location)
    const response = await s.browser.fetch(`${s.proxy}/files/1`, { redirect: 'manual' })
    t.equal(response.status, 302, location)
    t.equal(response.headers.get('location'), shown, location)
  }
  t.equal(s.storage.seen.api.length, 0)
  const token = s.provider.seen.api[0]?.headers.authorization?.slice('Bearer '.length) ?? ''
  s.provider.api = s.to(`${s.storage.origin}/x?token=${token}`)
  const holding = await s.browser.fetch(`${s.proxy}/files/1`, { redirect: 'manual' })
  t.equal(holding.headers.get('location'), null, 'a Location with the credential is neither followed nor passed on')
  t.equal(s.storage.seen.api.length, 0)

  const plain = await withStorage(t, [])
  plain.provider.api = plain.to(`${plain.storage.origin}/x`)
  t.equal((await plain.browser.fetch(`${plain.proxy}/x`, { redirect: 'manual' })).headers.get('location'), `${plain.storage.origin}/x`)
})

t.test('each redirect is checked, and five are followed at most', async t => {
  const s = await withStorage(t)
  s.provider.api = s.to(`${s.storage.origin}/mirror`)
  s.storage.api = ({ url }, r) => (url === '/mirror' ? void r.writeHead(302, { location: '/file' }).end() : json(r, 200, { url }))
  t.same(await (await s.browser.fetch(`${s.proxy}/x`)).json(), { url: '/file' })
  s.storage.api = (_, r) => void r.writeHead(302, { location: 'https://elsewhere.example/x', 'content-location': '/here' }).end()
  const response = await s.browser.fetch(`${s.proxy}/x`, { redirect: 'manual' })
  t.match(Object.fromEntries(response.headers), { location: 'https://elsewhere.example/x', 'content-location': `${s.storage.origin}/here` })
  const before = s.storage.seen.api.length
  s.storage.api = (_, r) => void r.writeHead(302, { location: '/again' }).end()
  const circle = await s.browser.fetch(`${s.proxy}/x`, { redirect: 'manual' })
  t.equal(circle.status, 302)
  t.equal(circle.headers.get('location'), `${s.storage.origin}/again`)
  t.equal(s.storage.seen.api.length - before, 5)
})

t.test('a 401 from the storage host says nothing about the connection', async t => {
  const s = await withStorage(t)
  s.provider.api = s.to(`${s.storage.origin}/file`)
  s.storage.api = (_, r) => json(r, 401, { own: 'expired signature' })
  const response = await s.browser.fetch(`${s.proxy}/x`)
  t.equal(response.status, 401)
  t.same(await response.json(), { own: 'expired signature' })
  t.equal(s.provider.seen.token.length, 1, 'no token is renewed')
  s.storage.api = (_, r) => void r.destroy()
  await assertProblem(t, await s.browser.fetch(`${s.proxy}/x`), 502, 'provider_unavailable')
})

t.test('a token that has expired is renewed before the redirect is followed', async t => {
  const s = await withStorage(t)
  const there = s.to(`${s.storage.origin}/file`)
  s.provider.token = (_, r) => json(r, 200, tokens({ access_token: 'fresh' }))
  s.provider.api = (seen, r, request) => (seen.headers.authorization === 'Bearer fresh' ? there(seen, r, request) : json(r, 401, {}))
  t.equal((await s.browser.fetch(`${s.proxy}/x`)).status, 200)
  t.equal(s.storage.seen.api.length, 1)
  t.equal(s.provider.seen.token.length, 2)
})

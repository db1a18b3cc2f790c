import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { connected, problem } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { rawCall } from '../support/raw.ts'

// The provider is called by plain http here, and so may be what it redirects to; by https it must be https.

/** A provider that redirects downloads to a storage, on another port of a host that its definition lists. */
async function withStorage(t: Test, redirectHosts: readonly string[] | undefined = ['127.0.0.1']) {
  const storage = await startFakeProvider(t, 'STORAGE')
  const definitions = (await loadProviders()).map(definition => ({
    ...definition,
    api: { ...definition.api, ...(redirectHosts && { redirectHosts }) }
  }))
  const s = await connected(t, { definitions })
  const to =
    (location: string, status = 302): FakeProvider['api'] =>
    (_, r) =>
      void r.writeHead(status, { location }).end('go there')
  return { ...s, storage, to }
}

const file = randomBytes(300_000)

t.test('a download that the provider redirects to its storage is streamed from there, with nothing of anybody’s credentials', async t => {
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
    const answer = await s.browser.fetch(`${s.proxy}/files/1`, { headers })
    t.equal(answer.status, 200, String(status))
    t.ok(Buffer.from(await answer.arrayBuffer()).equals(file))
    t.match(Object.fromEntries(answer.headers), { 'content-type': 'a/b', etag: '"1"', 'cross-origin-resource-policy': 'same-origin' })
    t.notOk(answer.headers.has('set-cookie') || answer.headers.has('access-control-allow-origin'))
    const seen = s.storage.seen.api.at(-1)
    t.equal(seen?.url, '/bucket/file%20a?signature=a%2Fb')
    t.match(seen?.headers, { range: 'bytes=0-9', accept: 'a/b', 'if-none-match': '"0"', 'if-range': '"0"', 'user-agent': 'mine' })
    const others = Object.keys(seen?.headers ?? {}).filter(name => !/^(accept.*|range|if-.*|user-agent|host|connection)$/.test(name))
    t.strictSame(others, [])
    t.match(s.provider.seen.api.at(-1)?.headers.authorization, /^Bearer access-/)
  }
})

t.test('a HEAD is followed as a HEAD, and no other method at all', async t => {
  const s = await withStorage(t)
  s.provider.api = s.to(`${s.storage.origin}/file`)
  t.equal((await s.browser.fetch(`${s.proxy}/x`, { method: 'HEAD' })).status, 200)
  t.equal(s.storage.seen.api[0]?.method, 'HEAD')
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await s.browser.fetch(`${s.proxy}/x`, { method, body: 'x', redirect: 'manual' })
    t.equal(answer.status, 302, method)
    t.equal(answer.headers.get('location'), `${s.storage.origin}/file`)
  }
  const withBody = await rawCall(s, 'GET /proxy/productboard/x', { headers: ['Content-Length: 1'], body: 'x' })
  t.match(withBody, /^HTTP\/1\.1 302 /, 'nor a GET with a body')
  t.equal(s.storage.seen.api.length, 1)
})

t.test('a redirect to anywhere else, or inside the API, passes as ever', async t => {
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
    const answer = await s.browser.fetch(`${s.proxy}/files/1`, { redirect: 'manual' })
    t.equal(answer.status, 302, location)
    t.equal(answer.headers.get('location'), shown, location)
  }
  t.equal(s.storage.seen.api.length, 0)
  const token = s.provider.seen.api[0]?.headers.authorization?.slice('Bearer '.length) ?? ''
  s.provider.api = s.to(`${s.storage.origin}/x?token=${token}`)
  const holding = await s.browser.fetch(`${s.proxy}/files/1`, { redirect: 'manual' })
  t.equal(holding.headers.get('location'), null, 'one that holds the credential is not followed, and stays hidden')
  t.equal(s.storage.seen.api.length, 0)

  const plain = await withStorage(t, [])
  plain.provider.api = plain.to(`${plain.storage.origin}/x`)
  t.equal((await plain.browser.fetch(`${plain.proxy}/x`, { redirect: 'manual' })).headers.get('location'), `${plain.storage.origin}/x`)
})

t.test('each further host is judged anew, and five are followed at most', async t => {
  const s = await withStorage(t)
  s.provider.api = s.to(`${s.storage.origin}/mirror`)
  s.storage.api = ({ url }, r) => (url === '/mirror' ? void r.writeHead(302, { location: '/file' }).end() : json(r, 200, { url }))
  t.same(await (await s.browser.fetch(`${s.proxy}/x`)).json(), { url: '/file' })
  s.storage.api = (_, r) => void r.writeHead(302, { location: 'https://elsewhere.example/x', 'content-location': '/here' }).end()
  const answer = await s.browser.fetch(`${s.proxy}/x`, { redirect: 'manual' })
  t.match(Object.fromEntries(answer.headers), { location: 'https://elsewhere.example/x', 'content-location': `${s.storage.origin}/here` })
  const before = s.storage.seen.api.length
  s.storage.api = (_, r) => void r.writeHead(302, { location: '/again' }).end()
  const circle = await s.browser.fetch(`${s.proxy}/x`, { redirect: 'manual' })
  t.equal(circle.status, 302)
  t.equal(circle.headers.get('location'), `${s.storage.origin}/again`)
  t.equal(s.storage.seen.api.length - before, 5)
})

t.test('what the storage refuses says nothing of the connection', async t => {
  const s = await withStorage(t)
  s.provider.api = s.to(`${s.storage.origin}/file`)
  s.storage.api = (_, r) => json(r, 401, { own: 'expired signature' })
  const answer = await s.browser.fetch(`${s.proxy}/x`)
  t.equal(answer.status, 401)
  t.same(await answer.json(), { own: 'expired signature' })
  t.equal(s.provider.seen.token.length, 1, 'nothing is renewed for it')
  s.storage.api = (_, r) => void r.destroy()
  await problem(t, await s.browser.fetch(`${s.proxy}/x`), 502, 'provider_unavailable')
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

import t from 'tap'
import type { ProxiedRequest } from '../../../src/core/proxy/proxied-request.ts'
import { followRedirects, mayFollowRedirects } from '../../../src/core/proxy/redirects.ts'
import type { Send, UpstreamRequest } from '../../../src/core/proxy/upstream.ts'
import { fakeResponse } from '../../support/upstream-response.ts'
import { connectionWith, keyOf, providerWith } from '../support.ts'

const requestWith = (redirectHosts: readonly string[], baseUrl = 'https://api.acme.example/v1'): ProxiedRequest => ({
  key: keyOf(),
  connection: connectionWith(),
  provider: providerWith({ api: { baseUrl, redirectHosts } }),
  method: 'GET',
  target: '/x',
  rawHeaders: [],
  body: undefined,
  bodyLength: undefined,
  signal: new AbortController().signal
})

/** The URL of the last request, after one redirect to `location`. */
async function followed(request: ProxiedRequest, location: string | string[]): Promise<string> {
  const sent = { origin: 'https://api.acme.example', path: '/v1/x' } as UpstreamRequest
  let last = sent.origin + sent.path
  const { provider, connection } = request
  const first = { sent, provider, connection, isRefused: false, response: fakeResponse({ status: 302, headers: { location } }) }
  const send: Send = async ({ origin, path }) => {
    t.ok(first.response.isDiscarded, 'before another request is sent')
    last = origin + path
    return fakeResponse({ status: 200, headers: {} })
  }
  await followRedirects(send, request, first)
  return last
}

t.test('SEC-34: only redirects to listed hosts are followed, over https and on the listed port', async t => {
  const here = 'https://api.acme.example/v1/x'
  for (const [hosts, location, to] of [
    ['files.example.com', 'https://files.example.com/a?b#c', 'https://files.example.com/a?b'],
    ['Files.Example.com', 'https://FILES.example.com:443/a', 'https://files.example.com/a'],
    ['files.example.com', '//files.example.com/a', 'https://files.example.com/a'],
    ['files.example.com', 'https://files.example.com:8443/a', 'https://files.example.com:8443/a'],
    ['files.example.com:443', 'https://files.example.com:8443/a', here],
    ['files.example.com:443', 'https://files.example.com/a', 'https://files.example.com/a'],
    ['*.s3.example.com', 'https://bucket.s3.example.com/a', 'https://bucket.s3.example.com/a'],
    ['*.s3.example.com', 'https://a.b.s3.example.com/a', 'https://a.b.s3.example.com/a'],
    ['*.s3.example.com', 'https://s3.example.com/a', here],
    ['*.s3.example.com', 'https://evils3.example.com/a', here],
    ['*.s3.example.com', 'https://s3.example.com.evil.example/a', here],
    ['files.example.com', 'https://files.example.com.evil.example/a', here],
    ['files.example.com', 'https://evil.example/files.example.com', here],
    ['files.example.com', 'https://files.example.com@evil.example/a', here],
    ['files.example.com', 'https://user@files.example.com/a', here],
    ['files.example.com', 'http://files.example.com/a', here],
    ['files.example.com', 'ftp://files.example.com/a', here],
    ['files.example.com', 'https://files.example.com/a?t=access-1', here],
    ['files.example.com', 'https://files.example.com/a?t=access%2D1', here],
    ['files.example.com', '/v1/y', here],
    ['api.acme.example', 'https://api.acme.example/v1/y', here],
    ['api.acme.example', 'https://api.acme.example/files/y', 'https://api.acme.example/files/y']
  ] as const)
    t.equal(await followed(requestWith([hosts]), location), to, `${hosts}: ${location}`)
  t.equal(await followed(requestWith(['files.example.com']), ['https://files.example.com/a', '/b']), here, 'two Location fields are none')
  t.equal(
    await followed(requestWith(['10.0.0.5'], 'http://10.0.0.4'), 'http://10.0.0.5/a'),
    'http://10.0.0.5/a',
    'where the API itself has plain http'
  )
})

t.test('only GET and HEAD without a body follow redirects, if the definition lists hosts', async t => {
  const request = requestWith(['files.example.com'])
  t.ok(mayFollowRedirects(request))
  t.ok(mayFollowRedirects({ ...request, method: 'HEAD' }))
  t.notOk(mayFollowRedirects({ ...request, method: 'POST' }))
  t.notOk(mayFollowRedirects({ ...request, body: [Buffer.from('x')] }))
  t.notOk(mayFollowRedirects({ ...request, provider: providerWith() }))
})

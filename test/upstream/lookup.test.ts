import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import type { LookupFor } from '../../src/core/ports.ts'
import { createLookup } from '../../src/upstream/lookup.ts'
import { openUpstream } from '../../src/upstream/send.ts'
import { fixedLookup } from '../support/dns.ts'

/** The lookup in production, with these trusted origins. */
const inProduction = (resolve?: LookupFunction, ...trustedOrigins: string[]): LookupFor =>
  createLookup({ production: true, providers: new Map([['acme', { trustedOrigins }]]) }, resolve)

const anywhereElse = (resolve?: LookupFunction): LookupFor => createLookup({ production: false, providers: new Map() }, resolve)

/** A server on a private address that counts its connections. */
async function inside(t: Test, host = '127.0.0.1') {
  let connections = 0
  const server = createServer((_, r) => r.end('inside'))
  server.on('connection', () => connections++)
  server.listen(0, host)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}

async function get(t: Test, lookupFor: LookupFor, origin: string): Promise<string> {
  const upstream = openUpstream(lookupFor)
  t.teardown(() => upstream.close())
  const sink = new PassThrough()
  const { signal } = new AbortController()
  const response = await upstream.send({
    provider: 'acme',
    origin,
    method: 'GET',
    path: '/',
    headers: ['authorization', 'canary'],
    body: undefined,
    bodyLength: undefined,
    timeoutMs: 5_000,
    signal
  })
  await response.pipeTo(sink)
  return Buffer.concat(await sink.toArray()).toString()
}

/** The result that a socket's lookup gets. */
const lookedUp = (lookup: LookupFunction, all: boolean) =>
  new Promise<unknown>(resolve => lookup('api.acme.example', { all }, (error, found, family) => resolve(error ?? [found, family])))

t.test('SEC-34: in production a name that resolves to a private address is refused before connecting', async t => {
  const { port, connections } = await inside(t)
  for (const [what, resolve] of [
    ['one address', fixedLookup('127.0.0.1')],
    ['the mapped form', fixedLookup('::ffff:127.0.0.1')],
    ['a public one beside it', fixedLookup('127.0.0.1', '8.8.8.8')],
    ['a public one before it', fixedLookup('8.8.8.8', '127.0.0.1')]
  ] as const) {
    for (const protocol of ['http', 'https']) {
      const refused = get(t, inProduction(resolve), `${protocol}://api.acme.example:${port}`)
      await t.rejects(
        refused,
        { code: 'provider_unavailable', status: 502, cause: { code: 'ERR_ADDRESS_NOT_PUBLIC' } },
        `${protocol}, ${what}`
      )
    }
  }
  await t.rejects(get(t, inProduction(), `http://localhost:${port}`), { code: 'provider_unavailable' }, 'as the real DNS has it')
  t.equal(connections(), 0)
})

t.test('SEC-34: a private IP address in a URL is refused without a lookup', async t => {
  const { port, connections } = await inside(t)
  for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '0.0.0.0', '[::ffff:127.0.0.1]', '[::1]', '169.254.169.254', '[fe80::1]']) {
    await t.rejects(get(t, inProduction(), `http://${host}:${port}`), { code: 'provider_unavailable', status: 502 }, host)
  }
  t.equal(connections(), 0)
  t.doesNotThrow(() => inProduction()('https://8.8.8.8/x'))
  t.doesNotThrow(() => inProduction()('https://[2606:4700::1]/x'))
})

t.test('SEC-34: a trusted origin is reached at any address, and no other origin is', async t => {
  const { port } = await inside(t)
  const resolve = fixedLookup('127.0.0.1')
  const origin = `http://api.acme.example:${port}`
  t.equal(await get(t, inProduction(resolve, 'https://other.example', origin), origin), 'inside')
  t.equal(await get(t, inProduction(resolve, `http://127.0.0.1:${port}`), `http://127.0.0.1:${port}`), 'inside')
  const other = await inside(t)
  for (const beside of [`http://api.acme.example:${other.port}`, `http://acme.example:${other.port}`, `http://127.0.0.1:${other.port}`]) {
    await t.rejects(get(t, inProduction(resolve, origin), beside), { code: 'provider_unavailable' }, beside)
  }
  t.equal(other.connections(), 0)
})

t.test('SEC-34: outside production no address is refused', async t => {
  const { port } = await inside(t)
  t.equal(await get(t, anywhereElse(fixedLookup('127.0.0.1')), `http://api.acme.example:${port}`), 'inside')
  t.equal(await get(t, anywhereElse(), `http://127.0.0.1:${port}`), 'inside')
  t.equal(await get(t, anywhereElse(), `http://localhost:${port}`), 'inside')
})

t.test('public addresses and lookup errors pass unchanged, one or all', async t => {
  const lookup = inProduction(fixedLookup('8.8.8.8', '2606:4700::1'))('https://api.acme.example')
  const both = [
    { address: '8.8.8.8', family: 4 },
    { address: '2606:4700::1', family: 6 }
  ]
  t.strictSame(await lookedUp(lookup, true), [both, undefined])
  t.strictSame(await lookedUp(lookup, false), ['8.8.8.8', 4])
  t.match(await lookedUp(inProduction(fixedLookup('10.0.0.5'))('https://api.acme.example'), false), { code: 'provider_unavailable' })

  const failure = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
  // Node omits the address after an error, although its types require one.
  const failing = ((_, _1, callback: (error: Error) => void) => callback(failure)) as LookupFunction
  t.equal(await lookedUp(inProduction(failing)('https://api.acme.example'), true), failure)
})

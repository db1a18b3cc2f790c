import { lookup } from 'node:dns'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { GatewayError } from '../../src/core/errors.ts'
import type { TokenEndpointError } from '../../src/core/oauth/token-response.ts'
import type { RequestTemplate } from '../../src/core/provider/request-template.ts'
import { documentIn } from '../../src/oauth2/read-response.ts'
import { createSendRequest, expandRequest, maxResponseBytes } from '../../src/oauth2/send-request.ts'
import { playVendor } from './played-vendor.ts'

const variables = { access_token: 'canary-canary/+&="1', client_id: 'client 1', shop: 'one' }
const send = createSendRequest(() => lookup)
const context = { refusals: undefined, sent: [variables.access_token] }
const request = (template: RequestTemplate) => expandRequest(template, variables)

/** A server that does this with each request. */
async function serve(t: Test, respond: (response: ServerResponse, request: IncomingMessage) => void): Promise<string> {
  const server = createServer((incoming, response) => respond(response, incoming))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** The error of a request to this server, which must repeat nothing that was sent. */
async function failureAt(t: Test, url: string, timeoutMs = 5_000): Promise<TokenEndpointError> {
  const template: RequestTemplate = { url, params: { token: '{access_token}' }, headers: { authorization: 'Bearer {access_token}' } }
  const failure = await send(request(template), timeoutMs)
    .then(response => {
      throw new Error(`a response: ${documentIn(response, context)}`)
    })
    .catch(error => error)
  t.notMatch(`${failure.stack} ${JSON.stringify(failure)}`, 'canary')
  return failure
}

t.test('each format encodes what stands in a template for its place', async t => {
  const url = 'https://acme.example/x?a=1'
  const params = { token: '{access_token}', who: 'of {client_id}' }
  const encoded = 'token=canary-canary%2F%2B%26%3D%221&who=of+client+1'
  t.match(request({ url, params }), {
    url,
    method: 'POST',
    body: encoded,
    headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })
  t.match(request({ url, params, format: 'json' }), { url, body: '{"token":"canary-canary/+&=\\"1","who":"of client 1"}' })
  t.strictSame(request({ url, params, method: 'GET' }), {
    url: `${url}&${encoded}`,
    method: 'GET',
    headers: { accept: 'application/json', 'user-agent': 'grantkeeper' }
  })
  t.match(request({ url: 'https://{shop}.acme.example/{client_id}', method: 'DELETE', format: 'query', params }), {
    url: `https://one.acme.example/client%201?${encoded}`,
    method: 'DELETE',
    body: undefined
  })
  t.match(request({ url, basic: { username: '{client_id}', password: 'p' } }).headers, {
    authorization: `Basic ${Buffer.from('client 1:p').toString('base64')}`
  })
})

t.test('a value never stands where it could be another part of the request', async t => {
  const withValue = (value: string, template: Partial<RequestTemplate>) => () =>
    expandRequest({ url: 'https://acme.example/', ...template }, { value, other: 'OTHER' })
  for (const value of ['a/b', '..', 'a\\b', ''])
    t.throws(withValue(value, { url: 'https://acme.example/x/{value}' }), { name: 'TemplateError' }, value)
  for (const value of ['evil.example/', 'a@evil.example', 'a:b', 'a#', 'ä'])
    t.throws(withValue(value, { url: 'https://{value}.acme.example/' }), { name: 'TemplateError' }, value)
  for (const value of ['a\r\nx: y', 'a\0', 'ä'])
    t.throws(withValue(value, { headers: { 'x-value': '{value}' } }), { name: 'TemplateError' }, value)
  t.match(withValue('{other}', { params: { a: '{value}' } })(), { body: 'a=%7Bother%7D' }, 'a value is no template')
  t.throws(() => expandRequest({ url: 'https://acme.example/', params: { a: '{unknown}' } }, {}), { name: 'TemplateError' })
})

t.test('SEC-34: a redirect is not followed, and is no response', async t => {
  const other = await playVendor(t, () => ({}))
  for (const status of [301, 302, 303, 307, 308]) {
    const url = await serve(t, response => response.writeHead(status, { location: `${other.origin}/token` }).end('{"access_token":"x"}'))
    t.match(await failureAt(t, url), { kind: 'invalid_response', details: { status } })
  }
  t.equal(other.requests.length, 0)
})

t.test('a response that is too long, too slow or cut off fails in our words', async t => {
  const long = await serve(t, response => response.end(`{"a":"${'x'.repeat(maxResponseBytes)}"}`))
  t.match(await failureAt(t, long), { kind: 'invalid_response', message: 'the response is too long' })
  const silent = await serve(t, () => {})
  t.match(await failureAt(t, silent, 100), { kind: 'timeout' })
  const slow = await serve(t, response => response.write('{"access_token":'))
  t.match(await failureAt(t, slow, 100), { kind: 'timeout' })
  const closed = await serve(t, response => response.destroy())
  t.match(await failureAt(t, closed), { kind: 'unavailable' })
  const cut = await serve(t, response => {
    response.writeHead(200, { 'content-length': '100' }).write('{"access_token":"x"}', () => response.destroy())
  })
  t.match(await failureAt(t, cut), { kind: 'unavailable' })
})

t.test('an error of the vendor is read, without what it repeats', async t => {
  const url = await serve(t, response =>
    response.writeHead(400, { 'retry-after': '7' }).end('{"error":"invalid_grant","error_description":"canary-canary/+&= is not valid"}')
  )
  const failure = await failureAt(t, url)
  t.match(failure, { isInvalidGrant: true, details: { status: 400, retryAfter: '7', description: undefined } })
  t.notMatch(JSON.stringify(failure), 'canary')
})

t.test('a response is read whatever its Content-Type and encoding', async t => {
  for (const body of ['{"access_token":"x"}', '\ufeff{"access_token":"x"}', 'access_token=x', gzipSync('{"access_token":"x"}')]) {
    const url = await serve(t, response => response.writeHead(200, { 'content-type': 'text/html' }).end(body))
    t.match(documentIn(await send(request({ url }), 5_000), context), { access_token: 'x' })
  }
})

t.test('SEC-34: nothing is sent to an address that the lookup refuses', async t => {
  let requests = 0
  const url = await serve(t, response => {
    requests++
    response.end('{}')
  })
  const refusal = new GatewayError('provider_unavailable', 'The address is private.')
  const inLookup = createSendRequest(() => (_name, _options, callback) => callback(refusal, ''))
  const before = createSendRequest(() => {
    throw refusal
  })
  const message = 'the token endpoint’s host name resolves to an IP address that is not public'
  for (const sendGuarded of [inLookup, before])
    t.match(await sendGuarded(request({ url: url.replace('127.0.0.1', 'localhost') }), 5_000).catch(error => error), {
      kind: 'unavailable',
      message
    })
  t.equal(requests, 0)
})

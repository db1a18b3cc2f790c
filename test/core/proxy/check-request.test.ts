import t from 'tap'
import type { ApiRefusal, CredentialCheck } from '../../../src/core/provider/definition.ts'
import { sendCheckRequest } from '../../../src/core/proxy/check-request.ts'
import type { Send, UpstreamRequest } from '../../../src/core/proxy/upstream.ts'
import { Secret } from '../../../src/core/secret.ts'
import { fakeResponse } from '../../support/upstream-response.ts'
import { apiKeyWith, connectionWith, providerWith } from '../support.ts'

const connection = connectionWith({ method: 'api_key', credential: new Secret('KEY') })
const methods = { apiKey: apiKeyWith({ in: 'header', name: 'x-api-key' }) }

async function checked(check: CredentialCheck, status: number, body: unknown, refusals?: ApiRefusal[]) {
  let sent: UpstreamRequest | undefined
  const send: Send = async request => {
    sent = request
    return fakeResponse({ status, headers: {} }, typeof body === 'string' ? body : JSON.stringify(body))
  }
  const api = { baseUrl: 'https://api.acme.example/v1', headers: { accept: 'application/vnd.acme+json' }, ...(refusals && { refusals }) }
  const result = await sendCheckRequest(send, providerWith({ api, methods }), connection, check)
  return { verdict: result?.verdict, sent: sent as UpstreamRequest }
}

t.test('a check says what it is to be sent, and where', async t => {
  const { sent } = await checked({ path: '/graphql', method: 'POST', body: { query: '{ me { id } }' }, status: 200 }, 200, {})
  t.match(sent, { method: 'POST', origin: 'https://api.acme.example', path: '/v1/graphql', bodyLength: 25 })
  t.equal(Buffer.concat(sent.body as Buffer[]).toString(), '{"query":"{ me { id } }"}')
  t.strictSame(sent.headers, [
    ...['accept', 'application/vnd.acme+json', 'user-agent', 'grantkeeper', 'content-type', 'application/json', 'x-api-key', 'KEY']
  ])
  const elsewhere = await checked({ url: 'https://login.acme.example/me?a=b', method: 'HEAD', status: 200 }, 200, '')
  t.match(elsewhere.sent, { method: 'HEAD', origin: 'https://login.acme.example', path: '/me?a=b', body: undefined })
})

t.test('a check accepts each of its statuses', async t => {
  for (const [status, verdict] of [
    [200, 'accepted'],
    [403, 'accepted'],
    [401, 'refused'],
    [404, 'unknown'],
    [503, 'unavailable']
  ] as const)
    t.equal((await checked({ path: '/me', status: [200, 403] }, status, {})).verdict, verdict, String(status))
  t.equal((await checked({ path: '/me', status: [401] }, 401, {})).verdict, 'accepted', 'a 401 that it expects')
})

t.test('a check may expect a value, or any value', async t => {
  const any = { path: '/me', status: 200, expect: { pointer: '/data/me' } }
  const ok = { path: '/me', status: 200, expect: { pointer: '/ok', equals: true } }
  for (const [check, body, verdict] of [
    [any, { data: { me: 7 } }, 'accepted'],
    [any, { data: { me: false } }, 'accepted'],
    [any, { data: { me: null } }, 'refused'],
    [any, { errors: [] }, 'refused'],
    [any, '<html>maintenance</html>', 'unknown'],
    [ok, { ok: true }, 'accepted'],
    [ok, { ok: false }, 'refused'],
    [ok, { ok: null }, 'refused'],
    [ok, {}, 'unknown']
  ] as const)
    t.equal((await checked(check, 200, body)).verdict, verdict, JSON.stringify(body))
})

t.test('what the API’s refusals say counts in the response to a check too', async t => {
  const refusals: ApiRefusal[] = [{ pointer: '/error', oneOf: ['invalid_auth'], statuses: [200] }]
  t.equal((await checked({ path: '/me', status: 200 }, 200, { error: 'invalid_auth' }, refusals)).verdict, 'refused')
  t.equal((await checked({ path: '/me', status: 200 }, 200, { error: 'other' }, refusals)).verdict, 'accepted')
})

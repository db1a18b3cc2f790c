import t from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { type ErrorCode, GatewayError } from '../../../src/core/errors.ts'
import { createEvents } from '../../../src/core/events.ts'
import type { Provider } from '../../../src/core/provider/definition.ts'
import { createForward } from '../../../src/core/proxy/forward.ts'
import type { ProxiedRequest } from '../../../src/core/proxy/proxied-request.ts'
import type { RequestBody, ResponseHead, UpstreamRequest } from '../../../src/core/proxy/upstream.ts'
import { Secret } from '../../../src/core/secret.ts'
import { streamedBody } from '../../support/streamed.ts'
import { type FakeResponse, fakeResponse } from '../../support/upstream-response.ts'
import { codeOfRejection, connectionWith, keyOf, type ManualClock, manualClock, minute, providerWith, second, startMs } from '../support.ts'

const fresh = connectionWith({ credential: new Secret('access-2') })

const unusedDependencies = {
  vault: { readConnection: async () => undefined, replace: async () => undefined },
  events: createEvents()
}

type World = ReturnType<typeof world>

/** An upstream that responds with these statuses in turn, repeating the last, and a renewal that returns `access-2` or fails with a code. */
function world({
  statuses = [200],
  renewal,
  headers = {}
}: {
  statuses?: number[]
  renewal?: ErrorCode
  headers?: ResponseHead['headers']
} = {}) {
  const clock: ManualClock = manualClock()
  const sent: UpstreamRequest[] = []
  const renewals: Array<{ owner: string; credential: string; aheadMs?: number }> = []
  const received: FakeResponse[] = []
  const results: Array<{ head: ResponseHead; path: string; credential: string }> = []
  const remaining = [...statuses]
  const forward = createForward({
    ...unusedDependencies,
    clock,
    send: async request => {
      t.ok(
        received.every(response => response.isDiscarded),
        'an earlier response is discarded by then'
      )
      sent.push(request)
      const status = remaining.length > 1 ? (remaining.shift() as number) : (remaining[0] as number)
      const response = fakeResponse({ status, headers: { ...headers, 'x-status': String(status) } })
      received.push(response)
      return response
    },
    renew: async ({ owner }, failed, aheadMs) => {
      renewals.push({ owner, credential: failed.credential.reveal(), ...(aheadMs !== undefined && { aheadMs }) })
      if (renewal) throw new GatewayError(renewal, 'no')
      return { value: fresh, version: '' }
    }
  })
  return {
    clock,
    sent,
    renewals,
    results,
    call: async (parts: Partial<ProxiedRequest> = {}) => {
      const { sent, connection, response } = await forward({
        key: keyOf(),
        connection: connectionWith(),
        provider: providerWith(),
        method: 'GET',
        target: '/a?b=1',
        rawHeaders: ['Accept', '*/*'],
        body: undefined,
        bodyLength: undefined,
        signal: new AbortController().signal,
        ...parts
      })
      const { status, headers } = response
      t.equal(response, received.at(-1))
      t.notOk(received.pop()?.isDiscarded)
      results.push({ head: { status, headers }, path: sent.path, credential: connection.credential.reveal() })
      return status
    }
  }
}

const tokensSent = ({ sent }: World) => sent.map(({ headers }) => headers[headers.indexOf('authorization') + 1])
const statusesReturned = ({ results }: World) => results.map(({ head }) => head.status)

const stream = () => streamedBody(pieces())
async function* pieces() {
  yield Buffer.from('a')
}

t.test('a request is sent once, with the credential, to the definition’s origin', async t => {
  const w = world()
  const { signal } = new AbortController()
  const body = [Buffer.from('{}')]
  t.equal(
    await w.call({ method: 'POST', body, bodyLength: 2, signal, rawHeaders: ['Accept', '*/*', 'Cookie', 'c', 'Authorization', 'theirs'] }),
    200
  )
  t.strictSame(w.sent, [
    {
      provider: 'acme',
      origin: 'https://api.acme.example',
      method: 'POST',
      path: '/v1/a?b=1',
      headers: ['Accept', '*/*', 'user-agent', 'grantkeeper', 'authorization', 'Bearer access-1'],
      body,
      bodyLength: 2,
      timeoutMs: 30 * second,
      readTimeoutMs: 5 * minute,
      signal
    }
  ])
  t.strictSame(w.results, [{ head: { status: 200, headers: { 'x-status': '200' } }, path: '/v1/a?b=1', credential: 'access-1' }])
  t.strictSame(w.renewals, [])
})

t.test('a definition may have its own timeouts', async t => {
  const w = world()
  const provider: Provider = providerWith({ api: { baseUrl: 'https://api.acme.example', timeoutMs: 5, idleTimeoutMs: { download: 6 } } })
  await w.call({ provider })
  t.match(w.sent, [{ timeoutMs: 5, readTimeoutMs: 6 }])
})

t.test('SEC-37: after a 401 the same bytes are sent with a renewed token', async t => {
  for (const body of [undefined, [Buffer.from('exactly '), Buffer.from('this')]]) {
    const w = world({ statuses: [401, 201] })
    t.equal(await w.call({ method: 'POST', body }), 201)
    t.strictSame(tokensSent(w), ['Bearer access-1', 'Bearer access-2'])
    t.equal(w.sent[1]?.body, body)
    t.strictSame(w.sent[1]?.headers.slice(0, -1), w.sent[0]?.headers.slice(0, -1))
    t.equal(w.sent[1]?.path, w.sent[0]?.path)
    t.strictSame(w.renewals, [{ owner: 'owner', credential: 'access-1' }])
    t.strictSame(w.results, [{ head: { status: 201, headers: { 'x-status': '201' } }, path: '/v1/a?b=1', credential: 'access-2' }])
  }
})

t.test('RFC 6750 §3.1: a 403 with invalid_token is renewed like a 401', async t => {
  const challenge = { 'www-authenticate': 'Bearer realm="api", error="invalid_token"' }
  const w = world({ statuses: [403, 200], headers: challenge })
  await w.call()
  t.strictSame(tokensSent(w), ['Bearer access-1', 'Bearer access-2'])
  t.strictSame(statusesReturned(w), [200])
  const refused = world({ statuses: [403], headers: challenge })
  for (let i = 0; i < 3; i++) await refused.call()
  t.strictSame(statusesReturned(refused), [403, 403, 403])
  t.equal(refused.renewals.length, 3, 'each request was sent with the old token')
  for (let i = 0; i < 3; i++) await refused.call({ connection: fresh })
  t.equal(refused.renewals.length, 3, 'a 401 to the renewed token is cached')
})

t.test('SEC-37: a second 401 is final', async t => {
  const w = world({ statuses: [401, 401] })
  t.equal(await w.call(), 401)
  t.strictSame(statusesReturned(w), [401])
  t.equal(w.sent.length, 2)
  t.equal(w.renewals.length, 1)
})

t.test('SEC-37: any other status is final at once', async t => {
  for (const status of [200, 204, 302, 400, 403, 404, 407, 419, 429, 500, 503]) {
    const w = world({ statuses: [status] })
    await w.call()
    t.strictSame(statusesReturned(w), [status])
    t.equal(w.renewals.length, 0, String(status))
  }
})

t.test('SEC-14: a path that refuses a renewed token costs one renewal a minute', async t => {
  const w = world({ statuses: [401] })
  await w.call()
  const renewedCall = { connection: fresh }
  for (const target of ['/a?b=1', '/a?b=2', '/a']) await w.call({ ...renewedCall, target })
  t.equal(w.renewals.length, 1)
  t.strictSame(statusesReturned(w), [401, 401, 401, 401])
  await w.call({ ...renewedCall, target: '/other' })
  t.equal(w.renewals.length, 2, 'another path has an entry of its own')
  w.clock.advance(minute)
  await w.call(renewedCall)
  t.equal(w.renewals.length, 3, 'the entry expires after a minute')
})

t.test('a token near its expiry is renewed before the request', async t => {
  for (const [what, renewAtMs, tokens] of [
    ['a millisecond too early', startMs + 1, ['Bearer access-1']],
    ['on time', startMs, ['Bearer access-2']]
  ] as const) {
    const w = world()
    await w.call({ connection: connectionWith({ renewAtMs, expiresAtMs: startMs + minute }) })
    t.strictSame(tokensSent(w), tokens, what)
  }
})

t.test('SEC-37: after a renewal ahead of the request a 401 is final', async t => {
  const w = world({ statuses: [401] })
  await w.call({ connection: connectionWith({ renewAtMs: startMs, expiresAtMs: startMs + minute }) })
  t.strictSame(tokensSent(w), ['Bearer access-2'])
  t.strictSame(statusesReturned(w), [401])
  t.equal(w.renewals.length, 1)
})

t.test('SEC-14, SEC-41: a valid token is used when its renewal ahead fails for now', async t => {
  const due: Connection = connectionWith({ renewAtMs: startMs, expiresAtMs: startMs + minute })
  for (const renewal of ['provider_unavailable', 'provider_timeout', 'client_rejected', 'store_unavailable'] as const) {
    const w = world({ renewal })
    t.equal(await w.call({ connection: due }), 200)
    t.strictSame(tokensSent(w), ['Bearer access-1'])
    t.strictSame(w.renewals, [{ owner: 'owner', credential: 'access-1', aheadMs: second }], 'with a wait of a second at most')
    const expired = world({ renewal })
    expired.clock.advance(minute)
    t.equal(await codeOfRejection(expired.call({ connection: due })), renewal, 'an expired token is not used')
    t.equal(expired.sent.length, 0)
  }
})

t.test('SEC-14: while renewals back off, a valid token is not renewed', async t => {
  const backoff = { failures: 3, retryAtMs: startMs + 4 * second, failingSinceMs: startMs }
  const due: Connection = connectionWith({ renewAtMs: startMs, expiresAtMs: startMs + minute, backoff })
  const w = world()
  await w.call({ connection: due })
  t.strictSame([tokensSent(w), w.renewals], [['Bearer access-1'], []])
  w.clock.advance(4 * second)
  await w.call({ connection: due })
  t.strictSame(tokensSent(w), ['Bearer access-1', 'Bearer access-2'])
})

t.test('a token that expires while its renewal is pending is not sent', async t => {
  const due: Connection = connectionWith({ renewAtMs: startMs, expiresAtMs: startMs + second })
  const clock = manualClock()
  const waits: Array<number | undefined> = []
  const sent: string[] = []
  const forward = createForward({
    ...unusedDependencies,
    clock,
    send: async request => {
      sent.push(request.headers.at(-1) ?? '')
      return fakeResponse({ status: 200, headers: {} })
    },
    renew: async (_owner, _failed, aheadMs) => {
      waits.push(aheadMs)
      if (aheadMs === undefined) return { value: fresh, version: '' }
      clock.advance(second)
      throw new GatewayError('provider_timeout', 'slow')
    }
  })
  await forward({
    key: keyOf(),
    connection: due,
    provider: providerWith(),
    method: 'GET',
    target: '/',
    rawHeaders: [],
    body: undefined,
    bodyLength: undefined,
    signal: new AbortController().signal
  })
  t.strictSame([waits, sent], [[second, undefined], ['Bearer access-2']])
})

t.test('any other error of a renewal ahead is thrown, and nothing is sent', async t => {
  for (const renewal of ['reconnect_required', 'connection_required'] as const) {
    const w = world({ renewal })
    t.equal(await codeOfRejection(w.call({ connection: connectionWith({ renewAtMs: startMs, expiresAtMs: startMs + minute }) })), renewal)
    t.equal(w.sent.length, 0)
  }
})

t.test('an error of the renewal after a 401 is thrown', async t => {
  for (const renewal of [
    'reconnect_required',
    'connection_required',
    'provider_unavailable',
    'provider_timeout',
    'store_unavailable'
  ] as const) {
    for (const body of [undefined, stream()] satisfies RequestBody[]) {
      const w = world({ statuses: [401], renewal })
      t.equal(await codeOfRejection(w.call({ method: 'POST', body })), renewal)
      t.equal(w.sent.length, 1)
      t.equal(w.results.length, 0)
    }
  }
})

t.test('SEC-37: a streamed body is not sent twice, and the client gets retry_request', async t => {
  const w = world({ statuses: [401, 200] })
  const promise = w.call({ method: 'PUT', body: stream(), bodyLength: 100_000 })
  await t.rejects(promise, { code: 'retry_request', status: 503, retryAfter: 0, provider: 'acme' })
  t.equal(w.renewals.length, 1, 'with the token renewed for it')
  t.equal(w.sent.length, 1)
  t.equal(w.results.length, 0)
})

t.test('an error of the upstream is thrown as it is', async t => {
  const forward = createForward({
    ...unusedDependencies,
    clock: manualClock(),
    send: () => Promise.reject(new GatewayError('provider_unavailable', 'refused')),
    renew: () => Promise.reject(new Error('nothing to renew'))
  })
  const call: ProxiedRequest = {
    key: keyOf(),
    connection: connectionWith(),
    provider: providerWith(),
    method: 'GET',
    target: '/',
    rawHeaders: [],
    body: undefined,
    bodyLength: undefined,
    signal: new AbortController().signal
  }
  t.equal(await codeOfRejection(forward(call)), 'provider_unavailable')
})

t.test('SEC-29: an invalid header is refused before anything is sent', async t => {
  const w = world()
  t.equal(await codeOfRejection(w.call({ rawHeaders: ['X-A', 'a\nb'] })), 'header_rejected')
  t.equal(w.sent.length, 0)
})

import t from 'tap'
import { type ErrorCode, GatewayError, hasCode } from '../../src/core/errors.ts'

/** The contract's table. */
const statuses = {
  provider_unknown: 404,
  connection_required: 401,
  reconnect_required: 401,
  csrf_rejected: 403,
  state_invalid: 400,
  return_to_rejected: 400,
  path_rejected: 400,
  header_rejected: 400,
  method_not_allowed: 405,
  body_too_large: 413,
  retry_request: 503,
  provider_unavailable: 502,
  provider_timeout: 504,
  store_unavailable: 503
} satisfies Partial<Record<ErrorCode, number>>

t.test('every code has the status that the contract gives it, and a title for people', async t => {
  for (const [code, status] of Object.entries(statuses) as Array<[ErrorCode, number]>) {
    const error = new GatewayError(code, 'detail')
    t.equal(error.status, status, code)
    t.match(error.title, /^[A-Z].{8,}[^.]$/, code)
  }
})

t.test('an error carries what its answer needs', async t => {
  const cause = new Error('below')
  const error = new GatewayError('provider_timeout', 'It took too long.', {
    cause,
    provider: 'acme',
    retryAfter: 3,
    allow: ['GET'],
    status: 431
  })
  t.strictSame(
    [error.name, error.code, error.message, error.cause, error.provider, error.retryAfter, error.allow, error.status],
    ['GatewayError', 'provider_timeout', 'It took too long.', cause, 'acme', 3, ['GET'], 431]
  )
})

t.test('an error is known by its code', async t => {
  t.ok(hasCode(new GatewayError('path_rejected', 'no'), 'path_rejected'))
  t.notOk(hasCode(new GatewayError('path_rejected', 'no'), 'header_rejected'))
  t.notOk(hasCode(Object.assign(new Error('no'), { code: 'path_rejected' }), 'path_rejected'), 'an error of somebody else is not ours')
  t.notOk(hasCode(undefined, 'path_rejected'))
})

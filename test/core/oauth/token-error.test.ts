import t from 'tap'
import { readErrorDescription, readTokenError } from '../../../src/core/oauth/token-error.ts'
import type { TokenRefusal } from '../../../src/core/provider/definition.ts'

t.test('SEC-14: every known spelling of invalid_grant is recognized', async t => {
  for (const document of [
    { error: 'invalid_grant' },
    { error: 'INVALID_GRANT' },
    { error: 'Invalid Grant' },
    { error: 'invalidGrant' },
    { error: { code: 'invalid_grant', message: 'no' } },
    { error: { code: 400, status: 'INVALID_GRANT' } },
    { errors: [{ errorType: 'invalid_grant' }], success: false },
    { errorCode: 'invalid_grant' },
    { error: 'bad_refresh_token' },
    { ok: false, error: 'invalid_refresh_token' },
    { ok: false, error: 'token_revoked' },
    { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' },
    { error: 'interaction_required' },
    { error: 'consent_required' },
    { error: 'login_required' }
  ])
    for (const status of [200, 400, 401, 403, 410])
      t.equal(readTokenError(document, status)?.means, 'invalid_grant', JSON.stringify(document))
})

t.test('SEC-14: with a 5xx only the standard code invalid_grant counts', async t => {
  t.equal(readTokenError({ error: 'invalid_grant' }, 500)?.means, 'invalid_grant')
  t.equal(readTokenError({ error: 'login_required' }, 503)?.means, undefined)
})

t.test('SEC-14: any other body, or none, is not invalid_grant', async t => {
  for (const document of [
    undefined,
    null,
    'invalid_grant',
    [],
    {},
    { error: null },
    { error: '' },
    { error: false },
    { message: 'invalid_grant' },
    { error_description: 'invalid_grant' },
    { error: 'invalid_request', error_description: 'invalid_grant' },
    { error: 'invalid_grants' },
    Object.create({ error: 'invalid_grant' })
  ])
    t.equal(readTokenError(document, 400)?.means, undefined, JSON.stringify(document))
})

t.test('a rejected client is recognized', async t => {
  for (const error of ['invalid_client', 'incorrect_client_credentials', 'bad_client_secret'])
    t.equal(readTokenError({ error }, 401)?.means, 'invalid_client', error)
  t.equal(readTokenError({ error: 'unauthorized_client' }, 400)?.means, undefined, 'may concern the grant instead')
})

t.test('the error codes of a definition take precedence', async t => {
  const declared: TokenRefusal[] = [
    { pointer: '/error', oneOf: ['unauthorized_client'], means: 'invalid_grant' },
    { pointer: '/detail/number', oneOf: [190, 191], means: 'invalid_grant' },
    { pointer: '/error', oneOf: ['invalid_grant'], means: 'invalid_client' }
  ]
  t.equal(readTokenError({ error: 'unauthorized_client' }, 403, { declared })?.means, 'invalid_grant')
  t.equal(readTokenError({ detail: { number: 191 } }, 200, { declared })?.means, 'invalid_grant')
  t.equal(readTokenError({ detail: { number: '191' } }, 200, { declared }), undefined, 'types must match')
  t.equal(readTokenError({ error: 'invalid_grant' }, 400, { declared })?.means, 'invalid_client')
})

t.test('SEC-17: a logged code or description is sanitized, truncated and free of sent secrets', async t => {
  t.equal(readTokenError({ error: 'bad "quoted\\"\r\nx: y é' }, 400)?.code, 'bad quotedx: y ')
  t.equal(readTokenError({ error: 'x'.repeat(1_000) }, 400)?.code?.length, 64)
  t.equal(readErrorDescription({ error: 'a', error_description: 'one\nline\u202e' }), 'oneline')
  t.equal(readErrorDescription({ error: { message: 'y'.repeat(1_000) } })?.length, 200)
  t.equal(readErrorDescription({ error: 'a' }), undefined)
  const sent = ['refresh-token-canary']
  t.equal(readTokenError({ error: 'no refresh-token-canary' }, 400, { sent })?.code, undefined)
  t.equal(readErrorDescription({ error_description: 'refresh-token... is unknown' }, sent), undefined, 'nor its prefix')
})

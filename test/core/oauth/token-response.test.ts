import { inspect } from 'node:util'
import t from 'tap'
import { parseTokenResponse, TokenEndpointError } from '../../../src/core/oauth/token-response.ts'
import type { OAuth2Method, TokenResponseShape } from '../../../src/core/provider/definition.ts'
import { Secret } from '../../../src/core/secret.ts'
import { printable } from '../support.ts'

const minimal = { access_token: 'token', token_type: 'Bearer' }

const read = (body: unknown, shape?: TokenResponseShape, scopeSeparator?: string) => {
  const { accessToken, refreshToken, ...rest } = parseTokenResponse(body, { shape, scopeSeparator })
  return { ...rest, accessToken: accessToken.reveal(), ...(refreshToken && { refreshToken: refreshToken.reveal() }) }
}

function kindOf(body: unknown, shape?: TokenResponseShape): unknown {
  try {
    return read(body, shape)
  } catch (error) {
    return error instanceof TokenEndpointError ? error.kind : error
  }
}

t.test('SEC-10: the token responses of RFC 6749 are parsed', async t => {
  t.strictSame(read(minimal), { accessToken: 'token' })
  t.strictSame(
    read({
      access_token: '2YotnFZFEjr1zCsicMWpAA',
      token_type: 'bearer',
      expires_in: 3600,
      refresh_token: 'tGzv3JOkF0XG5Qx2TlKWIA',
      scope: 'read write',
      example_parameter: 'example_value'
    }),
    {
      accessToken: '2YotnFZFEjr1zCsicMWpAA',
      refreshToken: 'tGzv3JOkF0XG5Qx2TlKWIA',
      expiresInMs: 3_600_000,
      scopes: ['read', 'write']
    }
  )
  t.strictSame(
    read({ ...minimal, error: null, refresh_token: null, scope: null, expires_in: null }),
    { accessToken: 'token' },
    'null counts as absent'
  )
})

t.test('SEC-10: a body that is not a JSON object is invalid', async t => {
  for (const body of [undefined, null, '', 'access_token=token&token_type=bearer', 1, true, [], [minimal]])
    t.equal(kindOf(body), 'invalid_response', String(body))
})

t.test('SEC-10: a response without a token that fits into a header is invalid', async t => {
  for (const access_token of [
    undefined,
    null,
    '',
    1,
    true,
    {},
    ['token'],
    'a b',
    'a\nb',
    'a\r\nx: y',
    'a\0b',
    'a\x7fb',
    '\ttoken',
    'tokén',
    'x'.repeat(16_385)
  ])
    t.equal(kindOf({ ...minimal, access_token }), 'invalid_response', printable(String(access_token).slice(0, 20)))
  const longest = 'x'.repeat(16_384)
  t.equal(read({ ...minimal, access_token: longest }).accessToken, longest)
  t.equal(kindOf(Object.create(minimal)), 'invalid_response', 'an inherited token does not count')
})

t.test('SEC-10: an invalid refresh token is dropped, and the access token is used', async t => {
  for (const refresh_token of [undefined, null, '', 1, {}, 'a\nb', 'x'.repeat(16_385)])
    t.strictSame(read({ ...minimal, refresh_token }), { accessToken: 'token' }, printable(String(refresh_token).slice(0, 20)))
})

t.test('SEC-10: the token type is Bearer or the definition’s, and may be absent', async t => {
  const accepted = { accessToken: 'token' }
  for (const [token_type, expected, outcome] of [
    ['Bearer', undefined, accepted],
    ['BEARER', undefined, accepted],
    ['Bearer ', undefined, accepted],
    [undefined, undefined, accepted],
    [null, undefined, accepted],
    ['', undefined, accepted],
    ['mac', undefined, 'invalid_response'],
    ['DPoP', undefined, 'invalid_response'],
    [1, undefined, 'invalid_response'],
    [['bearer'], undefined, 'invalid_response'],
    [{ toString: 1 }, undefined, 'invalid_response'],
    [undefined, '', accepted],
    ['', '', accepted],
    ['bearer', '', accepted],
    ['mac', '', 'invalid_response'],
    ['Token', 'token', accepted],
    ['Bearer', 'token', 'invalid_response'],
    [undefined, 'token', accepted]
  ] as const) {
    const shape = expected === undefined ? {} : { tokenType: expected }
    t.strictSame(
      kindOf({ access_token: 'token', token_type }, shape),
      outcome,
      `${JSON.stringify(token_type)} with ${expected ?? 'no'} type defined`
    )
  }
})

t.test('SEC-10: an error in a 200 counts only if there is no token', async t => {
  const { access_token, token_type } = minimal
  for (const [error, kind] of [
    ['invalid_grant', 'refused'],
    ['some_words', 'refused'],
    [{ code: 'some_words' }, 'refused'],
    ['', 'invalid_response'],
    [false, 'invalid_response'],
    [0, 'invalid_response'],
    [{}, 'invalid_response']
  ] as const) {
    t.equal(kindOf({ token_type, error }), kind, JSON.stringify(error))
    t.strictSame(kindOf({ access_token, token_type, error }), { accessToken: 'token' }, JSON.stringify(error))
  }
})

t.test('SEC-14: the error for an unusable response carries the rotated refresh token', async t => {
  for (const body of [{ ...minimal, token_type: 'mac' }, { token_type: 'Bearer' }]) {
    try {
      parseTokenResponse({ ...body, refresh_token: 'next' })
      t.fail('it is unusable')
    } catch (error) {
      t.equal((error as TokenEndpointError).details.rotatedRefreshToken?.reveal(), 'next')
    }
  }
})

t.test('the error for an invalid response does not quote it', async t => {
  for (const body of [{ ...minimal, access_token: 'canary\n' }, { ...minimal, token_type: 'canary' }, 'canary'])
    t.throws(() => parseTokenResponse(body), {
      name: 'TokenEndpointError',
      kind: 'invalid_response',
      reason: undefined,
      message: /^the token response (?!.*canary)/
    })
})

t.test('SEC-10: a lifetime is in seconds, a number or string, and at most a year', async t => {
  const year = 366 * 24 * 3_600_000
  for (const [expires_in, expiresInMs] of [
    [1, 1000],
    ['3600', 3_600_000],
    [' 60 ', 60_000],
    ['0.5', 500],
    [1e12, year],
    ['9'.repeat(300), year],
    [0, undefined],
    [-1, undefined],
    ['', undefined],
    [' ', undefined],
    ['soon', undefined],
    ['3600s', undefined],
    ['9'.repeat(400), undefined],
    [Number.NaN, undefined],
    [true, undefined],
    [[60], undefined],
    [{}, undefined]
  ] as const)
    t.equal(read({ ...minimal, expires_in }).expiresInMs, expiresInMs, printable(String(expires_in).slice(0, 20)))
})

t.test('the end of a token may be a date, or seconds or milliseconds since the epoch', async t => {
  const at = Date.UTC(2026, 10, 28, 12)
  const endOf = (end: unknown) => read({ ...minimal, expires_in: 5, end }, { expiresAt: '/end' })
  for (const end of [
    '2026-11-28T12:00:00Z',
    '2026-11-28t13:00:00.000+01:00',
    '2026-11-28 12:00:00',
    at / 1000,
    at,
    String(at / 1000),
    String(at)
  ])
    t.strictSame(endOf(end), { accessToken: 'token', expiresAtMs: at }, String(end))
  for (const end of [undefined, null, '', 'soon', 'Sat, 28 Nov 2026', '2026-13-01T00:00:00Z', -at, 0, 1e300, Number.NaN, [at], { at }])
    t.strictSame(endOf(end), { accessToken: 'token', expiresInMs: 5000 }, `${end} says nothing`)
})

t.test('an error prints nothing of the grant that it carries', async t => {
  const grant = { accessToken: new Secret('canary'), values: { bot_token: 'canary' } }
  const error = new TokenEndpointError('invalid_value', 'the provider’s url is missing').withGrant(grant)
  t.equal(error.grant, grant)
  t.notMatch(`${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${error.stack}`, 'canary')
})

t.test('a definition may set a lifetime for responses without one', async t => {
  const shape = { defaultExpiresIn: 900 }
  t.equal(read(minimal, shape).expiresInMs, 900_000)
  t.equal(read({ ...minimal, expires_in: 0 }, shape).expiresInMs, 900_000)
  t.equal(read({ ...minimal, expires_in: 60 }, shape).expiresInMs, 60_000)
})

t.test('SEC-11: granted scopes are split at the provider’s separator, spaces and commas', async t => {
  for (const [scope, separator, scopes] of [
    ['read write', undefined, ['read', 'write']],
    ['  read   write ', ' ', ['read', 'write']],
    ['read,write', ' ', ['read', 'write']],
    ['read, write', undefined, ['read', 'write']],
    [['read,write', 'list all'], undefined, ['read', 'write', 'list', 'all']],
    ['read,write', ',', ['read', 'write']],
    ['read, write', ',', ['read', 'write']],
    ['read write', ',', ['read', 'write']],
    ['read;write', ';', ['read', 'write']],
    ['read|write', '|', ['read', 'write']],
    ['a+b', '+', ['a', 'b']],
    ['', undefined, []],
    [['read', 'write'], undefined, ['read', 'write']],
    [['read', null, 1, {}, ''], undefined, ['read']],
    [undefined, undefined, undefined],
    [7, undefined, undefined],
    [{}, undefined, undefined]
  ] as const)
    t.strictSame(read({ ...minimal, scope }, {}, separator).scopes, scopes, `${JSON.stringify(scope)} with ${separator ?? 'the default'}`)
  t.equal(read({ ...minimal, scope: 'x '.repeat(1000) }).scopes?.length, 100, 'limited')
})

t.test('a response of another shape is parsed by the definition’s pointers', async t => {
  const shape = {
    accessToken: '/data/0/token',
    refreshToken: '/data/0/renew',
    expiresIn: '/ttl',
    scope: '/data/0/may',
    tokenType: ''
  }
  const body = {
    data: [{ token: 'a', renew: 'r', may: ['x'] }],
    ttl: '60',
    access_token: 'not this',
    refresh_token: 'nor this'
  }
  t.strictSame(read(body, shape), { accessToken: 'a', refreshToken: 'r', expiresInMs: 60_000, scopes: ['x'] })
  t.equal(kindOf({ ...body, data: [] }, shape), 'invalid_response')
})

/** The account that a token response names. */
const accountIn = (body: object, account: OAuth2Method['account'], issuer?: string) => {
  const parsed = parseTokenResponse({ ...minimal, ...body }, { account, audience: { clientId: 'client', issuer } })
  return { account: parsed.account, accountId: parsed.accountId }
}
const unknownAccount = { account: undefined, accountId: undefined }

t.test('the token response says which account it is for', async t => {
  const team = { id: 17, name: 'Road Runner' }
  const source = { from: 'token', id: '/team/id', name: '/team/name' } as const
  t.strictSame(accountIn({ team }, source), { account: 'Road Runner', accountId: '17' })
  t.strictSame(accountIn({ team: null }, source), unknownAccount)
  t.strictSame(accountIn({ team }, undefined), unknownAccount, 'not read without pointers')
})

const encode = (part: unknown) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')
/** An ID token whose signature nobody could verify. */
const idToken = (claims: unknown) => `${encode({ alg: 'RS256' })}.${encode(claims)}.${encode('signature')}`
const ada = { iss: 'https://acme.example', aud: 'client', sub: 'ada-1', name: 'Ada' }
const fromIdToken = { from: 'id_token', id: '/sub', name: '/name' } as const

t.test('the ID token says which account it is for', async t => {
  const expected = { account: 'Ada', accountId: 'ada-1' }
  t.strictSame(accountIn({ id_token: idToken(ada) }, fromIdToken), expected)
  t.strictSame(accountIn({ id_token: idToken({ ...ada, aud: ['other', 'client'] }) }, fromIdToken), expected)
  t.strictSame(accountIn({ id_token: idToken(ada) }, fromIdToken, 'https://acme.example'), expected)
  t.strictSame(accountIn({ id_token: idToken({ ...ada, name: 'Ádá 🎈' }) }, fromIdToken), { ...expected, account: 'Ádá 🎈' })
})

t.test('an ID token for another client or of another issuer names no account', async t => {
  for (const claims of [
    { ...ada, aud: 'other' },
    { ...ada, aud: ['other'] },
    { ...ada, aud: 'client-2' },
    { ...ada, aud: undefined },
    { ...ada, aud: { client: 'client' } },
    { ...ada, iss: 'https://acme.example/' },
    { ...ada, iss: undefined }
  ])
    t.strictSame(accountIn({ id_token: idToken(claims) }, fromIdToken, 'https://acme.example'), unknownAccount, JSON.stringify(claims))
})

t.test('an unreadable ID token does not fail the sign-in', async t => {
  const whole = idToken(ada)
  for (const id_token of [
    undefined,
    null,
    7,
    {},
    '',
    '..',
    'a.b.c',
    whole.split('.').slice(0, 2).join('.'),
    `${whole}.x.y`,
    idToken('{"sub":'),
    idToken([ada]),
    idToken(null),
    idToken({ ...ada, padding: 'x'.repeat(16_384) })
  ])
    t.strictSame(accountIn({ id_token }, fromIdToken), unknownAccount, String(id_token).slice(0, 40))
})

t.test('SEC-14: only a rejection with invalid_grant ends a grant immediately', async t => {
  for (const [kind, reason, means, ends] of [
    ['refused', 'invalid_grant', undefined, true],
    ['refused', 'unauthorized_client', 'invalid_grant', true],
    ['refused', 'invalid_grant', 'invalid_client', false],
    ['refused', 'invalid_client', undefined, false],
    ['refused', undefined, undefined, false],
    ['invalid_response', 'invalid_grant', undefined, false],
    ['unavailable', 'invalid_grant', undefined, false],
    ['timeout', undefined, undefined, false]
  ] as const)
    t.equal(new TokenEndpointError(kind, 'no', reason, { means }).isInvalidGrant, ends, `${kind} ${reason} ${means}`)
})

t.test('a rejection concerns the client, the grant or neither', async t => {
  for (const [kind, reason, details, isClientRejected, isRejection] of [
    ['refused', 'invalid_client', { status: 401 }, true, false],
    ['refused', 'unauthorized_client', { status: 400 }, true, true],
    ['refused', 'unauthorized_client', { status: 403, means: 'invalid_grant' }, false, true],
    ['refused', 'invalid_request', { status: 400 }, false, true],
    ['refused', undefined, { status: 403 }, false, true],
    ['unavailable', undefined, { status: 401 }, false, true],
    ['refused', undefined, { status: 200 }, false, true],
    ['refused', 'temporarily_unavailable', { status: 400, isTemporary: true }, false, false],
    ['unavailable', undefined, { status: 429 }, false, false],
    ['unavailable', undefined, { status: 500 }, false, false],
    ['refused', undefined, { status: 404 }, false, false],
    ['invalid_response', undefined, { status: 200 }, false, false],
    ['timeout', undefined, {}, false, false]
  ] as const) {
    const error = new TokenEndpointError(kind, 'no', reason, details)
    t.strictSame(
      [error.isClientRejected, error.isRejection],
      [isClientRejected, isRejection],
      `${kind} ${reason} ${JSON.stringify(details)}`
    )
  }
})

import fc from 'fast-check'
import { parseTokenResponse, TokenEndpointError } from '../../../src/core/oauth/token-response.ts'
import { text } from '../arbitraries.ts'
import { must, property } from '../property.ts'
import { isSendable } from './pass-through.ts'

const json = fc.jsonValue({ maxDepth: 2 })
const numbers = fc.constantFrom<unknown>('3600', '1e400', '-1', '', ' ', 1e308, -0, 0.1, 3600, -1)
const scalar = fc.oneof(text, json, fc.constantFrom<unknown>('Bearer', 'read write', 'read,write', 'x'.repeat(16_385)), numbers)
const usually = (usual: unknown) => fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: scalar })

const tokenResponse = fc.record(
  {
    access_token: usually('canary'),
    token_type: usually('Bearer'),
    refresh_token: usually('canary'),
    expires_in: numbers,
    scope: fc.oneof(scalar, fc.array(scalar)),
    error: usually(null),
    data: json,
    name: scalar,
    id_token: scalar
  },
  { requiredKeys: ['access_token', 'token_type'] }
)
const pointer = fc.constantFrom('/access_token', '/data/0', '/__proto__', '/constructor/name', '/', '', 'x', '/~0~1', '/scope/0')
const shape = fc.record(
  {
    accessToken: pointer,
    refreshToken: pointer,
    expiresIn: pointer,
    scope: pointer,
    tokenType: fc.constantFrom('', 'bearer', 'token'),
    defaultExpiresIn: fc.constant(900)
  },
  { requiredKeys: [] }
)
const generated = fc.record({
  body: fc.oneof({ weight: 5, arbitrary: tokenResponse }, { weight: 1, arbitrary: json }),
  shape: fc.oneof(fc.constant({}), shape),
  account: fc.record({
    from: fc.constantFrom('token' as const, 'id_token' as const),
    id: fc.constantFrom('/name', '/data', '/__proto__', ''),
    name: fc.constantFrom('/name', '/data', '/__proto__', '')
  }),
  separator: fc.constantFrom(' ', ',', '+', '|', '')
})

property(
  'SEC-10: a token response parses to a usable grant, or fails without repeating the body',
  1000,
  generated,
  ({ body, shape, account: source, separator }) => {
    try {
      const grant = parseTokenResponse(body, { shape, scopeSeparator: separator, account: source, audience: { clientId: 'client' } })
      const { accessToken, refreshToken, expiresInMs, scopes, account, accountId } = grant
      for (const token of [accessToken, refreshToken])
        must(
          token === undefined || (isSendable('authorization', token.reveal()) && token.reveal().length <= 16_384),
          'a token cannot be sent'
        )
      must(expiresInMs === undefined || (expiresInMs > 0 && expiresInMs <= 366 * 86_400_000), `its lifetime is ${expiresInMs} ms`)
      must(
        scopes === undefined || (scopes.length <= 100 && scopes.every(scope => typeof scope === 'string' && scope !== '')),
        'a scope is invalid'
      )
      must(account === undefined || (account !== '' && account.length <= 200), 'its account name is invalid')
      must(accountId === undefined || (accountId !== '' && accountId.length <= 255), 'its account id is invalid')
      return true
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      must(!error.isInvalidGrant, 'it would end a grant')
      must(/^the token (?:[a-z_ ]|JSON|200)+$/.test(error.message) && !error.message.includes('canary'), `the message is ${error.message}`)
      return false
    }
  }
)

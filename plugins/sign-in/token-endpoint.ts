import { hasCode } from '../../src/core/errors.ts'
import { tokenErrors } from '../../src/core/oauth-errors.ts'
import type { OAuth2Method } from '../../src/core/provider.ts'
import { parseTokenAnswer, TokenEndpointError } from '../../src/core/token-answer.ts'
import type { TokenEndpoint } from '../../src/core/token-endpoint.ts'
import type { LookupFor } from '../../src/upstream/lookup.ts'
import type { OpenOAuth2Client } from './oauth2-client.ts'
import { revokeBy } from './revoke.ts'

/** The parts that its errors have: Boom around what came from the server. */
type ClientError = { output?: { statusCode?: number }; data?: { isResponseError?: boolean; payload?: unknown } | null }

/** A provider's `@fastify/oauth2` instance as core sees it: strict about answers, and with no error that holds what was sent. */
export function tokenEndpointOf(openClient: OpenOAuth2Client, method: OAuth2Method, lookupFor: LookupFor): TokenEndpoint {
  const parse = (body: unknown) => parseTokenAnswer(body, method.answer, method.scopeSeparator)

  return {
    async exchange(code, redirectUri, verifier) {
      const params = { ...method.tokenParams, code, redirect_uri: redirectUri, code_verifier: verifier }
      const { oauth2 } = await openClient()
      return parse((await translated(() => oauth2.getToken(params, { lookup: lookupFor(method.tokenUrl) }))).token)
    },

    async refresh(refreshToken) {
      const { oauth2 } = await openClient()
      const old = oauth2.createToken({ refresh_token: refreshToken.reveal() })
      const url = method.refreshUrl ?? method.tokenUrl
      return parse((await translated(() => old.refresh({ ...method.refreshParams }, { lookup: lookupFor(url) }))).token)
    },

    revoke: revokeBy(openClient, method, lookupFor)
  }
}

async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw asTokenEndpointError(error as ClientError)
  }
}

function asTokenEndpointError(error: ClientError): TokenEndpointError {
  const { output, data } = error
  // The lookup's own refusal: thrown before the call, or inside of what the socket ended with.
  if ([error, data].some(e => hasCode(e, 'provider_unavailable')))
    return new TokenEndpointError('unavailable', 'the token endpoint’s name leads to an address that is not public')
  const status = output?.statusCode
  if (data?.isResponseError) {
    const reason = (data.payload as { error?: unknown } | undefined)?.error
    if (status !== undefined && status < 500 && typeof reason === 'string') {
      // A reason that is none of these is not repeated to anybody.
      const known = tokenErrors.find(r => r === reason)
      return new TokenEndpointError('refused', `the token endpoint answered ${status} ${known ?? 'with an unknown error'}`, known)
    }
    return new TokenEndpointError('unavailable', `the token endpoint answered ${status}`)
  }
  if (status === 504 || status === 408) return new TokenEndpointError('timeout', 'the token endpoint did not answer in time')
  if (status === 502) return new TokenEndpointError('unavailable', 'the token endpoint could not be reached')
  return new TokenEndpointError('bad_answer', 'the token endpoint answered with something that is not a token answer')
}

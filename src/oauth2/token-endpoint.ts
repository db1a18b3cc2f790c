import type { Grant } from '../core/connections/connection.ts'
import { hasCode } from '../core/errors.ts'
import type { TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import { readErrorDescription, readTokenError } from '../core/oauth/token-error.ts'
import { parseTokenResponse, rejectedError, TokenEndpointError } from '../core/oauth/token-response.ts'
import { parseTokenResponseBody } from '../core/oauth/token-response-body.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method, OAuthClient } from '../core/provider/definition.ts'
import { withTimeout } from '../core/util/timeout.ts'
import type { HttpOptions, OpenOAuth2Client, Token } from './client.ts'
import { createRevoke } from './revoke.ts'

/** How long a token endpoint may take to the end of its response, in milliseconds. */
export type TokenTimeouts = {
  /** For a sign-in, whose user waits and can begin again. Also for a revocation. */
  readonly exchangeMs: number
  /** For a refresh: the response that is given up may hold a rotated refresh token. */
  readonly refreshMs: number
}

type TokenEndpointOptions = {
  readonly openClient: OpenOAuth2Client
  readonly method: OAuth2Method
  readonly client: OAuthClient
  readonly lookupFor: LookupFor
  readonly timeouts: TokenTimeouts
}

/** What simple-oauth2 throws: a Boom error around the server's response. */
type ClientError = {
  readonly output?: { readonly statusCode?: number }
  readonly data?: { readonly res?: Response; readonly payload?: unknown } | null
}
type Response = { readonly statusCode?: number; readonly headers?: { readonly 'retry-after'?: string } }

/**
 * Core's `TokenEndpoint` on a provider's `@fastify/oauth2` instance: lenient about the form of responses, and without errors that hold what was
 * sent.
 */
export function createTokenEndpoint({ openClient, method, client, lookupFor, timeouts }: TokenEndpointOptions): TokenEndpoint {
  const { refusals, account } = method
  const audience = { clientId: client.id, issuer: method.issuer }

  async function requestGrant(
    url: string,
    timeoutMs: number,
    sent: readonly string[],
    request: (http: HttpOptions) => Promise<Token>
  ): Promise<Grant> {
    // The client's own timeout counts the time for which this process stalled. It cleans up a request that ours has given up.
    const work = async () => request({ lookup: lookupFor(url), timeout: 2 * timeoutMs })
    const response = withTimeout(timeoutMs, work(), timedOut).then(
      ({ token }) => token,
      error => responseIn(error, sent)
    )
    const { tokenResponse: shape, scopeSeparator } = method
    return parseTokenResponse(await response, { shape, scopeSeparator, refusals, sent, account, audience })
  }

  /**
   * The response inside the client's error. A response that it could not parse as JSON may still be a good one.
   * @throws {TokenEndpointError} if there is none, in our words
   */
  function responseIn(error: ClientError, sent: readonly string[]): unknown {
    if (error instanceof TokenEndpointError) throw error
    const { output, data } = error
    // Thrown by the lookup: before the request, or as the cause of the socket's error.
    if ([error, data].some(cause => hasCode(cause, 'provider_unavailable')))
      throw new TokenEndpointError('unavailable', 'the token endpoint’s host name resolves to an IP address that is not public')
    const { statusCode: status, headers } = data?.res ?? {}
    const document = Buffer.isBuffer(data?.payload) ? parseTokenResponseBody(data.payload) : data?.payload
    if (status !== undefined && status >= 400) throw errorResponse(status, document, headers?.['retry-after'], sent)
    if (document !== undefined && document !== null) return document
    if (output?.statusCode === 504 || output?.statusCode === 408) throw timedOut(status)
    if (status === undefined && output?.statusCode === 502)
      throw new TokenEndpointError('unavailable', 'the token endpoint could not be reached, or closed the connection without a response')
    throw new TokenEndpointError('invalid_response', 'the response of the token endpoint cannot be read', undefined, { status })
  }

  function errorResponse(status: number, document: unknown, retryAfter: string | undefined, sent: readonly string[]): TokenEndpointError {
    const error = readTokenError(document, status, { declared: refusals, sent })
    const details = { status, retryAfter, code: error?.code, description: readErrorDescription(document, sent) }
    // A 429 or 5xx does not reject what was sent, unless its error code can mean nothing else.
    if (error && (error.means || (status < 500 && status !== 429))) return rejectedError(status, error, details)
    return new TokenEndpointError('unavailable', `the token endpoint responded with ${status}`, undefined, details)
  }

  const secret = client.secret?.reveal()
  const clientSecrets = secret === undefined ? [] : [secret, Buffer.from(`${client.id}:${secret}`).toString('base64')]

  return {
    async exchange(code, redirectUri, codeVerifier) {
      const params = { ...method.tokenParams, code, redirect_uri: redirectUri, code_verifier: codeVerifier }
      const { oauth2 } = await openClient()
      return requestGrant(method.tokenUrl, timeouts.exchangeMs, [...clientSecrets, code, codeVerifier], http =>
        oauth2.getToken(params, http)
      )
    },

    async refresh(refreshToken) {
      const { oauth2 } = await openClient()
      const sent = refreshToken.reveal()
      const token = oauth2.createToken({ refresh_token: sent })
      const url = method.refreshUrl ?? method.tokenUrl
      return requestGrant(url, timeouts.refreshMs, [...clientSecrets, sent], http => token.refresh({ ...method.refreshParams }, http))
    },

    revoke: createRevoke(openClient, method, lookupFor, timeouts.exchangeMs)
  }
}

const timedOut = (status?: number) => new TokenEndpointError('timeout', 'the token endpoint did not respond in time', undefined, { status })

import type { Grant } from '../core/connections/connection.ts'
import { hasCode } from '../core/errors.ts'
import type { TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import { readErrorDescription, readTokenError } from '../core/oauth/token-error.ts'
import { parseTokenResponse, rejectedError, TokenEndpointError } from '../core/oauth/token-response.ts'
import { parseTokenResponseBody } from '../core/oauth/token-response-body.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method, OAuthClient } from '../core/provider/provider.ts'
import { withTimeout } from '../core/util/timeout.ts'
import type { HttpOptions, OpenOAuth2Client, Token } from './client.ts'
import { createRevoke } from './revoke.ts'

/** How long a token endpoint may take to the end of its response, in milliseconds. */
export type TokenTimeouts = {
  /** Of a sign-in: a person waits for it, and can begin again. Of a revocation too. */
  readonly exchangeMs: number
  /** Of a refresh: what is given up may have been rotated. */
  readonly refreshMs: number
}

type Parts = {
  readonly openClient: OpenOAuth2Client
  readonly method: OAuth2Method
  readonly client: OAuthClient
  readonly lookupFor: LookupFor
  readonly times: TokenTimeouts
}

/** The parts that its errors have: Boom around what came from the server. */
type ClientError = {
  readonly output?: { readonly statusCode?: number }
  readonly data?: { readonly res?: Response; readonly payload?: unknown } | null
}
type Response = { readonly statusCode?: number; readonly headers?: { readonly 'retry-after'?: string } }

/** A provider's `@fastify/oauth2` instance as core sees it: lenient about how responses are written, and with no error that holds what was sent. */
export function createTokenEndpoint({ openClient, method, client, lookupFor, times }: Parts): TokenEndpoint {
  const { refusals } = method

  async function granted(url: string, ms: number, sent: readonly string[], call: (http: HttpOptions) => Promise<Token>): Promise<Grant> {
    const late = () => new TokenEndpointError('timeout', 'the token endpoint did not answer in time')
    // The client's own limit is a timer that does not see what has arrived while this process stood still. It ends what ours has left.
    const work = async () => call({ lookup: lookupFor(url), timeout: 2 * ms })
    const response = withTimeout(ms, work(), late).then(
      ({ token }) => token,
      error => responseIn(error, sent)
    )
    return parseTokenResponse(await response, { shape: method.tokenResponse, scopeSeparator: method.scopeSeparator, refusals, sent })
  }

  /**
   * Of a call that ended in an error of the client's. Where that could not parse a response as JSON, it holds it as it came; and it may be
   * a good one.
   * @throws {TokenEndpointError} for what is none, in words of ours.
   */
  function responseIn(error: ClientError, sent: readonly string[]): unknown {
    if (error instanceof TokenEndpointError) throw error
    const { output, data } = error
    // The lookup's own refusal: thrown before the call, or inside of what the socket ended with.
    if ([error, data].some(e => hasCode(e, 'provider_unavailable')))
      throw new TokenEndpointError('unavailable', 'the token endpoint’s name leads to an address that is not public')
    const { statusCode: status, headers } = data?.res ?? {}
    const document = Buffer.isBuffer(data?.payload) ? parseTokenResponseBody(data.payload) : data?.payload
    if (status !== undefined && status >= 400) throw refusal(status, document, headers?.['retry-after'], sent)
    if (document !== undefined && document !== null) return document
    if (output?.statusCode === 504 || output?.statusCode === 408)
      throw new TokenEndpointError('timeout', 'the token endpoint did not answer in time', undefined, { status })
    if (status === undefined && output?.statusCode === 502)
      throw new TokenEndpointError('unavailable', 'the token endpoint could not be reached, or broke off before it answered')
    throw new TokenEndpointError('invalid_response', 'the response of the token endpoint cannot be read', undefined, { status })
  }

  function refusal(status: number, document: unknown, retryAfter: string | undefined, sent: readonly string[]): TokenEndpointError {
    const found = readTokenError(document, status, { declared: refusals, sent })
    const fault = { status, retryAfter, code: found?.code, description: readErrorDescription(document, sent) }
    // Too many calls, or a fault of the server, is no refusal of what was sent, unless it says so in a word that can mean nothing else.
    if (found && (found.means || (status < 500 && status !== 429))) return rejectedError(status, found, fault)
    return new TokenEndpointError('unavailable', `the token endpoint answered ${status}`, undefined, fault)
  }

  const secret = client.secret.reveal()
  const ours = [secret, Buffer.from(`${client.id}:${secret}`).toString('base64')]

  return {
    async exchange(code, redirectUri, verifier) {
      const params = { ...method.tokenParams, code, redirect_uri: redirectUri, code_verifier: verifier }
      const { oauth2 } = await openClient()
      return granted(method.tokenUrl, times.exchangeMs, [...ours, code, verifier], http => oauth2.getToken(params, http))
    },

    async refresh(refreshToken) {
      const { oauth2 } = await openClient()
      const sent = refreshToken.reveal()
      const old = oauth2.createToken({ refresh_token: sent })
      const url = method.refreshUrl ?? method.tokenUrl
      return granted(url, times.refreshMs, [...ours, sent], http => old.refresh({ ...method.refreshParams }, http))
    },

    revoke: createRevoke(openClient, method, lookupFor, times.exchangeMs)
  }
}

import { type Connection, isBackingOff, isDueForRenewal, isExpired, needsNoRenewal } from '../connections/connection.ts'
import { definitionOf } from '../connections/connection-definition.ts'
import { GatewayError, hasCode } from '../errors.ts'
import { buildRequestHeaders } from '../guards/request-headers.ts'
import type { Renew } from '../oauth/renewal.ts'
import type { Provider } from '../provider/definition.ts'
import { apiBase, withBase } from './api-base.ts'
import { applyCredential, credentialHeaderNames } from './credential.ts'
import type { ForwardResult, ProxiedRequest } from './proxied-request.ts'
import { followRedirects, mayFollowRedirects } from './redirects.ts'
import { isRefusal } from './refusals.ts'
import { createUnauthorizedCheck, type UnauthorizedCheckDependencies } from './unauthorized-check.ts'
import { createUnauthorizedMemo, isUnauthorized, requestKey } from './unauthorized-memo.ts'
import { isStreamed, type UpstreamRequest } from './upstream.ts'

const defaultTimeoutMs = 30_000
const defaultReadTimeoutMs = 5 * 60_000
/** How long a request waits for a renewal while its token is still valid. */
const maxRenewAheadMs = 1_000
/** Errors of a renewal after which the connection is still good. */
const transientErrors = ['provider_unavailable', 'provider_timeout', 'client_rejected', 'store_unavailable'] as const

/**
 * Sends a request with the connection's credential. On a 401, or a refusal that the definition declares, it renews the token and sends once more;
 * the second response is final.
 * The first response is final where no renewal is possible or none would help.
 */
export function createForward(
  dependencies: UnauthorizedCheckDependencies & { readonly renew: Renew }
): (request: ProxiedRequest) => Promise<ForwardResult> {
  const { send, renew, clock } = dependencies
  const memo = createUnauthorizedMemo(clock)
  const check = createUnauthorizedCheck(dependencies, memo)

  return async function forward(request) {
    const renewedAhead = isDueForRenewal(request.connection, clock.now()) ? await renewAhead(request) : undefined
    if (renewedAhead) return sendFinal(request, renewedAhead)

    const { connection } = request
    // An expired token without a refresh token goes on to its 401 and to `renew`, which ends the connection.
    if (needsNoRenewal(connection, clock.now())) return sendUnrenewable(request)
    if (isKnownUnauthorized(request, connection)) return sendFinal(request, connection)

    const first = await sendWith(request, connection)
    if (!first.isRefused) return withRedirects(request, first)
    first.response.discard()
    const { value: renewed } = await renew(request.key, connection)
    if (isStreamed(request.body)) throw retryRequest(request.provider)

    const second = await sendWith(request, renewed)
    if (second.isRefused) memo.recordFutileRenewal(request.key)
    return finish(request, second)
  }

  /** For a credential that cannot be renewed: a 401 is final, and a reason to check whether the connection has ended. */
  async function sendUnrenewable(request: ProxiedRequest): Promise<ForwardResult> {
    const connection = await check.settle(request)
    if (isKnownUnauthorized(request, connection)) return sendFinal(request, connection)
    const result = await sendWith(request, connection)
    if (result.isRefused) check.onUnauthorized(request, connection)
    else if (connection.firstUnauthorized !== undefined && result.response.status < 400) check.onSuccess(request, connection)
    return withRedirects(request, result)
  }

  /** For a response that is final, whatever its status. */
  async function sendFinal(request: ProxiedRequest, connection: Connection): Promise<ForwardResult> {
    return finish(request, await sendWith(request, connection))
  }

  async function sendWith(request: ProxiedRequest, connection: Connection): Promise<ForwardResult> {
    const provider = withBase(definitionOf(request.provider, connection), request.base)
    const sent = upstreamRequest(request, provider, connection)
    const response = await send(sent)
    const { refusals } = provider.api
    const isRefused = isUnauthorized(response) || (refusals !== undefined && (await isRefusal(refusals, request.method, response)))
    return { sent, provider, connection, response, isRefused }
  }

  function finish(request: ProxiedRequest, result: ForwardResult): ForwardResult | Promise<ForwardResult> {
    memo.record(requestKey(request), result.connection.credential, result.isRefused)
    return withRedirects(request, result)
  }

  function withRedirects(request: ProxiedRequest, result: ForwardResult): ForwardResult | Promise<ForwardResult> {
    return mayFollowRedirects(request) ? followRedirects(send, request, result) : result
  }

  function isKnownUnauthorized(request: ProxiedRequest, { credential }: Connection): boolean {
    return memo.has(request.key, requestKey(request), credential)
  }

  /**
   * Renews before expiry. `undefined` when that fails for now, or takes too long, and the present token is still valid.
   * @throws {GatewayError} as `Renew` does, when the token has expired or the error is not transient
   */
  async function renewAhead({ key, connection }: ProxiedRequest): Promise<Connection | undefined> {
    const isValid = () => !isExpired(connection, clock.now())
    if (isValid()) {
      if (isBackingOff(connection, clock.now())) return undefined
      try {
        return (await renew(key, connection, maxRenewAheadMs)).value
      } catch (error) {
        if (!transientErrors.some(code => hasCode(error, code))) throw error
        if (isValid()) return undefined
      }
    }
    return (await renew(key, connection)).value
  }
}

function upstreamRequest(request: ProxiedRequest, provider: Provider, connection: Connection): UpstreamRequest {
  const { path, headers } = applyCredential(provider, connection, request.target)
  return {
    provider: provider.name,
    origin: apiBase(provider).origin,
    method: request.method,
    path,
    headers: buildRequestHeaders(request.rawHeaders, headers, credentialHeaderNames(provider, connection), request),
    body: request.body,
    bodyLength: request.bodyLength,
    timeoutMs: provider.api.timeoutMs ?? defaultTimeoutMs,
    readTimeoutMs: provider.api.idleTimeoutMs?.download ?? defaultReadTimeoutMs,
    signal: request.signal
  }
}

const retryRequest = ({ name }: Provider) =>
  new GatewayError('retry_request', 'The token was renewed, but the body is too large to be sent a second time. Send the request again.', {
    provider: name,
    retryAfter: 0
  })

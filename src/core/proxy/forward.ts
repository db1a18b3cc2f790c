import { type Connection, isBackingOff, isDueForRenewal, isExpired } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import { GatewayError, hasCode } from '../errors.ts'
import { buildRequestHeaders } from '../guards/request-headers.ts'
import type { Renew } from '../oauth/renewal.ts'
import type { HttpMethod, Provider } from '../provider/definition.ts'
import { apiBase } from './api-base.ts'
import { applyCredential, credentialHeaderNames } from './credential.ts'
import { followRedirects, mayFollowRedirects } from './redirects.ts'
import { createUnauthorizedCheck, type UnauthorizedCheckDependencies } from './unauthorized-check.ts'
import { connectionOf, createUnauthorizedMemo, isUnauthorized, requestKey } from './unauthorized-memo.ts'
import { type AbortSignalLike, isStreamed, type RequestBody, type UpstreamRequest, type UpstreamResponse } from './upstream.ts'

export type ProxiedRequest = {
  readonly owner: string
  readonly connection: Connection
  readonly provider: Provider
  readonly method: HttpMethod
  /** Guarded path and query below the API's base; neither for the base itself. */
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly body: RequestBody
  readonly bodyLength: number | undefined
  readonly signal: AbortSignalLike
}

/** The provider's response to a request, with the connection whose credential the request carried. */
export type Exchanged = { readonly request: UpstreamRequest; readonly connection: Connection; readonly response: UpstreamResponse }

const defaultTimeoutMs = 30_000
const defaultReadTimeoutMs = 5 * 60_000
/** How long a call whose token is still good waits for its renewal. */
const aheadMs = 1_000
/** Of a renewal: no word against the connection. */
const mayPass = ['provider_unavailable', 'provider_timeout', 'client_rejected', 'store_unavailable'] as const

/** Send; on a 401 renew and send once more. The second response is final. So is the first, where nothing can be renewed. */
export function createForward(
  dependencies: UnauthorizedCheckDependencies & { readonly renew: Renew }
): (call: ProxiedRequest) => Promise<Exchanged> {
  const { send, renew, clock } = dependencies
  const memo = createUnauthorizedMemo(clock)
  const check = createUnauthorizedCheck(dependencies, memo)

  return async function forward(call) {
    const renewedAhead = isDueForRenewal(call.connection, clock.now()) ? await renewAhead(call) : undefined
    if (renewedAhead) return lastAttempt(call, renewedAhead)

    const { connection } = call
    // Past its known expiry a 401 is expected: then a renewal finds out whether the connection is over.
    if (connection.refreshToken === undefined && !isExpired(connection, clock.now())) return onlyAttempt(call)
    if (isKnownUnauthorized(call, connection)) return lastAttempt(call, connection)

    const first = await attempt(call, connection)
    if (!isUnauthorized(first.response)) return redirected(call, first)
    first.response.discard()
    const { value: renewed } = await renew(new ConnectionKey(call.owner, connection.provider), connection)
    if (isStreamed(call.body)) throw retryRequest(call.provider)

    const second = await attempt(call, renewed)
    if (isUnauthorized(second.response)) memo.recordFutileRenewal(connectionOf(call))
    return noted(call, second)
  }

  /** For a credential that nothing can renew. A 401 is the final response, and a reason to find out whether the connection is over. */
  async function onlyAttempt(call: ProxiedRequest): Promise<Exchanged> {
    const connection = await check.settled(call)
    if (isKnownUnauthorized(call, connection)) return lastAttempt(call, connection)
    const exchanged = await attempt(call, connection)
    const { response } = exchanged
    if (isUnauthorized(response)) check.refused(call, connection)
    else if (connection.firstUnauthorized !== undefined && response.status < 400) check.served(call, connection)
    return redirected(call, exchanged)
  }

  async function lastAttempt(call: ProxiedRequest, connection: Connection): Promise<Exchanged> {
    return noted(call, await attempt(call, connection))
  }

  async function attempt(call: ProxiedRequest, connection: Connection): Promise<Exchanged> {
    const request = requestOf(call, connection)
    return { request, connection, response: await send(request) }
  }

  function noted(call: ProxiedRequest, exchanged: Exchanged): Exchanged | Promise<Exchanged> {
    memo.note(requestKey(call), exchanged.connection.credential, isUnauthorized(exchanged.response))
    return redirected(call, exchanged)
  }

  function redirected(call: ProxiedRequest, exchanged: Exchanged): Exchanged | Promise<Exchanged> {
    return mayFollowRedirects(call) ? followRedirects(send, call, exchanged) : exchanged
  }

  function isKnownUnauthorized(call: ProxiedRequest, { credential }: Connection): boolean {
    return memo.has(connectionOf(call), requestKey(call), credential)
  }

  /** A renewal ahead of expiry may fail for a while, with the provider or the store, or take long; the call goes on with what still works. */
  async function renewAhead({ owner, connection }: ProxiedRequest): Promise<Connection | undefined> {
    const isGood = () => !isExpired(connection, clock.now())
    if (isGood()) {
      if (isBackingOff(connection, clock.now())) return undefined
      try {
        return (await renew(new ConnectionKey(owner, connection.provider), connection, aheadMs)).value
      } catch (error) {
        if (!mayPass.some(code => hasCode(error, code))) throw error
        if (isGood()) return undefined
      }
    }
    return (await renew(new ConnectionKey(owner, connection.provider), connection)).value
  }
}

function requestOf(call: ProxiedRequest, connection: Connection): UpstreamRequest {
  const { provider } = call
  const { path, headers } = applyCredential(provider, connection, call.target)
  return {
    provider: provider.name,
    origin: apiBase(provider).origin,
    method: call.method,
    path,
    headers: buildRequestHeaders(call.rawHeaders, headers, credentialHeaderNames(provider, connection), call),
    body: call.body,
    bodyLength: call.bodyLength,
    timeoutMs: provider.api.timeoutMs ?? defaultTimeoutMs,
    readTimeoutMs: provider.api.idleTimeoutMs?.download ?? defaultReadTimeoutMs,
    signal: call.signal
  }
}

const retryRequest = ({ name }: Provider) =>
  new GatewayError(
    'retry_request',
    'The access was renewed, but the body was too large to be kept for a second try. Send the request again.',
    { provider: name, retryAfter: 0 }
  )

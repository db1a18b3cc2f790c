import type { Writable } from 'node:stream'
import { type Connection, isBackingOff, isDueForRenewal, isExpired } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import { GatewayError, hasCode } from '../errors.ts'
import { buildRequestHeaders } from '../guards/request-headers.ts'
import type { Renew } from '../oauth/renewal.ts'
import type { HttpMethod, Provider } from '../provider/definition.ts'
import { apiBase } from './api-base.ts'
import { applyCredential, credentialHeaderNames } from './credential.ts'
import { mayFollowRedirects, sendFollowingRedirects } from './redirects.ts'
import { createUnauthorizedCheck, type UnauthorizedCheckDependencies } from './unauthorized-check.ts'
import { connectionOf, createUnauthorizedMemo, isUnauthorized, requestKey } from './unauthorized-memo.ts'

/**
 * Nothing, pieces that are kept and can be sent again, or a stream that can be sent once. Pieces stay as they came: to make one of them
 * costs more than all else that is done for a call of 64 KiB.
 */
export type RequestBody = undefined | readonly Buffer[] | StreamedBody

export type StreamedBody = AsyncIterable<Uint8Array> & {
  /** Whether the client is waited for: all that has come of it is taken. */
  readonly isWaitingForClient: boolean
  /** Nobody takes any more of it. What still comes is read and thrown away, so that its client reads the response. */
  release(): void
}

export const isStreamed = (body: RequestBody): body is StreamedBody => body !== undefined && !Array.isArray(body)

export type UpstreamRequest = {
  /** Its name: providers that share an origin are kept apart. */
  readonly provider: string
  readonly origin: string
  readonly method: HttpMethod
  /** Path and query, raw. */
  readonly path: string
  /** Name, value, name, value. */
  readonly headers: string[]
  readonly body: RequestBody
  /** Bytes of a streamed body, when the client has said. */
  readonly bodyLength: number | undefined
  /** Longest wait for the answer's head, and longest silence inside its body, in which the provider is waited for. */
  readonly timeoutMs: number
  /** Longest time in which the client may read nothing of the answer; `timeoutMs` when left out. */
  readonly readTimeoutMs?: number
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignalLike
}

/** Of an AbortSignal, which is one, the three parts that are needed. */
export type AbortSignalLike = {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

export type ResponseHead = { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>> }

/** RFC-less but universal: server-sent events may be silent for as long as they like. */
export const isEventStream = ({ 'content-type': type }: ResponseHead['headers']): boolean =>
  type !== undefined && /^text\/event-stream\b/i.test(String(type))

/** Where an answer goes. One that can tell its head from its body is told when the body keeps its client waiting. */
export type ResponseSink = Writable & { flushHeaders?(): void }

/** Where the body of an answer goes; `undefined` to have it dropped. */
export type OnResponse = (head: ResponseHead) => ResponseSink | undefined

/** `cut`: the answer had begun and could not be ended, on either side; the writable was destroyed, so that nobody takes it for whole. */
export type SendOutcome = 'streamed' | 'dropped' | 'cut'

/**
 * Sends one request and streams its answer with backpressure to where `take` says.
 * @returns when the answer has ended, or as soon as `take` did not want it
 * @throws {GatewayError} `provider_unavailable` or `provider_timeout`, only while `take` has not been asked
 */
export type Send = (request: UpstreamRequest, take: OnResponse) => Promise<SendOutcome>

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
  /** Called once, with the answer that the client gets. */
  readonly onResponse: (head: ResponseHead, sent: { readonly path: string; readonly connection: Connection }) => ResponseSink
}

const defaultTimeoutMs = 30_000
const defaultReadTimeoutMs = 5 * 60_000
/** How long a call whose token is still good waits for its renewal. */
const aheadMs = 1_000
/** Of a renewal: no word against the connection. */
const mayPass = ['provider_unavailable', 'provider_timeout', 'client_rejected', 'store_unavailable'] as const

/** Send; on a refusal renew; send once more. The second answer stands, whatever it is. So does the first, where nothing can be renewed. */
export function createForward(
  parts: UnauthorizedCheckDependencies & { readonly renew: Renew }
): (call: ProxiedRequest) => Promise<SendOutcome> {
  const { send, renew, clock } = parts
  const refusals = createUnauthorizedMemo(clock)
  const doubts = createUnauthorizedCheck(parts, refusals)

  return async function forward(call) {
    const ahead = isDueForRenewal(call.connection, clock.now()) ? await renewAhead(call) : undefined
    if (ahead) return lastAttempt(call, ahead)

    const { connection } = call
    // Past the end that the provider has told, its refusal is no surprise: then a renewal says what becomes of it.
    if (connection.refreshToken === undefined && !isExpired(connection, clock.now())) return onlyAttempt(call)
    if (!refusals.isEmpty() && refusals.has(connectionOf(call), requestKey(call), connection.credential))
      return lastAttempt(call, connection)
    const outcome = await attempt(call, connection, head => (isUnauthorized(head) ? undefined : call.onResponse))
    if (outcome !== 'dropped') return outcome

    const { value } = await renew(new ConnectionKey(call.owner, connection.provider), connection)
    if (isStreamed(call.body)) {
      throw new GatewayError(
        'retry_request',
        'The access was renewed, but the body was too large to be kept for a second try. Send the request again.',
        { provider: call.provider.name, retryAfter: 0 }
      )
    }
    return lastAttempt(call, value, isRefused => {
      if (isRefused) refusals.recordFutileRenewal(connectionOf(call))
    })
  }

  /** Of what nothing can renew. A refusal is the provider's answer, and a reason to find out whether the connection is over. */
  async function onlyAttempt(call: ProxiedRequest): Promise<SendOutcome> {
    const connection = doubts.isEmpty() ? call.connection : await doubts.settled(call)
    if (!refusals.isEmpty() && refusals.has(connectionOf(call), requestKey(call), connection.credential))
      return lastAttempt(call, connection)
    return attempt(call, connection, head => {
      if (isUnauthorized(head)) doubts.refused(call, connection)
      else if (connection.firstUnauthorized !== undefined && head.status < 400) doubts.served(call, connection)
      return call.onResponse
    })
  }

  function lastAttempt(call: ProxiedRequest, connection: Connection, told: (isRefused: boolean) => void = () => {}): Promise<SendOutcome> {
    return attempt(call, connection, head => {
      const isRefused = isUnauthorized(head)
      told(isRefused)
      refusals.note(requestKey(call), connection.credential, isRefused)
      return call.onResponse
    })
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

  /** @param choose the client's answer, or `undefined` to have it dropped */
  function attempt(
    call: ProxiedRequest,
    connection: Connection,
    choose: (head: ResponseHead) => ProxiedRequest['onResponse'] | undefined
  ): Promise<SendOutcome> {
    const { provider } = call
    const { path, headers } = applyCredential(provider, connection, call.target)
    const request = {
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
    if (mayFollowRedirects(call)) return sendFollowingRedirects(send, { call, connection }, request, choose)
    return send(request, head => choose(head)?.(head, { path, connection }))
  }
}

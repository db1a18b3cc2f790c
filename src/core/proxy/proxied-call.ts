import { definitionOf } from '../connections/connection-definition.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import { connectionRequired, connectionUnknown, reconnectRequired } from '../connections/errors.ts'
import type { Events } from '../events.ts'
import { buildRequestHeaders } from '../guards/request-headers.ts'
import type { Clock } from '../ports.ts'
import type { HttpMethod, Provider } from '../provider/definition.ts'
import { retryAtMs } from '../util/retry-after.ts'
import type { StoredConnection } from '../vault/owned-connections.ts'
import type { Vault } from '../vault/vault.ts'
import type { ConcurrencyLimits } from './concurrency-limits.ts'
import { assertNotRateLimited, recordRateLimit } from './provider-rate-limit.ts'
import type { ForwardResult, ProxiedRequest } from './proxied-request.ts'
import {
  type AbortSignalLike,
  isEventStream,
  isStreamed,
  type RequestBody,
  type ResponseHead,
  type StreamedBody,
  type UpstreamResponse
} from './upstream.ts'

/** The body of a call, and its length if that is known. */
export type ReadBody = { readonly body: RequestBody; readonly bodyLength: number | undefined }

/** A call that is allowed, with the connection that it uses. */
export type ProxiedCall = {
  readonly definition: Provider
  /** Another base of the API, which the definition has. */
  readonly base: string | undefined
  readonly method: HttpMethod
  /** Guarded path and query below the API's base. */
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly hasBody: boolean
  readonly stored: StoredConnection
  readonly signal: AbortSignalLike
  /** @throws {GatewayError} `body_too_large` */
  readBody(maxBytes: number): ReadBody | Promise<ReadBody>
  /** The caller's network (see `clientNetwork`), which may not take all places for what lasts. */
  network(): string
}

type Dependencies = {
  readonly forward: (request: ProxiedRequest) => Promise<ForwardResult>
  readonly concurrencyLimits: ConcurrencyLimits
  readonly vault: Vault
  readonly clock: Clock
  readonly events: Events
}

const defaultMaxBodyBytes = 32 * 1024 * 1024

/**
 * Sends calls to providers, within the limits of what may be in flight.
 * @returns a function that resolves when `respond` has, which pipes or discards the body of the response
 */
export function createProxiedCalls({ forward, concurrencyLimits, vault, clock, events }: Dependencies) {
  return async function send(call: ProxiedCall, respond: (result: ForwardResult) => Promise<unknown>): Promise<void> {
    const { definition, base, method, target, rawHeaders, stored, signal } = call
    const { key, value: connection } = stored
    const slot = concurrencyLimits.acquire(key.owner, definition)
    let upload: StreamedBody | undefined
    let response: UpstreamResponse | undefined
    try {
      // Refuses bad headers before the body arrives.
      if (call.hasBody) buildRequestHeaders(rawHeaders, {}, [], { method, provider: definition })
      const read = call.readBody(definition.api.maxBodyBytes ?? defaultMaxBodyBytes)
      const { body, bodyLength } = read instanceof Promise ? await read : read
      if (isStreamed(body)) {
        upload = body
        slot.convertTo('upload', call.network())
      }
      const result = await forward({ key, connection, provider: definition, base, method, target, rawHeaders, body, bodyLength, signal })
      response = result.response
      if (isEventStream(response.headers)) slot.convertTo('eventStream', call.network())
      noteRateLimit(key, definition, response)
      await respond(result)
    } catch (error) {
      response?.discard()
      throw error
    } finally {
      slot.release()
      // The rest of the body is read and discarded, so that the client reads its response.
      upload?.release()
    }
  }

  /** The caller gets the 429 itself; further requests of the connection are refused here until the pause is over. */
  function noteRateLimit(key: ConnectionKey, { name, api }: Provider, { status, headers }: ResponseHead): void {
    const untilMs = status === 429 && api.rateLimit ? retryAtMs(api.rateLimit, headers, clock.now()) : undefined
    if (untilMs === undefined) return
    recordRateLimit(vault, key, untilMs).catch(error => events.publish('rate-limit.unsaved', { provider: name, code: error.code }))
  }
}

/**
 * The connection of a call, if it can be used now.
 * @param definition as it is for any connection
 * @param id the account that the call names
 * @throws {GatewayError} `connection_required`, `connection_unknown`, `reconnect_required`, `rate_limited`
 */
export function usableConnection(
  stored: StoredConnection | undefined,
  definition: Provider,
  id: string | undefined,
  clock: Clock
): StoredConnection {
  const { name } = definition
  if (!stored) throw id === undefined ? connectionRequired(name) : connectionUnknown(name)
  if (stored.value.status === 'reconnect_required') throw reconnectRequired(name)
  // Before the body arrives: a connection may lack what the definition needs by now.
  definitionOf(definition, stored.value)
  assertNotRateLimited(stored.value, clock)
  return stored
}

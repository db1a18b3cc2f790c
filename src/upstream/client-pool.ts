import type { LookupFunction, Socket } from 'node:net'
import { deferWriteErrors } from './deferred-write-errors.ts'
import { forwardContinue } from './interim-responses.ts'
import { buildConnector, Client } from './undici.ts'

const connectTimeoutMs = 5_000
/** Names and values of a response. Some vendors' gateways send more than the 16 KiB that Node accepts by default. */
const maxHeaderBytes = 64 * 1024
/** How long an observed idle timeout counts: the provider's load balancer may just have been restarted. */
const idleTimeoutMaxAgeMs = 5 * 60_000

/** An undici Client, which has one connection at a time and reconnects by itself. */
export class PooledClient {
  readonly client: Client
  /** Whether this connection has carried a complete response. If so, its server may have closed it in the meantime. */
  hasServed = false
  idleSinceMs = 0
  #socket: Socket | undefined
  #defersWriteErrors = false

  constructor(origin: string, connect: ReturnType<typeof buildConnector>) {
    // Exchange has timeouts of its own: undici's do not count the wait for a connection and cannot exempt event streams.
    this.client = new Client(origin, {
      connect: (options, callback) =>
        connect(options, (error, socket) => {
          if (!socket) return callback(error ?? new Error('no socket'), null)
          this.hasServed = false
          this.#socket = socket
          if (this.#defersWriteErrors) deferWriteErrors(socket)
          callback(null, socket)
          forwardContinue(socket)
        }),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: maxHeaderBytes,
      allowH2: false
    })
  }

  /** For a body of several chunks: the response may arrive before the last one is written. */
  deferWriteErrors(): void {
    if (this.#defersWriteErrors) return
    this.#defersWriteErrors = true
    if (this.#socket && !this.#socket.destroyed) deferWriteErrors(this.#socket)
  }
}

/**
 * The connections to one origin, each with one request at a time. LIFO: the last one used is the likeliest to be open still, and undici
 * closes those that are idle for some seconds.
 *
 * undici's own Pool searches its connections linearly, twice a request: with 48 in flight that was a tenth of all that a small request
 * costs, and it grows with their number.
 */
export class ClientPool {
  readonly #origin: string
  readonly #connect: ReturnType<typeof buildConnector>
  readonly #all = new Set<PooledClient>()
  readonly #idle: PooledClient[] = []
  /** The shortest idle time after which the server has recently closed a connection. */
  #idleTimeoutMs = Number.POSITIVE_INFINITY
  #idleTimeoutExpiresMs = 0

  constructor(origin: string, lookup: LookupFunction) {
    this.#origin = origin
    // One connector for all connections: it caches the TLS sessions that later ones resume.
    this.#connect = buildConnector({ timeout: connectTimeoutMs, lookup, allowH2: false })
  }

  /**
   * A client for one request; the caller releases or discards it.
   * @param isRetryable whether the request can be sent again. If not, it gets no connection that the server is about to close.
   */
  acquire(isRetryable: boolean): PooledClient {
    const next = this.#idle.pop()
    if (!next) return this.open()
    if (isRetryable || performance.now() - next.idleSinceMs < this.#safeIdleMs()) return next
    this.#idle.push(next)
    return this.open()
  }

  /** A client with a new connection. */
  open(): PooledClient {
    const pooled = new PooledClient(this.#origin, this.#connect)
    this.#all.add(pooled)
    pooled.client.on('disconnect', (_origin, _targets, error: { code?: string }) => {
      const at = this.#idle.lastIndexOf(pooled)
      // One that has been acquired in the meantime reconnects for its request.
      if (at === -1) return
      this.#idle.splice(at, 1)
      this.#all.delete(pooled)
      // UND_ERR_INFO: closed on this side, by undici's own idle limit or after a response with `Connection: close`.
      if (error.code !== 'UND_ERR_INFO') this.#recordIdleTimeout(performance.now() - pooled.idleSinceMs)
    })
    return pooled
  }

  /** After a complete request and response: the connection can be reused at once. */
  release(pooled: PooledClient): void {
    pooled.hasServed = true
    pooled.idleSinceMs = performance.now()
    this.#idle.push(pooled)
  }

  /** After any other end: closes the connection. */
  discard(pooled: PooledClient): void {
    this.#all.delete(pooled)
    pooled.client.destroy().catch(() => {})
  }

  /** Whether no request is in flight. */
  get isIdle(): boolean {
    return this.#idle.length === this.#all.size
  }

  /** Closes all connections and aborts requests in flight. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map(({ client }) => client.destroy()))
  }

  #recordIdleTimeout(idleMs: number): void {
    const nowMs = performance.now()
    this.#idleTimeoutMs = nowMs < this.#idleTimeoutExpiresMs ? Math.min(this.#idleTimeoutMs, idleMs) : idleMs
    this.#idleTimeoutExpiresMs = nowMs + idleTimeoutMaxAgeMs
  }

  /** Three quarters of the observed timeout: a FIN may be on its way. */
  #safeIdleMs(): number {
    return performance.now() < this.#idleTimeoutExpiresMs ? this.#idleTimeoutMs * 0.75 : Number.POSITIVE_INFINITY
  }
}

import type { LookupFunction, Socket } from 'node:net'
import { deferWriteErrors } from './deferred-write-errors.ts'
import { forwardContinue } from './interim-responses.ts'
import { buildConnector, Client } from './undici.ts'

const connectTimeoutMs = 5_000
/** Of a response, names and values: some gateways of vendors send more than the 16 KiB that Node takes from clients. */
const headerBytes = 64 * 1024
/** How long it counts that a provider has ended connections that were idle: its balancer may have been restarted just then. */
const rememberMs = 5 * 60_000

/** One connection, and the next one when that has ended: undici's Client connects by itself. */
export class PooledClient {
  readonly client: Client
  /** Whether it has carried a whole response since it was opened: one that has may have been ended by its server since. */
  hasServed = false
  idleSinceMs = 0
  #socket: Socket | undefined
  #holdsWriteErrors = false

  constructor(origin: string, connect: ReturnType<typeof buildConnector>) {
    // Time limits are ours (see Exchange): undici's do not count the wait for a connection and cannot tell an event stream.
    this.client = new Client(origin, {
      connect: (options, callback) =>
        connect(options, (error, socket) => {
          if (!socket) return callback(error ?? new Error('no socket'), null)
          this.hasServed = false
          this.#socket = socket
          if (this.#holdsWriteErrors) deferWriteErrors(socket)
          callback(null, socket)
          forwardContinue(socket)
        }),
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: headerBytes,
      allowH2: false
    })
  }

  /** For a request that is written in several pieces, of which a response need not wait for the last. */
  deferWriteErrors(): void {
    if (this.#holdsWriteErrors) return
    this.#holdsWriteErrors = true
    if (this.#socket && !this.#socket.destroyed) deferWriteErrors(this.#socket)
  }
}

/**
 * The connections to one origin, each of which carries one call at a time. The one that was used last is the next: it is the likeliest
 * to be open still, and those that are not needed end, as undici ends what has been idle for some seconds.
 *
 * undici's own Pool looks through its connections one after the other, twice a call: with 48 under way that was a tenth of all a small
 * call costs, and with each further one it is more.
 */
export class ClientPool {
  readonly #origin: string
  readonly #connect: ReturnType<typeof buildConnector>
  readonly #all = new Set<PooledClient>()
  readonly #idle: PooledClient[] = []
  /** The shortest time after which the server has ended an idle connection of late. */
  #endsIdleAfterMs = Number.POSITIVE_INFINITY
  #untilMs = 0

  constructor(origin: string, lookup: LookupFunction) {
    this.#origin = origin
    // One for all: it keeps the TLS sessions that further connections resume.
    this.#connect = buildConnector({ timeout: connectTimeoutMs, lookup, allowH2: false })
  }

  /**
   * One for a single call. It connects by itself; from then on it is the caller's to give back, or to drop.
   * @param isRepeatable whether the call may be sent again. One that may not gets no connection that its server is about to end.
   */
  acquire(isRepeatable: boolean): PooledClient {
    const next = this.#idle.pop()
    if (!next) return this.open()
    if (isRepeatable || performance.now() - next.idleSinceMs < this.#trustedMs()) return next
    this.#idle.push(next)
    return this.open()
  }

  /** One that has carried nothing yet. */
  open(): PooledClient {
    const connection = new PooledClient(this.#origin, this.#connect)
    this.#all.add(connection)
    connection.client.on('disconnect', (_origin, _targets, error: { code?: string }) => {
      const at = this.#idle.lastIndexOf(connection)
      // One that has been given a call in the meantime connects anew for it.
      if (at === -1) return
      this.#idle.splice(at, 1)
      this.#all.delete(connection)
      // Not what ended it here: undici's own limit, or a response that said so.
      if (error.code !== 'UND_ERR_INFO') this.#noteEnd(performance.now() - connection.idleSinceMs)
    })
    return connection
  }

  /** After a call that has ended as it should. Its next call may be given to it at once. */
  release(connection: PooledClient): void {
    connection.hasServed = true
    connection.idleSinceMs = performance.now()
    this.#idle.push(connection)
  }

  /** After a call that has not. */
  discard(connection: PooledClient): void {
    this.#all.delete(connection)
    connection.client.destroy().catch(() => {})
  }

  /** Whether no call is under way on any. */
  get areIdle(): boolean {
    return this.#idle.length === this.#all.size
  }

  /** Ends all of them, calls under way too. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map(({ client }) => client.destroy()))
  }

  #noteEnd(idleMs: number): void {
    const nowMs = performance.now()
    this.#endsIdleAfterMs = nowMs < this.#untilMs ? Math.min(this.#endsIdleAfterMs, idleMs) : idleMs
    this.#untilMs = nowMs + rememberMs
  }

  /** Three quarters of that time: the end may be on its way. */
  #trustedMs(): number {
    return performance.now() < this.#untilMs ? this.#endsIdleAfterMs * 0.75 : Number.POSITIVE_INFINITY
  }
}

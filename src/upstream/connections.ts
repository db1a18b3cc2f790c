import type { LookupFunction } from 'node:net'
import { buildConnector, Client } from './undici.ts'

const connectTimeoutMs = 5_000

/**
 * The connections to one origin, each of which carries one call at a time. The one that was used last is the next: it is the likeliest
 * to be open still, and those that are not needed end, as undici ends what has been idle for some seconds.
 *
 * undici's own Pool looks through its connections one after the other, twice a call: with 48 under way that was a tenth of all a small
 * call costs, and with each further one it is more.
 */
export class Connections {
  readonly #origin: string
  readonly #connect: ReturnType<typeof buildConnector>
  readonly #all = new Set<Client>()
  readonly #idle: Client[] = []

  constructor(origin: string, lookup: LookupFunction) {
    this.#origin = origin
    // One for all: it keeps the TLS sessions that further connections resume.
    this.#connect = buildConnector({ timeout: connectTimeoutMs, lookup, allowH2: false })
  }

  /** One for a single call. It connects by itself; from then on it is the caller's to give back, or to drop. */
  take(): Client {
    return this.#idle.pop() ?? this.#open()
  }

  /** After a call that has ended as it should. Its next call may be given to it at once. */
  giveBack(client: Client): void {
    this.#idle.push(client)
  }

  /** After a call that has not. */
  drop(client: Client): void {
    this.#all.delete(client)
    client.destroy().catch(() => {})
  }

  /** Ends all of them, calls under way too. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map(client => client.destroy()))
  }

  #open(): Client {
    // Time limits are ours (see Exchange): undici's do not count the wait for a connection and cannot tell an event stream.
    const client = new Client(this.#origin, { connect: this.#connect, headersTimeout: 0, bodyTimeout: 0, allowH2: false })
    this.#all.add(client)
    client.on('disconnect', () => {
      const at = this.#idle.lastIndexOf(client)
      // One that has been given a call in the meantime connects anew for it.
      if (at === -1) return
      this.#idle.splice(at, 1)
      this.#all.delete(client)
    })
    return client
  }
}

import type { Connection } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import type { Versioned } from './records.ts'

/** A connection with where it is stored. */
export type StoredConnection = Versioned<Connection> & { readonly key: ConnectionKey }

/** All connections of one owner: at each provider the default account's first, then by the time they were made. */
export class OwnedConnections implements Iterable<StoredConnection> {
  readonly #byProvider = new Map<string, StoredConnection[]>()

  /** @param defaultSlots by provider; the first slot where left out */
  constructor(connections: Iterable<StoredConnection>, defaultSlots: ReadonlyMap<string, string> = new Map()) {
    for (const connection of connections) {
      const { provider } = connection.key
      const ofProvider = this.#byProvider.get(provider)
      if (ofProvider) ofProvider.push(connection)
      else this.#byProvider.set(provider, [connection])
    }
    for (const [provider, ofProvider] of this.#byProvider) {
      const slot = defaultSlots.get(provider) ?? ''
      ofProvider.sort((a, b) => Number(b.key.slot === slot) - Number(a.key.slot === slot) || a.value.connectedAtMs - b.value.connectedAtMs)
    }
  }

  get size(): number {
    return [...this.#byProvider.values()].reduce((size, ofProvider) => size + ofProvider.length, 0)
  }

  /** @param id of the connection; the default account's if left out */
  get(provider: string, id?: string): StoredConnection | undefined {
    const ofProvider = this.of(provider)
    return id === undefined ? ofProvider[0] : ofProvider.find(({ value }) => value.id === id)
  }

  /** The default account's first. */
  of(provider: string): readonly StoredConnection[] {
    return this.#byProvider.get(provider) ?? []
  }

  /** Names of the providers with a connection. */
  providers(): string[] {
    return [...this.#byProvider.keys()]
  }

  without(provider: string): OwnedConnections {
    return this.filter(({ key }) => key.provider !== provider)
  }

  filter(isKept: (connection: StoredConnection) => boolean): OwnedConnections {
    const slots = [...this.#byProvider].map(([provider, [first]]) => [provider, first?.key.slot ?? ''] as const)
    return new OwnedConnections([...this].filter(isKept), new Map(slots))
  }

  *[Symbol.iterator](): Generator<StoredConnection> {
    for (const ofProvider of this.#byProvider.values()) yield* ofProvider
  }
}

type BoundedMapOptions = {
  /** A further entry evicts the oldest one. */
  readonly maxEntries: number
  /** What makes an entry the newest: `fifo` its last `set`, `lru` its last `set` or `get`. */
  readonly order: 'fifo' | 'lru'
}

type Entry<V> = { readonly value: V; usedAt: number }

/** A map that evicts its oldest entry when it is full. A `Map` iterates in insertion order, so its first key is the oldest. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, Entry<V>>()
  readonly #maxEntries: number
  readonly #isLru: boolean
  /** Counts uses, not time. */
  #uses = 0

  constructor({ maxEntries, order }: BoundedMapOptions) {
    this.#maxEntries = maxEntries
    this.#isLru = order === 'lru'
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    // Entries in the newer half of the LRU order are far from eviction: no reorder on a hit.
    if (entry && this.#isLru && this.#uses - entry.usedAt >= this.#maxEntries / 2) this.#add(key, entry)
    return entry?.value
  }

  set(key: K, value: V): void {
    this.#add(key, { value, usedAt: 0 })
    if (this.#entries.size <= this.#maxEntries) return
    const { value: oldest, done } = this.#entries.keys().next()
    if (!done) this.#entries.delete(oldest)
  }

  evict(key: K): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Oldest first. */
  values(): IteratorObject<V> {
    return this.#entries.values().map(({ value }) => value)
  }

  #add(key: K, entry: Entry<V>): void {
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.usedAt = ++this.#uses
  }
}

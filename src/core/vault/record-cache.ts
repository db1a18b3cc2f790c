import { GatewayError, hasCode } from '../errors.ts'
import type { ChangeFeed, Clock } from '../ports.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { withTimeout } from '../util/timeout.ts'

export type RecordCacheLimits = {
  /** Owners whose records are cached. One more evicts one that is among the least recently used. */
  readonly maxOwners: number
  /** Records of this age are loaded again, even if no change was reported. */
  readonly maxAgeMs: number
  /** For how long after they were last known to be current records may be served while the store is unavailable. 0: never. */
  readonly graceMs: number
}

type RecordCacheOptions = RecordCacheLimits & {
  /** Whether it is cached that a record does not exist: not for names that clients choose. All are by default. */
  readonly isAbsenceCached?: (field: string) => boolean
}

export const defaultRecordCacheLimits = { maxOwners: 10_000, maxAgeMs: 30_000, graceMs: 30_000 } satisfies RecordCacheLimits

/** Reads from the store. A parameter of the function and not of the cache: the caller needs no closure for each request. */
type Load<T> = (owner: string, fields: readonly string[]) => Promise<Array<T | undefined>>

/** Opened records by owner and field, invalidated by the store's change feed. The absence of a record is cached too, as `undefined`. */
export type RecordCache<T> = {
  /**
   * Serves from the cache while the change feed is reliable. Otherwise loads from the store; if that is unavailable or slow, serves stale
   * records that were current at most `graceMs` ago.
   * @returns the records in the order of `fields`; synchronously on a hit
   * @throws what `load` rejects with
   */
  read(owner: string, fields: readonly string[], load: Load<T>): Array<T | undefined> | Promise<Array<T | undefined>>
  /** After each write by this process: the next read loads, and the result of a load in flight is not cached. */
  evict(owner: string): void
}

type Entry<T> = {
  readonly values: Map<string, T | undefined>
  readonly loadedAtMs: number
  /** Every change since the load would have evicted the entry. */
  isTracked: boolean
  /** When an entry that is no longer tracked was last known to be current. */
  currentAtMs: number
}

/** How long the store may take before stale records are served in its place. */
const staleAfterMs = 100

export function createRecordCache<T>(
  changes: ChangeFeed,
  clock: Clock,
  { maxOwners, maxAgeMs, graceMs, isAbsenceCached = () => true }: RecordCacheOptions
): RecordCache<T> {
  const entries = new BoundedMap<string, Entry<T>>({ maxEntries: maxOwners, order: 'lru' })
  /** By owner. A change that is reported during a load may be newer than its result. */
  const loads = new Map<string, Set<{ isOutdated: boolean }>>()

  changes.subscribe((owner, unreportedMs = 0) => {
    if (owner !== undefined) {
      evict(owner)
      return
    }
    for (const ofOwner of loads.values()) for (const load of ofOwner) load.isOutdated = true
    const reportedUntilMs = clock.now() - unreportedMs
    for (const entry of entries.values()) {
      if (entry.isTracked) Object.assign(entry, { isTracked: false, currentAtMs: Math.max(reportedUntilMs, entry.loadedAtMs) })
    }
  })

  function evict(owner: string): void {
    entries.evict(owner)
    for (const load of loads.get(owner) ?? []) load.isOutdated = true
  }

  async function loadAndCache(owner: string, fields: readonly string[], load: Load<T>): Promise<Array<T | undefined>> {
    const current = { isOutdated: false }
    const ofOwner = loads.get(owner) ?? new Set()
    loads.set(owner, ofOwner.add(current))
    const isTracked = changes.isReliable()
    // The store may have read them at any time since, so their age counts from the start of the load.
    const startedAtMs = clock.now()
    try {
      const values = await load(owner, fields)
      if (!current.isOutdated) add(owner, fields, values, isTracked, startedAtMs)
      return values
    } finally {
      ofOwner.delete(current)
      if (ofOwner.size === 0) loads.delete(owner)
    }
  }

  function add(owner: string, fields: readonly string[], values: ReadonlyArray<T | undefined>, isTracked: boolean, nowMs: number): void {
    const existing = entries.get(owner)
    // A tracked entry is as current as these values, since any change would have evicted it. It keeps its own, older load time.
    const canExtend = existing?.isTracked === true && isTracked && nowMs - existing.loadedAtMs < maxAgeMs
    const entry = canExtend ? existing : { values: new Map(), loadedAtMs: nowMs, isTracked, currentAtMs: nowMs }
    fields.forEach((field, i) => {
      if (values[i] !== undefined || isAbsenceCached(field)) entry.values.set(field, values[i])
    })
    entries.set(owner, entry)
  }

  return {
    evict,

    read(owner, fields, load) {
      const isReliable = changes.isReliable()
      const entry = entries.get(owner)
      const cached = entry && valuesOf(entry, fields)
      if (!cached) return loadAndCache(owner, fields, load)
      if (isReliable && entry.isTracked && clock.now() - entry.loadedAtMs < maxAgeMs) return cached
      const currentAtMs = isReliable && entry.isTracked ? clock.now() : entry.currentAtMs
      const graceLeftMs = currentAtMs + graceMs - clock.now()
      const loading = loadAndCache(owner, fields, load)
      return graceLeftMs > 0 ? staleIfUnavailable(loading, cached, Math.min(staleAfterMs, graceLeftMs)) : loading
    }
  }
}

/** @returns the values in the order of `fields`; `undefined` when one of them is not cached */
function valuesOf<T>({ values }: Entry<T>, fields: readonly string[]): Array<T | undefined> | undefined {
  const found: Array<T | undefined> = []
  for (const field of fields) {
    const value = values.get(field)
    if (value === undefined && !values.has(field)) return undefined
    found.push(value)
  }
  return found
}

/** Resolves with `stale` when the load takes longer than `timeoutMs` or the store is unavailable. */
async function staleIfUnavailable<V>(loading: Promise<V>, stale: V, timeoutMs: number): Promise<V> {
  try {
    return await withTimeout(timeoutMs, loading, () => new GatewayError('store_unavailable', 'The store did not respond in time.'))
  } catch (error) {
    if (!hasCode(error, 'store_unavailable')) throw error
    return stale
  }
}

import { hasCode } from '../errors.ts'
import type { ChangeFeed, Clock } from '../ports.ts'

export type RecordCacheLimits = {
  /** Owners whose records are held; one of those who were used longest ago goes. */
  readonly maxOwners: number
  /** Asked for again after this long, even if no change was told. */
  readonly maxAgeMs: number
  /** How long after it was last known to be true a record may serve while the store cannot be reached. 0: never. */
  readonly graceMs: number
}

export const defaultRecordCacheLimits = { maxOwners: 10_000, maxAgeMs: 30_000, graceMs: 30_000 } satisfies RecordCacheLimits

/** Asks the store for these. One function for all calls: each is too often for a closure of its own. */
type Load<T> = (owner: string, fields: readonly string[]) => Promise<Array<T | undefined>>

/** Opened records, kept true by what the store tells of changes. `undefined` is a record too: that there is none. */
export type RecordCache<T> = {
  /** @param load asks the store. @returns what it would say, in the order of `fields`; see {@link createRecordCache} for when it can say nothing. */
  read(owner: string, fields: readonly string[], load: Load<T>): Array<T | undefined> | Promise<Array<T | undefined>>
  /** Before and after each write of our own: the next reader asks the store. */
  evict(owner: string): void
}

type Entry<T> = {
  /** How many had been put in their order before it, when it last was. */
  place: number
  readonly values: Map<string, T | undefined>
  readAtMs: number
  /** The store's word on changes has been complete since it was read. */
  watched: boolean
  /** Last known to be true, once it is no longer watched. */
  goodAtMs: number
}

/** How long a held session waits for a store that says nothing, before what is held serves. */
const patienceMs = 100

/**
 * While changes are told, what is held is as true as the store and serves without asking it. While they are not, the store is asked;
 * where it cannot answer, what was true `graceMs` ago at most serves in its place.
 */
export function createRecordCache<T>(watch: ChangeFeed, clock: Clock, { maxOwners, maxAgeMs, graceMs }: RecordCacheLimits): RecordCache<T> {
  const entries = new Map<string, Entry<T>>()
  let places = 0
  /** What is being read, by owner: a change that is told meanwhile may be newer than the answer. */
  const reading = new Map<string, Set<{ outrun: boolean }>>()

  watch.subscribe((owner, untoldMs = 0) => {
    if (owner !== undefined) {
      evict(owner)
      return
    }
    for (const marks of reading.values()) for (const mark of marks) mark.outrun = true
    const toldUntilMs = clock.now() - untoldMs
    for (const entry of entries.values()) {
      if (entry.watched) Object.assign(entry, { watched: false, goodAtMs: Math.max(toldUntilMs, entry.readAtMs) })
    }
  })

  function evict(owner: string): void {
    entries.delete(owner)
    for (const mark of reading.get(owner) ?? []) mark.outrun = true
  }

  async function ask(owner: string, fields: readonly string[], load: Load<T>) {
    const mark = { outrun: false }
    const marks = reading.get(owner) ?? new Set()
    reading.set(owner, marks.add(mark))
    const watched = watch.isReliable()
    // As old as they may be: nobody knows when the store looked.
    const askedAtMs = clock.now()
    try {
      const values = await load(owner, fields)
      if (!mark.outrun) keep(owner, fields, values, watched, askedAtMs)
      return values
    } finally {
      marks.delete(mark)
      if (marks.size === 0) reading.delete(owner)
    }
  }

  function keep(owner: string, fields: readonly string[], values: ReadonlyArray<T | undefined>, watched: boolean, nowMs: number): void {
    const old = entries.get(owner)
    // Other fields of a watched entry are as true as these, a change of any would have removed it; but no younger than they are.
    const joins = old?.watched === true && watched && nowMs - old.readAtMs < maxAgeMs
    const held = joins ? old : { place: 0, values: new Map(), readAtMs: nowMs, watched, goodAtMs: nowMs }
    fields.forEach((field, i) => {
      held.values.set(field, values[i])
    })
    use(owner, held)
    const [oldest] = entries.keys()
    if (entries.size > maxOwners && oldest !== undefined) entries.delete(oldest)
  }

  /** A Map tells its keys in the order of their coming: the first is the one that was used longest ago. */
  function use(owner: string, entry: Entry<T>): void {
    entries.delete(owner)
    entries.set(owner, entry)
    entry.place = ++places
  }

  /** Whoever is among the younger half is far from going, and need not be put in order anew at each call. */
  const isYoung = (entry: Entry<T>) => places - entry.place < maxOwners / 2

  return {
    evict,

    read(owner, fields, load) {
      const complete = watch.isReliable()
      const entry = entries.get(owner)
      const held = entry && valuesOf(entry, fields)
      if (!held) return ask(owner, fields, load)
      if (complete && entry.watched && clock.now() - entry.readAtMs < maxAgeMs) {
        if (!isYoung(entry)) use(owner, entry)
        return held
      }
      const goodAtMs = complete && entry.watched ? clock.now() : entry.goodAtMs
      const leftMs = goodAtMs + graceMs - clock.now()
      return leftMs > 0 ? firstOf(ask(owner, fields, load), held, Math.min(patienceMs, leftMs)) : ask(owner, fields, load)
    }
  }
}

/** In the order of the fields; `undefined` when not all of them are held. */
function valuesOf<T>({ values }: Entry<T>, fields: readonly string[]): Array<T | undefined> | undefined {
  const held: Array<T | undefined> = []
  for (const field of fields) {
    const value = values.get(field)
    if (value === undefined && !values.has(field)) return undefined
    held.push(value)
  }
  return held
}

/** The store's answer; or what is held, when the store cannot be reached or says nothing for too long. */
async function firstOf<V>(asked: Promise<V>, held: V, withinMs: number): Promise<V> {
  const patience = Promise.withResolvers<V>()
  const timer = setTimeout(() => patience.resolve(held), withinMs)
  try {
    return await Promise.race([asked, patience.promise])
  } catch (error) {
    if (!hasCode(error, 'store_unavailable')) throw error
    return held
  } finally {
    clearTimeout(timer)
    asked.catch(() => {})
  }
}

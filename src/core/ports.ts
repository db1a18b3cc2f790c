import type { LookupFunction } from 'node:net'

/** The time now, in milliseconds since the epoch. Passed in, so that tests own it. */
export type Clock = { now(): number }

/** What `Store.commit` does, all of it or nothing. Fields are record names of one owner. */
export type Change = {
  /** Only while the owner has no record at all. */
  expectNone?: true
  /** For each field, the bytes its record must still begin with; `undefined` when it must not exist. */
  expect?: ReadonlyArray<readonly [field: string, prefix: Buffer | undefined]>
  put?: ReadonlyArray<readonly [field: string, record: Buffer]>
  remove?: readonly string[]
  /** Milliseconds from now until the owner's records end, all of them together. Left out: as it was. */
  ttlMs?: number
}

/** A lease that is held. */
export type HeldLease = {
  /** Holds it for `ttlMs` from now on. @returns false when it has ended in the meantime, whoever has it now. */
  extend(ttlMs: number): Promise<boolean>
  /** Gives it back. Resolves also when it has ended by itself in the meantime. */
  release(): Promise<void>
}

/** Mutual exclusion that ends by itself: at most one holder of a name until it releases or `ttlMs` have passed. */
export type Lease = {
  /**
   * @param waitedMs how long the caller has been refused already. A holder that has been silent for that time, and whose
   * process is known to have died, holds no longer; one that is merely slow does.
   * @returns `undefined` at once when another holds it.
   */
  acquire(owner: string, name: string, ttlMs: number, waitedMs?: number): Promise<HeldLease | undefined>
}

/** Tells what others change, so that what was read can be kept, and what is waited for need not be asked for again and again. */
export type ChangeFeed = {
  /** Whether every change up to now has been told, or will be before anything read from now on could show it. */
  isReliable(): boolean
  /**
   * Calls back with the owner whose records have changed, or with nothing when any may have: then also with how many milliseconds ago
   * the first change may have been that was not told.
   */
  subscribe(onChange: (owner?: string, untoldMs?: number) => void): void
  /** Resolves when the owner's records or leases change, or after `withinMs`; earlier is allowed. */
  waitForChange(owner: string, withinMs: number): Promise<void>
}

/**
 * Where sealed records lie. The records of one owner stand together: they are read in one round trip, changed
 * in one step, and end together. Every method rejects within a second with `GatewayError('store_unavailable')`
 * when the store cannot be reached.
 */
export type Store = Lease & {
  readonly changes: ChangeFeed
  /** For people: what it is and where, without any secret. */
  readonly description: string
  /** One round trip. The answer has the order of `fields`. */
  read(owner: string, fields: readonly string[]): Promise<Array<Buffer | undefined>>
  readAll(owner: string): Promise<Map<string, Buffer>>
  /** @returns false, with nothing changed, when an expectation did not hold, or when the owner has no records and no `ttlMs` is given. */
  commit(owner: string, change: Change): Promise<boolean>
  /** Every record of the owner, at once. */
  deleteOwner(owner: string): Promise<void>
  /**
   * Resolves when what was written to this owner's records up to now is on another server as well, where there is one that may take
   * over; rejects with `store_unavailable` when that cannot be said. For what must not come back: it costs a round trip more.
   */
  confirmReplicated(owner: string): Promise<void>
  /**
   * Everyone who has records, in batches and in no order. Who comes or goes meanwhile may be missing, and some may be told twice.
   * @param endWithinMs only those whose records end within so long. Redis looks at every name for it all the same.
   */
  scanOwners(endWithinMs?: number): AsyncIterable<readonly string[]>
  /** True for the first caller within `ttlMs`, false for every later one: what makes a thing single-use. */
  claim(key: string, ttlMs: number): Promise<boolean>
  /** Keeps these bytes under a key that no owner has, in place of what was kept there, and wakes who waits for a change of `key`. */
  setValue(key: string, record: Buffer, ttlMs: number): Promise<void>
  /** What was kept, until its time is over. */
  getValue(key: string): Promise<Buffer | undefined>
  /** Counts up. @returns how often within `windowMs` from the first time, this one included, and when the next first time can be. */
  increment(key: string, windowMs: number): Promise<{ count: number; endsInMs: number }>
  /** Rejects when the store cannot do its work now. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * How the host of a URL is looked up, for the `lookup` option of whatever opens the socket.
 * @throws {GatewayError} `provider_unavailable` when the host is an address itself, which no socket looks up, and may not be called
 */
export type LookupFor = (url: string) => LookupFunction

import type { LookupFunction } from 'node:net'

/** The current time in milliseconds since the epoch. Passed in, so that tests can set it. */
export type Clock = { now(): number }

/** A change that `Store.commit` makes as a whole or not at all. Fields are names of one owner's records. */
export type Change = {
  /** The owner must have no record. */
  expectNone?: true
  /** The bytes that each field's record must begin with; `undefined` when the record must not exist. */
  expect?: ReadonlyArray<readonly [field: string, prefix: Buffer | undefined]>
  put?: ReadonlyArray<readonly [field: string, record: Buffer]>
  remove?: readonly string[]
  /** Milliseconds from now until all of the owner's records expire. Left out, their expiry stays. */
  ttlMs?: number
}

/** A lease that the caller has acquired. */
export type HeldLease = {
  /** Sets its TTL to `ttlMs` from now. @returns false when the lease is lost: it has expired, and another may hold it */
  extend(ttlMs: number): Promise<boolean>
  /** Resolves also when it has expired. */
  release(): Promise<void>
}

/** Mutual exclusion that expires: a name has at most one holder, until it releases the lease or `ttlMs` have passed. */
export type Lease = {
  /**
   * Does not wait for the holder.
   * @param waitedMs how long the caller has been refused already. A holder that has not extended the lease in that time, and whose
   * process is known to be dead, loses it; one that is merely slow does not.
   * @returns `undefined` when another holds it
   */
  acquire(owner: string, name: string, ttlMs: number, waitedMs?: number): Promise<HeldLease | undefined>
}

/** Reports changes by any process, so that records can be cached and waiters need not poll. */
export type ChangeFeed = {
  /** Whether every change up to now has been reported, or will be before a read that starts now could return it. */
  isReliable(): boolean
  /**
   * Calls back with the owner whose records have changed, or without one when any owner's may have: then `unreportedMs` is how many
   * milliseconds ago the first unreported change may have happened.
   */
  subscribe(onChange: (owner?: string, unreportedMs?: number) => void): void
  /** Resolves when the owner's records, leases or values change, or after `timeoutMs`. May resolve early. */
  waitForChange(owner: string, timeoutMs: number): Promise<void>
}

/**
 * The store of sealed records. One owner's records are read in one round trip, changed atomically, and expire together.
 * Every method rejects within a second with `GatewayError('store_unavailable')` when the store cannot be reached.
 */
export type Store = Lease & {
  readonly changes: ChangeFeed
  /** Kind and location for messages and logs, without secrets. */
  readonly description: string
  /** One round trip. @returns the records in the order of `fields` */
  read(owner: string, fields: readonly string[]): Promise<Array<Buffer | undefined>>
  readAll(owner: string): Promise<Map<string, Buffer>>
  /** @returns false, with nothing changed, when an expectation failed, or when the owner has no records and no `ttlMs` is given */
  commit(owner: string, change: Change): Promise<boolean>
  /** Deletes all records of the owner atomically. */
  deleteOwner(owner: string): Promise<void>
  /**
   * Resolves when a replica has all writes to this owner's records up to now, or when there is no replica; rejects with
   * `store_unavailable` when that is not certain. For deletions that a failover must not undo; it costs another round trip.
   */
  confirmReplicated(owner: string): Promise<void>
  /**
   * Yields all owners that have records, in batches and in no order. Owners created or deleted meanwhile may be missing, and an owner
   * may be repeated.
   * @param expiringWithinMs only owners whose records expire within this time. Redis scans all owners even so.
   */
  scanOwners(expiringWithinMs?: number): AsyncIterable<readonly string[]>
  /** @returns true for the first caller within `ttlMs`, false for all others: makes something single-use */
  claim(key: string, ttlMs: number): Promise<boolean>
  /** Stores or replaces the value of a key, apart from owners' records, and wakes those who wait for a change of `key`. */
  setValue(key: string, value: Buffer, ttlMs: number): Promise<void>
  /** @returns `undefined` when there is none or it has expired */
  getValue(key: string): Promise<Buffer | undefined>
  /** Increments a counter whose window of `windowMs` starts at its first increment. @returns the new count and when the window ends */
  increment(key: string, windowMs: number): Promise<{ count: number; endsInMs: number }>
  /** Rejects when the store cannot read and write now. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * Gives the `lookup` option for sockets to a URL's host.
 * @throws {GatewayError} `provider_unavailable` when the host is a forbidden IP address, for which sockets do no lookup
 */
export type LookupFor = (url: string) => LookupFunction

/** The time now, in milliseconds since the epoch. Passed in, so that tests own it. */
export type Clock = { now(): number }

/** What `Store.commit` does, all of it or nothing. Fields are record names of one owner. */
export type Change = {
  /** For each field, the bytes its record must still begin with; `undefined` when it must not exist. */
  expect?: ReadonlyArray<readonly [field: string, prefix: Buffer | undefined]>
  put?: ReadonlyArray<readonly [field: string, record: Buffer]>
  erase?: readonly string[]
  /** Milliseconds from now until the owner's records end, all of them together. Left out: as it was. */
  ttlMs?: number
}

/** Gives a lease back. Resolves also when the lease has ended by itself in the meantime. */
export type Release = () => Promise<void>

/** Mutual exclusion that ends by itself: at most one holder of a key until it releases or `ttlMs` have passed. */
export type Lease = {
  /** @returns `undefined` at once when another holds it. */
  acquire(key: string, ttlMs: number): Promise<Release | undefined>
}

/**
 * Where sealed records lie. The records of one owner stand together: they are read in one round trip, changed
 * in one step, and end together. Every method rejects within a second with `GatewayError('store_unavailable')`
 * when the store cannot be reached.
 */
export type Store = Lease & {
  /** For people: what it is and where, without any secret. */
  readonly description: string
  /** One round trip. The answer has the order of `fields`. */
  read(owner: string, fields: readonly string[]): Promise<Array<Buffer | undefined>>
  readAll(owner: string): Promise<Map<string, Buffer>>
  /** @returns false, with nothing changed, when an expectation did not hold, or when the owner has no records and no `ttlMs` is given. */
  commit(owner: string, change: Change): Promise<boolean>
  /** Every record of the owner, at once. */
  erase(owner: string): Promise<void>
  /** True for the first caller within `ttlMs`, false for every later one: what makes a thing single-use. */
  claim(key: string, ttlMs: number): Promise<boolean>
  /** Rejects when the store cannot do its work now. */
  ping(): Promise<void>
  close(): Promise<void>
}

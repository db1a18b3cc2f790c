import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../core/ports.ts'
import { storeUnavailable } from '../errors.ts'
import { createExpiredRowSweep } from './expired-row-sweep.ts'

/** Both run the work synchronously, and reject with `store_unavailable` when SQLite throws. */
export type Transactions = {
  /** Without a transaction: another process may commit between two statements. */
  read<T>(work: (nowMs: number) => T): Promise<T>
  write<T>(work: (nowMs: number) => T): Promise<T>
}

export function createTransactions(db: DatabaseSync, { file, clock }: { file: string; clock: Clock }): Transactions {
  const sweep = createExpiredRowSweep(db)

  async function attempt<T>(work: () => T): Promise<T> {
    try {
      return work()
    } catch (cause) {
      throw storeUnavailable(new Error(`The store ${file} failed: ${(cause as Error).message}`, { cause }))
    }
  }

  return {
    read: work => attempt(() => work(clock.now())),

    // IMMEDIATE takes the write lock before the first read, so an expectation that was checked still holds when the record is written.
    write: work =>
      attempt(() => {
        db.exec('BEGIN IMMEDIATE')
        try {
          const nowMs = clock.now()
          const result = work(nowMs)
          sweep(nowMs)
          db.exec('COMMIT')
          return result
        } finally {
          if (db.isTransaction) db.exec('ROLLBACK')
        }
      })
  }
}

/** @returns the `expires_at_ms` of a row */
export const expiryOf = (nowMs: number, ttlMs: number): number => Math.ceil(nowMs + ttlMs)

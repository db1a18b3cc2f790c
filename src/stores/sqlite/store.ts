import { statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock, Store } from '../../core/ports.ts'
import { createSqliteChangeFeed } from './change-feed.ts'
import { openSqliteFile } from './file.ts'
import { createSqliteLeases } from './leases.ts'
import { createTransactions, expiryOf } from './transactions.ts'

const prepare = (db: DatabaseSync) => ({
  ownerExpiry: db.prepare('SELECT expires_at_ms FROM owners WHERE owner = ? AND expires_at_ms > ?'),
  upsertOwner: db.prepare('INSERT INTO owners VALUES (?, ?) ON CONFLICT DO UPDATE SET expires_at_ms = excluded.expires_at_ms'),
  deleteOwner: db.prepare('DELETE FROM owners WHERE owner = ?'),
  deleteOwnerIfEmpty: db.prepare('DELETE FROM owners WHERE owner = ? AND owner NOT IN (SELECT owner FROM records WHERE owner = ?)'),
  scanByName: db.prepare('SELECT owner FROM owners WHERE owner >= ? AND expires_at_ms > ? ORDER BY owner LIMIT ?'),
  scanByExpiry: db.prepare(
    `SELECT owner, expires_at_ms FROM owners
     WHERE (expires_at_ms, owner) >= (?, ?) AND expires_at_ms <= ? ORDER BY expires_at_ms, owner LIMIT ?`
  ),
  records: db.prepare('SELECT field, record FROM records JOIN owners USING (owner) WHERE owner = ? AND expires_at_ms > ?'),
  upsertRecord: db.prepare('INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record'),
  deleteRecord: db.prepare('DELETE FROM records WHERE owner = ? AND field = ?'),
  claim: db.prepare(
    'INSERT INTO claims VALUES (?, ?) ON CONFLICT DO UPDATE SET expires_at_ms = excluded.expires_at_ms WHERE claims.expires_at_ms <= ?'
  ),
  setValue: db.prepare(
    `INSERT INTO stored_values VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET value = excluded.value, expires_at_ms = excluded.expires_at_ms`
  ),
  getValue: db.prepare('SELECT value FROM stored_values WHERE key = ? AND expires_at_ms > ?'),
  increment: db.prepare(
    `INSERT INTO counts VALUES (?, 1, ?)
     ON CONFLICT DO UPDATE SET
       count = CASE WHEN counts.expires_at_ms <= ? THEN 1 ELSE counts.count + 1 END,
       expires_at_ms = CASE WHEN counts.expires_at_ms <= ? THEN excluded.expires_at_ms ELSE counts.expires_at_ms END
     RETURNING count, expires_at_ms`
  )
})

type SqliteStoreOptions = {
  readonly directory: string
  readonly clock: Clock
  /** `openExistingSqliteFile` for a look at a store that must not be created or changed. */
  readonly open?: (file: string) => DatabaseSync
}

export const sqliteFileIn = (directory: string): string => join(resolve(directory), 'grantkeeper.sqlite')

/**
 * The embedded store: one file on one machine, which any number of processes may share. A call takes well below a millisecond and
 * blocks the event loop for that time; a gateway with more load needs Redis.
 *
 * @throws an Error that names the file when it cannot be opened
 */
export function openSqliteStore({ directory, clock, open = openSqliteFile }: SqliteStoreOptions): Store {
  const file = sqliteFileIn(directory)
  const db = open(file)
  const sql = prepare(db)
  const transactions = createTransactions(db, { file, clock })
  const { read, write } = transactions
  const changes = createSqliteChangeFeed(db)
  const leases = createSqliteLeases(db, transactions, changes)

  // One statement for all fields, so that another process cannot commit between two of them.
  const recordsOf = (owner: string, nowMs: number): Map<string, Buffer> =>
    new Map(sql.records.all(owner, nowMs).map(row => [row.field as string, bufferOf(row.record)]))

  async function* scanByName(): AsyncGenerator<readonly string[]> {
    for (let from = ''; ; ) {
      const batch = await read(nowMs => sql.scanByName.all(from, nowMs, batchSize).map(({ owner }) => owner as string))
      yield batch
      const last = batch.at(-1)
      if (last === undefined) return
      from = successorOf(last)
    }
  }

  /** Uses the index of expiries, so the cost depends on the number of owners found. */
  async function* scanByExpiry(withinMs: number): AsyncGenerator<readonly string[]> {
    const nowMs = clock.now()
    for (let [fromMs, from] = [nowMs + 1, '']; ; ) {
      const batch = await read(() => sql.scanByExpiry.all(fromMs, from, nowMs + withinMs, batchSize))
      yield batch.map(({ owner }) => owner as string)
      const last = batch.at(-1)
      if (last === undefined) return
      fromMs = last.expires_at_ms as number
      from = successorOf(last.owner as string)
    }
  }

  return {
    description: `SQLite file ${file}`,
    changes,

    read: (owner, fields) =>
      read(nowMs => {
        const records = recordsOf(owner, nowMs)
        return fields.map(field => records.get(field))
      }),

    readAll: owner => read(nowMs => recordsOf(owner, nowMs)),

    commit: async (owner, { expectNone, expect = [], put = [], remove = [], ttlMs }) => {
      const isCommitted = await write(nowMs => {
        const expiresAtMs = ttlMs === undefined ? sql.ownerExpiry.get(owner, nowMs)?.expires_at_ms : expiryOf(nowMs, ttlMs)
        if (expiresAtMs === undefined) return false
        const records = recordsOf(owner, nowMs)
        const isAsExpected = !(expectNone && records.size > 0) && expect.every(([field, prefix]) => hasPrefix(records.get(field), prefix))
        if (!isAsExpected) return false
        // Expired records that are not swept yet must not become visible again with the owner's new expiry.
        if (records.size === 0) sql.deleteOwner.run(owner)
        sql.upsertOwner.run(owner, expiresAtMs)
        for (const [field, record] of put) sql.upsertRecord.run(owner, field, record)
        for (const field of remove) sql.deleteRecord.run(owner, field)
        sql.deleteOwnerIfEmpty.run(owner, owner)
        return true
      })
      if (isCommitted) changes.publish(owner)
      return isCommitted
    },

    deleteOwner: async owner => {
      await write(() => sql.deleteOwner.run(owner))
      changes.publish(owner)
    },

    // There is no replica, and a commit is on the disk.
    confirmReplicated: async () => {},

    scanOwners: expiringWithinMs => (expiringWithinMs === undefined ? scanByName() : scanByExpiry(expiringWithinMs)),

    claim: (key, ttlMs) => write(nowMs => sql.claim.run(key, expiryOf(nowMs, ttlMs), nowMs).changes === 1),

    setValue: async (key, value, ttlMs) => {
      await write(nowMs => sql.setValue.run(key, value, expiryOf(nowMs, ttlMs)))
      changes.wakeWaiters(key)
    },

    getValue: key =>
      read(nowMs => {
        const row = sql.getValue.get(key, nowMs)
        return row && bufferOf(row.value)
      }),

    acquire: leases.acquire,

    increment: (key, windowMs) =>
      write(nowMs => {
        const row = sql.increment.get(key, expiryOf(nowMs, windowMs), nowMs, nowMs) as { count: number; expires_at_ms: number }
        return { count: row.count, endsInMs: row.expires_at_ms - nowMs }
      }),

    // Takes the write lock: a SELECT would succeed on a read-only or locked file. Stats the file: a deleted one takes writes and loses them.
    ping: () => write(() => void statSync(file)),

    close: async () => {
      if (db.isOpen) db.close()
    }
  }
}

/** Owners read at a time: the event loop is blocked meanwhile. */
const batchSize = 500

/** The next string in SQLite's order. */
const successorOf = (text: string): string => `${text}\0`

/** Without copying the bytes. */
function bufferOf(blob: unknown): Buffer {
  const { buffer, byteOffset, byteLength } = blob as Uint8Array<ArrayBuffer>
  return Buffer.from(buffer, byteOffset, byteLength)
}

const hasPrefix = (record: Buffer | undefined, prefix: Buffer | undefined): boolean =>
  prefix === undefined ? record === undefined : record?.subarray(0, prefix.length).equals(prefix) === true

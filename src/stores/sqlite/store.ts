import { randomUUID } from 'node:crypto'
import { readlinkSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock, Store } from '../../core/ports.ts'
import { storeUnavailable } from '../errors.ts'
import { createSqliteChangeFeed } from './change-feed.ts'
import { createExpiredRowSweep } from './expired-rows.ts'
import { openSqliteFile } from './file.ts'

const prepare = (db: DatabaseSync) => ({
  endOf: db.prepare('SELECT ends_at_ms FROM owners WHERE owner = ? AND ends_at_ms > ?'),
  recordsOf: db.prepare('SELECT field, record FROM records JOIN owners USING (owner) WHERE owner = ? AND ends_at_ms > ?'),
  keepOwner: db.prepare('INSERT INTO owners VALUES (?, ?) ON CONFLICT DO UPDATE SET ends_at_ms = excluded.ends_at_ms'),
  eraseOwner: db.prepare('DELETE FROM owners WHERE owner = ?'),
  eraseEmptyOwner: db.prepare('DELETE FROM owners WHERE owner = ? AND owner NOT IN (SELECT owner FROM records WHERE owner = ?)'),
  ownersFrom: db.prepare('SELECT owner FROM owners WHERE owner >= ? AND ends_at_ms > ? ORDER BY owner LIMIT ?'),
  endingFrom: db.prepare(
    `SELECT owner, ends_at_ms FROM owners
     WHERE (ends_at_ms, owner) >= (?, ?) AND ends_at_ms <= ? ORDER BY ends_at_ms, owner LIMIT ?`
  ),
  put: db.prepare('INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record'),
  erase: db.prepare('DELETE FROM records WHERE owner = ? AND field = ?'),
  claim: db.prepare(
    'INSERT INTO claims VALUES (?, ?) ON CONFLICT DO UPDATE SET ends_at_ms = excluded.ends_at_ms WHERE claims.ends_at_ms <= ?'
  ),
  keep: db.prepare(
    'INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record, ends_at_ms = excluded.ends_at_ms'
  ),
  kept: db.prepare('SELECT record FROM kept WHERE key = ? AND ends_at_ms > ?'),
  count: db.prepare(
    `INSERT INTO counts VALUES (?, 1, ?)
     ON CONFLICT DO UPDATE SET
       count = CASE WHEN counts.ends_at_ms <= ? THEN 1 ELSE counts.count + 1 END,
       ends_at_ms = CASE WHEN counts.ends_at_ms <= ? THEN excluded.ends_at_ms ELSE counts.ends_at_ms END
     RETURNING count, ends_at_ms`
  ),
  acquire: db.prepare(
    `INSERT INTO leases VALUES (?, ?, ?)
     ON CONFLICT DO UPDATE SET holder = excluded.holder, ends_at_ms = excluded.ends_at_ms`
  ),
  leaseOf: db.prepare('SELECT holder FROM leases WHERE key = ? AND ends_at_ms > ?'),
  extend: db.prepare('UPDATE leases SET ends_at_ms = ? WHERE key = ? AND holder = ? AND ends_at_ms > ?'),
  release: db.prepare('DELETE FROM leases WHERE key = ? AND holder = ?')
})

/**
 * The embedded store: one file, for one machine, shared by as many processes as like. A call takes well below a millisecond and
 * blocks the event loop for that long; a gateway with more to do has Redis.
 *
 * @throws a plain Error that names the file when it cannot be opened.
 */
export function openSqliteStore({ directory, clock }: { directory: string; clock: Clock }): Store {
  const file = join(resolve(directory), 'grantkeeper.sqlite')
  const db = openSqliteFile(file)
  const sql = prepare(db)
  const sweep = createExpiredRowSweep(db)
  const changes = createSqliteChangeFeed(db)

  const attempt = async <T>(work: () => T): Promise<T> => {
    try {
      return work()
    } catch (cause) {
      throw storeUnavailable(new Error(`The store ${file} failed: ${(cause as Error).message}`, { cause }))
    }
  }

  // IMMEDIATE takes the write lock before anything is read: what an expectation saw still holds when the record is put.
  const change = <T>(work: (nowMs: number) => T): Promise<T> =>
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

  // One statement for all fields, so that no commit of another process falls between two of them.
  const recordsOf = (owner: string, nowMs: number): Map<string, Buffer> =>
    new Map(sql.recordsOf.all(owner, nowMs).map(row => [row.field as string, bytesOf(row.record as Uint8Array<ArrayBuffer>)]))

  /** By the index of ends, so that it costs what it finds. */
  async function* ending(withinMs: number): AsyncGenerator<readonly string[]> {
    const nowMs = clock.now()
    for (let [fromMs, from] = [nowMs + 1, '']; ; ) {
      const batch = await attempt(() => sql.endingFrom.all(fromMs, from, nowMs + withinMs, ownersAtOnce))
      yield batch.map(({ owner }) => owner as string)
      const last = batch.at(-1)
      if (last === undefined) return
      fromMs = last.ends_at_ms as number
      from = `${last.owner}\0`
    }
  }

  return {
    description: `SQLite file ${file}`,
    changes,

    read: (owner, fields) =>
      attempt(() => {
        const records = recordsOf(owner, clock.now())
        return fields.map(field => records.get(field))
      }),

    readAll: owner => attempt(() => recordsOf(owner, clock.now())),

    commit: async (owner, { expectNone, expect = [], put = [], remove = [], ttlMs }) => {
      const committed = await change(nowMs => {
        const endsAtMs = ttlMs === undefined ? sql.endOf.get(owner, nowMs)?.ends_at_ms : endOf(nowMs, ttlMs)
        if (endsAtMs === undefined) return false
        const records = recordsOf(owner, nowMs)
        const holds = !(expectNone && records.size > 0) && expect.every(([field, prefix]) => beginsWith(records.get(field), prefix))
        if (!holds) return false
        // What has ended but is not swept yet must not come back to life with the owner's new end.
        if (records.size === 0) sql.eraseOwner.run(owner)
        sql.keepOwner.run(owner, endsAtMs)
        for (const [field, record] of put) sql.put.run(owner, field, record)
        for (const field of remove) sql.erase.run(owner, field)
        sql.eraseEmptyOwner.run(owner, owner)
        return true
      })
      if (committed) changes.publish(owner)
      return committed
    },

    deleteOwner: async owner => {
      await change(() => sql.eraseOwner.run(owner))
      changes.publish(owner)
    },

    // One file, and a commit is on the disk.
    confirmReplicated: async () => {},

    scanOwners: async function* (endWithinMs) {
      if (endWithinMs !== undefined) return yield* ending(endWithinMs)
      for (let from = ''; ; ) {
        const batch = await attempt(() => sql.ownersFrom.all(from, clock.now(), ownersAtOnce).map(({ owner }) => owner as string))
        yield batch
        const last = batch.at(-1)
        if (last === undefined) return
        // The text that comes next after it.
        from = `${last}\0`
      }
    },

    claim: (key, ttlMs) => change(nowMs => sql.claim.run(key, endOf(nowMs, ttlMs), nowMs).changes === 1),

    setValue: async (key, record, ttlMs) => {
      await change(nowMs => sql.keep.run(key, record, endOf(nowMs, ttlMs)))
      changes.wakeWaiters(key)
    },

    getValue: key =>
      attempt(() => {
        const record = sql.kept.get(key, clock.now())?.record as Uint8Array<ArrayBuffer> | undefined
        return record && bytesOf(record)
      }),

    acquire: async (owner, name, ttlMs) => {
      const key = `${owner}\0${name}`
      const holder = [process.pid, processes, randomUUID()].join(' ')
      const acquired = await change(nowMs => {
        const other = sql.leaseOf.get(key, nowMs)?.holder as string | undefined
        if (other !== undefined && lives(other)) return false
        sql.acquire.run(key, holder, endOf(nowMs, ttlMs))
        return true
      })
      if (!acquired) return undefined
      return {
        extend: ttlMs => change(nowMs => sql.extend.run(endOf(nowMs, ttlMs), key, holder, nowMs).changes === 1),
        release: async () => {
          await change(() => sql.release.run(key, holder))
          changes.wakeWaiters(owner)
        }
      }
    },

    increment: (key, windowMs) =>
      change(nowMs => {
        const counted = sql.count.get(key, endOf(nowMs, windowMs), nowMs, nowMs) as { count: number; ends_at_ms: number }
        return { count: counted.count, endsInMs: counted.ends_at_ms - nowMs }
      }),

    // A write lock, not a SELECT: that would pass on a read-only or locked file. A file deleted under us would take writes and lose them.
    ping: () => change(() => void statSync(file)),

    close: async () => {
      if (db.isOpen) db.close()
    }
  }
}

/** How many names are asked for at once: other calls wait for the answer. */
const ownersAtOnce = 500

/** Within what a process number names a process: containers that share a file do not share their processes (Linux: pid_namespaces(7)). */
const processes = (() => {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return hostname()
  }
})()

/** A process that has ended holds nothing any more. Its number may be another's by now: then time ends the lease. */
function lives(holder: string): boolean {
  const [number, within] = holder.split(' ')
  if (within !== processes) return true
  try {
    return process.kill(Number(number), 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): Buffer => Buffer.from(buffer, byteOffset, byteLength)

const endOf = (nowMs: number, ttlMs: number): number => Math.ceil(nowMs + ttlMs)

const beginsWith = (record: Buffer | undefined, prefix: Buffer | undefined): boolean =>
  prefix === undefined ? record === undefined : record?.subarray(0, prefix.length).equals(prefix) === true

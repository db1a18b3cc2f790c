import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { DatabaseSync } from 'node:sqlite'
import type { Lease } from '../../core/ports.ts'
import type { ChangeListeners } from '../change-listeners.ts'
import { expiryOf, type Transactions } from './transactions.ts'

/** Leases whose holder is a process: when the process has died, the lease is free at once. */
export function createSqliteLeases(
  db: DatabaseSync,
  { write }: Transactions,
  { wakeWaiters }: Pick<ChangeListeners, 'wakeWaiters'>
): Lease {
  const select = db.prepare('SELECT holder FROM leases WHERE key = ? AND expires_at_ms > ?')
  const upsert = db.prepare(
    'INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET holder = excluded.holder, expires_at_ms = excluded.expires_at_ms'
  )
  const extend = db.prepare('UPDATE leases SET expires_at_ms = ? WHERE key = ? AND holder = ? AND expires_at_ms > ?')
  const release = db.prepare('DELETE FROM leases WHERE key = ? AND holder = ?')

  return {
    acquire: async (owner, name, ttlMs) => {
      const key = `${owner}\0${name}`
      const holder = [process.pid, pidNamespace, randomUUID()].join(' ')
      const isAcquired = await write(nowMs => {
        const other = select.get(key, nowMs)?.holder as string | undefined
        if (other !== undefined && isAlive(other)) return false
        upsert.run(key, holder, expiryOf(nowMs, ttlMs))
        return true
      })
      if (!isAcquired) return undefined
      return {
        extend: ttlMs => write(nowMs => extend.run(expiryOf(nowMs, ttlMs), key, holder, nowMs).changes === 1),
        release: async () => {
          await write(() => release.run(key, holder))
          wakeWaiters(owner)
        }
      }
    }
  }
}

/** Where a process id is unique: containers that share a file do not share process ids (Linux: pid_namespaces(7)). */
const pidNamespace = (() => {
  try {
    return readlinkSync('/proc/self/ns/pid')
  } catch {
    return hostname()
  }
})()

/** A process of another namespace, or whose id has been reused, counts as alive: then the lease expires. */
function isAlive(holder: string): boolean {
  const [pid, namespace] = holder.split(' ')
  if (namespace !== pidNamespace) return true
  try {
    return process.kill(Number(pid), 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

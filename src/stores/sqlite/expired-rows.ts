import type { DatabaseSync } from 'node:sqlite'

const everyMs = 60_000
const rowsAtMost = 100

/**
 * Deletes rows past their end; they are invisible already, this gives their space back. Called on writes, so that no timer keeps the
 * process alive, and bounded, so that no request pays for a backlog: what is left goes with the next write.
 */
export function createExpiredRowSweep(db: DatabaseSync): (nowMs: number) => void {
  const deletions = ['owners', 'claims', 'kept', 'counts', 'leases'].map(table =>
    db.prepare(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ends_at_ms <= ? LIMIT ${rowsAtMost})`)
  )
  let dueAtMs = 0
  return nowMs => {
    if (nowMs < dueAtMs) return
    const deleted = deletions.map(deletion => Number(deletion.run(nowMs).changes))
    if (Math.max(...deleted) < rowsAtMost) dueAtMs = nowMs + everyMs
  }
}

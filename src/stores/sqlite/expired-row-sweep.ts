import type { DatabaseSync } from 'node:sqlite'

const sweepIntervalMs = 60_000
/** Of each table, at a time. */
const maxRows = 100

/**
 * Deletes expired rows, which no read returns, to free their space. Called on writes, so that no timer keeps the process alive, and
 * bounded, so that no request pays for a backlog: the next write deletes more.
 */
export function createExpiredRowSweep(db: DatabaseSync): (nowMs: number) => void {
  const deletions = ['owners', 'claims', 'stored_values', 'counts', 'leases'].map(table =>
    db.prepare(`DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE expires_at_ms <= ? LIMIT ${maxRows})`)
  )
  let nextSweepAtMs = 0
  return nowMs => {
    if (nowMs < nextSweepAtMs) return
    const deletedRows = deletions.map(deletion => Number(deletion.run(nowMs).changes))
    if (Math.max(...deletedRows) < maxRows) nextSweepAtMs = nowMs + sweepIntervalMs
  }
}

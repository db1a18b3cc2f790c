import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const maxWaitMs = 300_000

/**
 * Runs `work` in one process at a time, for a folder that several test files share. The others wait in the call. If this process is killed,
 * the system releases the lock.
 * @param folder is created for this user alone, if it does not exist
 */
export function exclusively<Result>(folder: string, work: () => Result): Result {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const lock = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: maxWaitMs })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return work()
  } finally {
    lock.close()
  }
}

import type { DatabaseSync } from 'node:sqlite'
import type { ChangeFeed } from '../../core/ports.ts'
import { type ChangeListeners, createChangeListeners } from '../change-listeners.ts'

/** How often the file is checked while a caller waits for a change. */
const pollIntervalMs = 10
/**
 * A check takes about ten microseconds on a busy machine. This rate limits what requests spend on it: with less load each request checks;
 * with more, a change by another process is noticed as late as over Redis.
 */
const checkLimit = { max: 2, windowMs: 5 }

export type SqliteChangeFeed = ChangeFeed & Pick<ChangeListeners, 'publish' | 'wakeWaiters'>

/**
 * The store publishes the changes of this process itself. SQLite tells whether another process has changed anything when it is asked,
 * without reading a row (sqlite.org/pragma.html#pragma_data_version): so `isReliable` checks the file, or relies on a check that is at
 * most `checkLimit.windowMs` old.
 *
 * @param elapsedMs a monotonic clock, in milliseconds
 */
export function createSqliteChangeFeed(db: DatabaseSync, elapsedMs = () => performance.now()): SqliteChangeFeed {
  const listeners = createChangeListeners()
  const dataVersion = db.prepare('PRAGMA data_version')
  let lastVersion = readVersion()

  /** @returns `undefined` when the file cannot be read */
  function readVersion(): unknown {
    try {
      return dataVersion.get()?.data_version
    } catch {
      return undefined
    }
  }

  /** Publishes what has changed. @returns whether the file can be read */
  function check(): boolean {
    const version = readVersion()
    if (version !== lastVersion) {
      lastVersion = version
      listeners.publish()
    }
    return version !== undefined
  }

  let windowStartMs = Number.NEGATIVE_INFINITY
  let checks = 0
  let isReadable = false
  function checkWithinLimit(): boolean {
    const nowMs = elapsedMs()
    if (nowMs - windowStartMs >= checkLimit.windowMs) {
      windowStartMs = nowMs
      checks = 0
    }
    if (checks < checkLimit.max) {
      checks++
      isReadable = check()
    }
    return isReadable
  }

  return {
    publish: listeners.publish,
    wakeWaiters: listeners.wakeWaiters,
    subscribe: listeners.subscribe,
    isReliable: checkWithinLimit,
    waitForChange: async (owner, timeoutMs) => {
      const polling = setInterval(check, pollIntervalMs)
      await listeners.waitForChange(owner, timeoutMs)
      clearInterval(polling)
    }
  }
}

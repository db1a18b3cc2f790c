import type { DatabaseSync } from 'node:sqlite'
import type { ChangeFeed } from '../../core/ports.ts'
import { type ChangeListeners, createChangeListeners } from '../change-listeners.ts'

/** How often it is asked while somebody waits. */
const lookMs = 10
/**
 * A look takes about ten microseconds beside busy neighbours. So many in so many milliseconds are all that calls spend on it: those of a
 * gateway with less to do look each time, those of a busy one hear of another process's change as late as over Redis.
 */
const looks = { most: 2, withinMs: 5 }

/**
 * What this process changes it tells itself. Whether another has changed anything SQLite says when it is asked, without touching a row
 * (sqlite.org/pragma.html#pragma_data_version): so the word on changes is complete whenever it is asked for, and where
 * it is asked more often than {@link looks} allows, it was so these milliseconds ago.
 *
 * @param elapsed milliseconds since any moment; they only ever grow.
 */
export function createSqliteChangeFeed(
  db: DatabaseSync,
  elapsed = () => performance.now()
): ChangeFeed & Pick<ChangeListeners, 'publish' | 'wakeWaiters'> {
  const watchers = createChangeListeners()
  const dataVersion = db.prepare('PRAGMA data_version')
  let seen = versionNow()

  /** `undefined` when the file cannot be asked. */
  function versionNow(): unknown {
    try {
      return dataVersion.get()?.data_version
    } catch {
      return undefined
    }
  }

  function look(): boolean {
    const version = versionNow()
    if (version !== seen) {
      seen = version
      watchers.publish()
    }
    return version !== undefined
  }

  let sinceMs = Number.NEGATIVE_INFINITY
  let looked = 0
  let isTold = false
  function lookWithin(): boolean {
    const nowMs = elapsed()
    if (nowMs - sinceMs >= looks.withinMs) {
      sinceMs = nowMs
      looked = 0
    }
    if (looked < looks.most) {
      looked++
      isTold = look()
    }
    return isTold
  }

  return {
    publish: watchers.publish,
    wakeWaiters: watchers.wakeWaiters,
    subscribe: watchers.subscribe,
    isReliable: lookWithin,
    waitForChange: async (owner, withinMs) => {
      const looking = setInterval(look, lookMs)
      await watchers.waitForChange(owner, withinMs)
      clearInterval(looking)
    }
  }
}

import type { DatabaseSync } from 'node:sqlite'
import type { Watch } from '../core/ports.ts'
import { createWatchers, type Watchers } from './watchers.ts'

/** How often it is asked while somebody waits. */
const lookMs = 10
/** How long an answer counts. Over Redis a change of another process takes about as long to be heard of, and busy calls do not each ask. */
const lookCountsMs = 5

/**
 * What this process changes it tells itself. Whether another has changed anything SQLite says when it is asked, without touching a row
 * (sqlite.org/pragma.html#pragma_data_version): so the word on changes is complete whenever it is asked for, but for these milliseconds.
 */
export function sqliteWatch(db: DatabaseSync): Watch & Pick<Watchers, 'tell' | 'wake'> {
  const watchers = createWatchers()
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
      watchers.tell()
    }
    return version !== undefined
  }

  let lookedAtMs = Number.NEGATIVE_INFINITY
  let isTold = false
  function lookAgain(): boolean {
    const nowMs = performance.now()
    if (nowMs - lookedAtMs >= lookCountsMs) {
      isTold = look()
      lookedAtMs = nowMs
    }
    return isTold
  }

  return {
    tell: watchers.tell,
    wake: watchers.wake,
    subscribe: watchers.subscribe,
    isComplete: lookAgain,
    nextChange: async (owner, withinMs) => {
      const looking = setInterval(look, lookMs)
      await watchers.nextChange(owner, withinMs)
      clearInterval(looking)
    }
  }
}

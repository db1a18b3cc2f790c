import type { DatabaseSync } from 'node:sqlite'
import type { Watch } from '../core/ports.ts'
import { createWatchers, type Watchers } from './watchers.ts'

/** Asking costs a microsecond, and is done only while somebody waits. */
const lookMs = 10

/**
 * What this process changes it tells itself. Whether another has changed anything SQLite says when it is asked, without touching a row
 * (sqlite.org/pragma.html#pragma_data_version): so the word on changes is complete whenever it is asked for.
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

  /**
   * Once in a turn of the event loop: what is asked in it had arrived before it began, so that no change which its sender can know of
   * was made after the look.
   */
  let looked: boolean | undefined
  function lookOnce(): boolean {
    if (looked === undefined) {
      looked = look()
      setImmediate(() => {
        looked = undefined
      })
    }
    return looked
  }

  return {
    tell: watchers.tell,
    wake: watchers.wake,
    subscribe: watchers.subscribe,
    isComplete: lookOnce,
    nextChange: async (owner, withinMs) => {
      const looking = setInterval(look, lookMs)
      await watchers.nextChange(owner, withinMs)
      clearInterval(looking)
    }
  }
}

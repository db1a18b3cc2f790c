import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SavedGrants } from './grant-store.ts'

export type GrantFile = {
  /** The grants of an earlier process. */
  read(vendor: string): SavedGrants | undefined
  /** Schedules a write of the vendor's grants. A burst of changes is written once. */
  save(vendor: string, readGrants: () => SavedGrants): void
  /** Writes scheduled changes now. */
  flush(): void
}

const saveDelayMs = 50

/** Stores the vendors' grants between starts, because the gateway's connections outlive a restart too. */
export function openGrantFile(path: string): GrantFile {
  const saved = readFile(path)
  const pending = new Map<string, () => SavedGrants>()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (pending.size === 0) return
    for (const [vendor, readGrants] of pending) saved[vendor] = readGrants()
    pending.clear()
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.new`, JSON.stringify(saved), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  return {
    // An entry of an older format counts as none.
    read: vendor => (saved[vendor]?.grants && saved[vendor].refreshTokens ? saved[vendor] : undefined),
    save(vendor, readGrants) {
      pending.set(vendor, readGrants)
      timer ??= setTimeout(flush, saveDelayMs).unref()
    },
    flush
  }
}

/** A missing or truncated file counts as empty: the grants in it are invented. */
function readFile(path: string): Record<string, SavedGrants> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}

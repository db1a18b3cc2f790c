import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** What one vendor has granted, as JSON takes it. */
export type Granted = {
  readonly shelves: ReadonlyArray<readonly [model: string, items: ReadonlyArray<readonly [string, unknown]>]>
  readonly spent: readonly string[]
}

export type GrantFile = {
  /** What an earlier process has granted. */
  read(vendor: string): Granted | undefined
  /** Keeps what `granted` says soon, and so at most once for a burst of changes. */
  changed(vendor: string, granted: () => Granted): void
  /** Keeps now what was to be kept soon. */
  flush(): void
}

const soonMs = 50

/** The vendors' memory between one start and the next: a gateway keeps its connections, and the sandbox must not have forgotten them. */
export function grantFile(path: string): GrantFile {
  const all = readAll(path)
  const due = new Map<string, () => Granted>()
  let timer: NodeJS.Timeout | undefined

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    if (due.size === 0) return
    for (const [vendor, granted] of due) all[vendor] = granted()
    due.clear()
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.new`, JSON.stringify(all), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  return {
    read: vendor => all[vendor],
    changed(vendor, granted) {
      due.set(vendor, granted)
      timer ??= setTimeout(flush, soonMs).unref()
    },
    flush
  }
}

/** A file that is not there or not whole is as good as none: the grants in it are invented ones. */
function readAll(path: string): Record<string, Granted> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}

import { type Stats, statSync } from 'node:fs'
import type { Reporter } from './finding.ts'

type FileModeOptions = {
  readonly path: string
  /** The bits that the mode may have at most. */
  readonly allowed: number
  readonly level: 'warning' | 'error'
  /** The variable that names the file. Its value is not repeated: it may be the secret itself, set in place of its path. */
  readonly name?: string
}

/** Whether others than intended may read or write a file with secrets. Nothing is said of a file that does not exist. */
export function reportFileMode(report: Reporter, { path, allowed, level, name }: FileModeOptions): void {
  if (process.platform === 'win32') return
  const stats = statOf(path)
  if (!stats?.isFile()) return
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0')
  const shown = name === undefined ? path : 'the file'
  const intended = allowed.toString(8)
  if ((stats.mode & 0o777 & ~allowed) === 0) report.ok(`${shown} has the mode ${mode}`)
  else
    report[level](
      `${shown} has the mode ${mode}: others on this machine may ${(stats.mode & 0o022 & ~allowed) === 0 ? 'read' : 'write'} it`,
      name === undefined ? `chmod ${intended} ${path}` : `chmod ${intended} "$${name}"`
    )
}

/** @returns `undefined` if there is nothing, or nothing that this process may see */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

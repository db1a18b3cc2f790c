import { mkdtempSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { EnvironmentReader } from './environment.ts'

/** Checks that `DATA_DIR` is a writable directory or can be created. Creates nothing that stays: a failed start leaves no files behind. */
export function checkDataDir(env: EnvironmentReader, dataDir: string): void {
  const reason = whyUnusable(resolve(dataDir))
  if (reason !== undefined)
    env.addProblem(
      `DATA_DIR: ${env.quote('DATA_DIR', dataDir)} cannot be used: ${reason}. Set a directory that this process can write to, for example ${env.exampleOf('DATA_DIR')}.`
    )
}

function whyUnusable(path: string): string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    const parent = dirname(path)
    if (stats === undefined && parent !== path) return whyUnusable(parent)
    if (!stats?.isDirectory()) return `${path} is not a directory`
    // access(2) checks the real user ID, ignores quotas and is unreliable on network file systems: only a write tells.
    rmdirSync(mkdtempSync(join(path, '.grantkeeper-')))
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOTDIR' ? `${dirname(path)} is not a directory` : `${path} is not writable (${code})`
  }
}

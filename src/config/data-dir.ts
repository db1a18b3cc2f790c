import { mkdtempSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { EnvironmentReader } from './environment.ts'

/** `DATA_DIR` is a folder in which this process may write, or can be made. Nothing stays there yet: a start that fails leaves nothing behind. */
export function checkDataDir(env: EnvironmentReader, dataDir: string): void {
  const why = reasonAgainst(resolve(dataDir))
  if (why !== undefined)
    env.problem(
      `DATA_DIR: ${env.quoted('DATA_DIR', dataDir)} cannot be used: ${why}. Give a folder in which this process may write, for example ${env.exampleOf('DATA_DIR')}.`
    )
}

function reasonAgainst(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false })
    const parent = dirname(path)
    if (found === undefined && parent !== path) return reasonAgainst(parent)
    if (!found?.isDirectory()) return `${path} is not a folder`
    // access(2) asks by the real user, knows nothing of quotas and little of network file systems.
    rmdirSync(mkdtempSync(join(path, '.grantkeeper-')))
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOTDIR' ? `${dirname(path)} is not a folder` : `${path} cannot be written to (${code})`
  }
}

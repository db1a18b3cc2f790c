import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The file of a program on the PATH. */
export function onPath(program: string): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter)
  return places.map(place => join(place, program)).find(isExecutable)
}

/** The shell is the same engine without a window system: a journey takes it two thirds of the time. */
export const chromiumPath = (): string | undefined =>
  ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'].map(onPath).find(path => path !== undefined)

export const pythonModules = ['requests', 'httpx', 'urllib3', 'aiohttp'] as const
export type PythonModule = (typeof pythonModules)[number]

/** A Python that has them all. What Debian packages is for Debian's own, which need not be the first on the PATH. */
export const pythonPath = (): string | undefined =>
  [onPath('python3'), '/usr/bin/python3'].find(
    path => path !== undefined && spawnSync(path, ['-c', `import ${pythonModules.join()}`], { stdio: 'ignore' }).status === 0
  )

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

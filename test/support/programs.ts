import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The path of a program on the PATH. */
export function onPath(program: string): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter)
  return directories.map(directory => join(directory, program)).find(isExecutable)
}

/** The headless shell comes first: the same engine without a window system runs a journey in two thirds of the time. */
export const chromiumPath = (): string | undefined =>
  ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'].map(onPath).find(path => path !== undefined)

/** Debian packages the Extended Support Release, under its own name. */
export const firefoxPath = (): string | undefined => ['firefox-esr', 'firefox'].map(onPath).find(path => path !== undefined)

export const pythonModules = ['requests', 'httpx', 'urllib3', 'aiohttp'] as const
export type PythonModule = (typeof pythonModules)[number]

/** A Python that has all of these modules. Debian's packages install them for /usr/bin/python3, which may not be the first on the PATH. */
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

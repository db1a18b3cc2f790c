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

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

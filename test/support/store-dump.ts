import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** All bytes of an embedded store's files, the write-ahead log included, one character a byte. */
export const dumpOf = (directory: string): string =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => readFileSync(join(entry.parentPath, entry.name)).toString('latin1'))
    .join('\n')

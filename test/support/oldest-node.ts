import { cpSync, existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exclusively } from './exclusively.ts'
import { runNpm } from './run-npm.ts'

const root = join(import.meta.dirname, '..', '..')
const source = join(root, 'test', 'package', 'oldest-node')
const folder = join(root, 'node_modules', '.cache', 'oldest-node')
const lockFile = 'package-lock.json'

/**
 * The path of the oldest Node.js that the package supports, for this system. It is installed once, 50 MB to load and 170 MB on disk. It is no
 * dependency of the project, because npm would have two packages that are both `node_modules/.bin/node`.
 * @throws {Error} if it cannot be installed
 */
export function oldestNode(): string {
  return exclusively(folder, () => {
    const isCurrent = existsSync(join(folder, lockFile)) && read(folder) === read(source) && program() !== undefined
    if (!isCurrent) {
      process.stderr.write('Installing the oldest Node.js that the package supports.\n')
      for (const file of ['package.json', '.npmrc', lockFile]) cpSync(join(source, file), join(folder, file))
      runNpm(folder, ['ci', '--prefer-offline', '--no-audit', '--no-fund'])
    }
    const path = program()
    if (path === undefined)
      throw new Error(`There is no Node.js for ${process.platform} ${process.arch} in ${join(source, 'package.json')}.`)
    return path
  })
}

const read = (directory: string): string => readFileSync(join(directory, lockFile), 'utf8')
const program = (): string | undefined => globSync(join(folder, 'node_modules', 'node-*', 'bin', 'node'))[0]

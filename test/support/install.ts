import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { onPath } from './programs.ts'

/**
 * Installs Debian packages if this process runs as root.
 * @param subject of the sentence that says what is needed, such as `A test run`
 * @returns instructions to install them by hand; `undefined` when they are installed
 */
export function install(packages: readonly string[], subject: string): string | undefined {
  if (packages.length === 0) return undefined
  const names = packages.join(', ')
  const command = ['install', '--yes', '--no-install-recommends', ...packages]
  if (process.getuid?.() !== 0 || !onPath('apt-get'))
    return `${subject} needs ${names}. On Debian or Ubuntu: sudo apt-get ${command.join(' ')}`
  process.stderr.write(`Installing ${names}.\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update', '--quiet'], command]) {
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env })
    if (status !== 0) return `apt-get ${args.join(' ')} failed. Install ${names} by hand.`
  }
  return undefined
}

/**
 * Installs the npm packages of a folder that has a package-lock.json of its own, if they are missing or older than that.
 * @returns why that is not possible; `undefined` when they are installed
 */
export function installPackages(folder: string): string | undefined {
  if (modifiedMs(join(folder, 'node_modules', '.package-lock.json')) >= modifiedMs(join(folder, 'package-lock.json'))) return undefined
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder], { stdio: ['ignore', 'ignore', 'inherit'] })
  return status === 0 ? undefined : `npm ci --prefix ${folder} failed`
}

/** 0 for a missing file. */
const modifiedMs = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

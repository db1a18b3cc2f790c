import { spawnSync } from 'node:child_process'
import { onPath } from './programs.ts'

/**
 * Installs Debian packages, where this process may.
 * @param who needs them, at the beginning of a sentence
 * @returns what to do by hand where it could not; `undefined` when they are there
 */
export function install(packages: readonly string[], who: string): string | undefined {
  if (packages.length === 0) return undefined
  const names = packages.join(', ')
  const command = ['install', '--yes', '--no-install-recommends', ...packages]
  if (process.getuid?.() !== 0 || !onPath('apt-get')) return `${who} needs ${names}. On Debian or Ubuntu: sudo apt-get ${command.join(' ')}`
  process.stderr.write(`Installing ${names}.\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update', '--quiet'], command]) {
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env })
    if (status !== 0) return `apt-get ${args.join(' ')} failed. Install ${names} by hand.`
  }
  return undefined
}

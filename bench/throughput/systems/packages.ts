import { readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestedCore } from '../cores.ts'
import { type Daemon, startDaemon } from '../daemon.ts'
import type { World } from '../system.ts'

const project = join(import.meta.dirname, '..', '..', '..')

/** What nobody who builds on these packages can save: a process that has loaded Latchkey's, and does nothing. */
export async function startPackages({ owner, directory }: World): Promise<Daemon> {
  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  const load = Object.keys(dependencies).map(name => `await import(${JSON.stringify(import.meta.resolve(name))})`)
  const program = [...load, `process.stdout.write('ready')`, 'setInterval(() => {}, 60_000)'].join('\n')
  return startDaemon(owner, onTestedCore([process.execPath, '--input-type=module', '--eval', program]), {
    environment: { NODE_ENV: 'production' },
    logFile: join(await mkdtemp(join(directory, 'packages-')), 'output.log'),
    ready: { says: /ready$/ }
  })
}

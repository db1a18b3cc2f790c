// Runs before the tests: installs the programs that they need, or prints what to install by hand. No test is skipped when one is missing.
import { join } from 'node:path'
import { install, installPackages } from './install.ts'
import { oldestNode } from './oldest-node.ts'
import { chromiumPath, firefoxPath, onPath, pythonPath } from './programs.ts'

/** Paths of the required programs and the packages that contain them. */
const requirements: ReadonlyArray<readonly [path: string | undefined, ...packages: string[]]> = [
  [onPath('redis-server'), 'redis-server'],
  [chromiumPath(), 'chromium-headless-shell'],
  [firefoxPath(), 'firefox-esr'],
  [onPath('nginx'), 'nginx'],
  ...(process.platform === 'linux' ? [[onPath('systemd-analyze'), 'systemd'] as const] : []),
  [onPath('curl'), 'curl'],
  [onPath('ab'), 'apache2-utils'],
  [onPath('wrk'), 'wrk'],
  [onPath('hey'), 'hey'],
  [pythonPath(), 'python3', 'python3-requests', 'python3-httpx', 'python3-urllib3', 'python3-aiohttp']
]
const missing = requirements.flatMap(([path, ...packages]) => (path === undefined ? packages : []))
// Next.js is a third of a gigabyte, so it is not among the packages that `npm ci` installs.
const instructions = install(missing, 'A test run') ?? installPackages(join(import.meta.dirname, '..', 'next-app'))
if (instructions !== undefined) {
  process.stderr.write(`${instructions}\n`)
  process.exit(1)
}
oldestNode()

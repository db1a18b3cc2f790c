// Runs before the tests: installs the programs that they need, or prints what to install by hand. No test is skipped when one is missing.
import { install } from './install.ts'
import { oldestNode } from './oldest-node.ts'
import { chromiumPath, onPath, pythonPath } from './programs.ts'

/** Paths of the required programs and the packages that contain them. */
const requirements: ReadonlyArray<readonly [path: string | undefined, ...packages: string[]]> = [
  [onPath('redis-server'), 'redis-server'],
  [chromiumPath(), 'chromium-headless-shell'],
  [onPath('curl'), 'curl'],
  [onPath('ab'), 'apache2-utils'],
  [onPath('wrk'), 'wrk'],
  [onPath('hey'), 'hey'],
  [pythonPath(), 'python3', 'python3-requests', 'python3-httpx', 'python3-urllib3', 'python3-aiohttp']
]
const missing = requirements.flatMap(([path, ...packages]) => (path === undefined ? packages : []))
const instructions = install(missing, 'A test run')
if (instructions !== undefined) {
  process.stderr.write(`${instructions}\n`)
  process.exit(1)
}
oldestNode()

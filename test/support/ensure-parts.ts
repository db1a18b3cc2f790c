// Before the tests: the real programs that they run against. Installs what is missing where that is possible, and says
// what to install where it is not. Nothing is skipped for want of it.
import { install } from './install.ts'
import { chromiumPath, onPath, pythonPath } from './programs.ts'

/** Where it is, and the packages that bring it. */
const parts: ReadonlyArray<readonly [found: string | undefined, ...packages: string[]]> = [
  [onPath('redis-server'), 'redis-server'],
  [chromiumPath(), 'chromium-headless-shell'],
  [onPath('curl'), 'curl'],
  [onPath('ab'), 'apache2-utils'],
  [onPath('wrk'), 'wrk'],
  [onPath('hey'), 'hey'],
  [pythonPath(), 'python3', 'python3-requests', 'python3-httpx', 'python3-urllib3', 'python3-aiohttp']
]
const missing = parts.flatMap(([found, ...packages]) => (found === undefined ? packages : []))
const failed = install(missing, 'A test run')
if (failed !== undefined) {
  process.stderr.write(`${failed}\n`)
  process.exit(1)
}

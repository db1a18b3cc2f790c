// Before the tests: the real programs that they run against. Installs what is missing where that is possible, and says
// what to install where it is not. Nothing is skipped for want of it.
import { install } from './install.ts'
import { chromiumPath, onPath } from './programs.ts'

const missing = [...(onPath('redis-server') ? [] : ['redis-server']), ...(chromiumPath() ? [] : ['chromium-headless-shell'])]
const failed = install(missing, 'A test run')
if (failed !== undefined) {
  process.stderr.write(`${failed}\n`)
  process.exit(1)
}

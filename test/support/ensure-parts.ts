// Before the tests: the real programs that they run against. Installs what is missing where that is possible, and says
// what to install where it is not. Nothing is skipped for want of it.
import { spawnSync } from 'node:child_process'
import { chromiumPath, onPath } from './programs.ts'

const missing = [...(onPath('redis-server') ? [] : ['redis-server']), ...(chromiumPath() ? [] : ['chromium-headless-shell'])]

if (missing.length > 0) {
  const install = ['install', '--yes', '--no-install-recommends', ...missing]
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    process.stderr.write(`The tests need ${missing.join(' and ')}. On Debian or Ubuntu: sudo apt-get ${install.join(' ')}\n`)
    process.exit(1)
  }
  process.stderr.write(`Installing ${missing.join(' and ')}, which the tests run against.\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [['update', '--quiet'], install]) {
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env })
    if (status !== 0) {
      process.stderr.write(`apt-get ${args.join(' ')} failed. Install ${missing.join(' and ')} by hand.\n`)
      process.exit(1)
    }
  }
}

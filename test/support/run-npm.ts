import { spawnSync } from 'node:child_process'

/** @throws {Error} with npm's output */
export function runNpm(cwd: string, args: readonly string[]): void {
  // Without the loaders with which the test runner starts every Node, and without the folder of an npm that runs the tests.
  const unset = ['NODE_OPTIONS', 'npm_config_local_prefix'].flatMap(name => ['-u', name])
  const { status, stdout, stderr } = spawnSync('env', [...unset, 'npm', ...args], { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${cwd}:\n${stdout}${stderr}`)
}

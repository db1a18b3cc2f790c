import { type ChildProcess, type ChildProcessByStdio, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Test } from 'tap'
import { pollUntil } from '../../src/stores/wait-for-store.ts'
import { isRunning, killOnExit } from '../support/node-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { pathOf } from './support.ts'

/** On a busy machine Next.js compiles its first page for many seconds. */
const startMs = 120_000

/** Without tap's own modules, which it adds to the environment of what a test starts. */
const env = { PATH: process.env.PATH ?? '', NEXT_TELEMETRY_DISABLED: '1' }
const options = { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] } as const satisfies SpawnOptions

type ServerOptions = {
  readonly port: number
  /** The text of its configuration file. */
  readonly config: string
}

/** Vite's dev server with one page. */
export async function startVite(t: Test, { port, config, frontend }: ServerOptions & { readonly frontend: string }): Promise<void> {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'vite.config.js'), config)
  writeFileSync(join(folder, 'index.html'), frontend)
  const args = ['--strictPort', '--host', '127.0.0.1', '--port', `${port}`]
  await waitForServer(t, spawn('vite', args, { ...options, cwd: folder }), port)
}

/** The dev server of Next.js with the application in test/next-app. */
export async function startNext(t: Test, { port, config }: ServerOptions): Promise<void> {
  const folder = pathOf('test', 'next-app')
  const [file, cache] = [join(folder, 'next.config.mjs'), join(folder, '.next')]
  const clean = () => {
    for (const path of [file, cache]) rmSync(path, { recursive: true, force: true })
  }
  clean()
  t.teardown(clean)
  writeFileSync(file, config)
  const program = join(folder, 'node_modules', 'next', 'dist', 'bin', 'next')
  const args = [program, 'dev', '--hostname', '127.0.0.1', '--port', `${port}`]
  await waitForServer(t, spawn(process.execPath, args, { ...options, cwd: folder }), port)
}

/** Waits until a dev server serves its page. It runs until the test ends, together with the processes that it starts. */
async function waitForServer(t: Test, child: ChildProcessByStdio<null, Readable, Readable>, port: number): Promise<void> {
  killOnExit(child, true)
  t.teardown(() => stopGroup(child))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (output += chunk))
  const respond = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`)
    if (!response.ok) throw new Error(`status ${response.status}`)
  }
  if (!(await pollUntil(respond, startMs))) throw new Error(`The dev server does not respond: ${output}`)
}

/** The process may leave its children behind when it is killed alone. */
async function stopGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || !isRunning(child)) return
  const exit = once(child, 'exit')
  process.kill(-child.pid, 'SIGKILL')
  await exit
}

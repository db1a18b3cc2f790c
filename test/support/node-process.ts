import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Test } from 'tap'

/** A test or benchmark that ends the processes it started. */
export type Owner = Pick<Test, 'teardown'>

export type NodeProcess = { readonly child: ChildProcess; readonly output: () => string }

export type NodeOptions = {
  /** The path of another Node.js, which runs without the test runner's loaders. */
  readonly node?: string
  readonly cwd?: string
  /** Matches the output once it is ready, with its URL as first group. */
  readonly ready?: RegExp
}

/** The program and the first arguments that start Node.js without the loaders with which the test runner starts every Node. */
const plain = (node: string) => ['env', '-u', 'NODE_OPTIONS', node] as const

/** Runs Node.js without the test runner's loaders. @throws if its exit code is not 0 */
export function execNode(args: readonly string[], { node = process.execPath, cwd }: NodeOptions = {}) {
  const [program, ...first] = plain(node)
  return promisify(execFile)(program, [...first, ...args], cwd === undefined ? {} : { cwd })
}

/** Runs a script in its own process, with this environment only. */
export function runNode(
  owner: Owner,
  file: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  { node, cwd = process.cwd() }: NodeOptions = {}
): NodeProcess {
  const [program, ...first] = node === undefined ? [process.execPath] : plain(node)
  const child = spawn(program, [...first, file, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  killOnExit(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', chunk => (output += chunk))
  owner.teardown(() => stopProcess({ child }, 'SIGKILL'))
  return { child, output: () => output }
}

/** Runs a script and waits until it prints `… is ready: URL`, or what `ready` says. */
export async function startNode(
  owner: Owner,
  file: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
  options: NodeOptions = {}
): Promise<NodeProcess & { url: string }> {
  const { ready = / is ready: (\S+)/ } = options
  const started = runNode(owner, file, environment, args, options)
  const { child, output } = started
  for (;;) {
    const url = ready.exec(output())?.[1]
    if (url) return { ...started, url }
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')])
    if (!isRunning(child)) throw new Error(`process ended with ${child.exitCode ?? child.signalCode}: ${output()}`)
  }
}

/** Sends a signal and waits until the process has exited. @returns the exit code, or `null` if a signal ended it */
export async function stopProcess({ child }: Pick<NodeProcess, 'child'>, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (!isRunning(child)) return child.exitCode
  const exit = once(child, 'exit')
  child.kill(signal)
  const [code] = await exit
  return code
}

export const isRunning = (child: ChildProcess): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null

/** Process ids of the children, from proc(5) or POSIX ps. Empty if the process has ended. */
export function childrenOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter(child => child !== '')
  } catch {
    const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    return table.split('\n').flatMap(line => {
      const [child = '', parent] = line.trim().split(/\s+/)
      return parent === `${pid}` ? [child] : []
    })
  }
}

/**
 * Kills the child when this process ends. Even after SIGKILL the pipe closes, and the shell that reads it kills the child.
 *
 * @param isGroup whether the child was started `detached`: its own children are killed with it
 */
export function killOnExit(child: ChildProcess, isGroup = false): void {
  if (child.pid === undefined) return
  const watcher = spawn('sh', ['-c', `cat; kill -9 -- ${isGroup ? '-' : ''}${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('exit', () => watcher.kill('SIGKILL'))
}

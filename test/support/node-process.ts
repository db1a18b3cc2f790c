import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'

/** Who ends what was started: a test, or a bench. */
export type Owner = Pick<Test, 'teardown'>

export type NodeProcess = { readonly child: ChildProcess; readonly output: () => string }

/** A program of ours in a process of its own, with this environment and no other. */
export function runNode(owner: Owner, file: string, environment: Readonly<Record<string, string>>): NodeProcess {
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  endWithThisProcess(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', chunk => (text += chunk))
  owner.teardown(() => stopped({ child }, 'SIGKILL'))
  return { child, output: () => text }
}

/** The same, once it has said `… is ready: URL`. */
export async function startNode(
  owner: Owner,
  file: string,
  environment: Readonly<Record<string, string>>
): Promise<NodeProcess & { url: string }> {
  const started = runNode(owner, file, environment)
  const { child, output } = started
  for (;;) {
    const url = / is ready: (\S+)/.exec(output())?.[1]
    if (url) return { ...started, url }
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')])
    if (!runs(child)) throw new Error(`it ended with ${child.exitCode ?? child.signalCode}: ${output()}`)
  }
}

/** @returns its exit code; `null` when it was killed. */
export async function stopped({ child }: Pick<NodeProcess, 'child'>, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  if (!runs(child)) return child.exitCode
  const exit = once(child, 'exit')
  child.kill(signal)
  const [code] = await exit
  return code
}

export const runs = (child: ChildProcess): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null

/** proc(5) where there is one, and else as POSIX has it. None of a process that has ended. */
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

/** A process that is killed tears nothing down: its end of this pipe closes all the same, and the shell behind it kills the child. */
export function endWithThisProcess(child: ChildProcess): void {
  if (child.pid === undefined) return
  const watch = spawn('sh', ['-c', `cat; kill -9 ${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.on('exit', () => watch.kill('SIGKILL'))
}

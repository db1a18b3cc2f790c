import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, type Owner } from '../../test/support/node-process.ts'

export type Daemon = {
  readonly pid: number
  /** Milliseconds from spawn until it was ready. */
  readonly startMs: number
  /** Sends SIGTERM, then SIGKILL to what is left of its process group. */
  stop(): Promise<void>
}

export type Readiness = { readonly port: number } | { readonly says: RegExp }

const startTimeoutMs = 20_000
const pollMs = 5

/**
 * Starts a server in its own process group, with only this environment. It is ready when its port accepts connections, or when its output
 * matches. Its output goes to `logFile`, as under a service manager.
 * @throws with the end of that output when it exits or is not ready in time
 */
export async function startDaemon(
  owner: Owner,
  [program = '', ...args]: readonly string[],
  { environment = {}, logFile, ready }: { environment?: Readonly<Record<string, string>>; logFile: string; ready: Readiness }
): Promise<Daemon> {
  const log = openSync(logFile, 'a')
  const spawnMs = performance.now()
  const env = { PATH: process.env.PATH ?? '', ...environment }
  const child = spawn(program, args, { env, stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  const failed = once(child, 'error').then(([cause]) => Promise.reject(new Error(`${program} cannot be started`, { cause })))
  failed.catch(() => {})
  killGroupOnExit(child)
  const stop = () => stopGroup(child)
  owner.teardown(stop)
  while (!(await Promise.race([isReady(ready, logFile), failed]))) {
    if (isRunning(child) && performance.now() - spawnMs < startTimeoutMs) await sleep(pollMs)
    else throw new Error(`${[program, ...args].join(' ')} is not ready:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
  }
  return { pid: child.pid as number, startMs: performance.now() - spawnMs, stop }
}

async function isReady(ready: Readiness, logFile: string): Promise<boolean> {
  if ('says' in ready) return ready.says.test(readFileSync(logFile, 'utf8'))
  const socket = connect(ready.port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function stopGroup(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  if (isRunning(child)) {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await Promise.race([exit, sleep(3000)])
  }
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has no process left.
  }
}

/** Like `killOnExit` of the tests, but for the whole group: a killed nginx leaves its workers behind. */
function killGroupOnExit(child: ChildProcess): void {
  if (child.pid === undefined) return
  const watch = spawn('sh', ['-c', `cat; kill -9 -${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.on('exit', () => watch.kill('SIGKILL'))
}

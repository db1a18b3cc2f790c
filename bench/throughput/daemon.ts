import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Owner, runs } from '../../test/support/node-process.ts'

export type Daemon = {
  readonly pid: number
  /** From its start until it was ready. */
  readonly startMs: number
  /** SIGTERM, and SIGKILL for whoever is left of its children. */
  stop(): Promise<void>
}

export type Readiness = { readonly port: number } | { readonly says: RegExp }

const startTimeoutMs = 20_000
const pollMs = 5

/**
 * A server in a process group of its own, with this environment and no other; it is ready when its port takes connections, or when its
 * output says so. Its output goes to `logFile`, as under a service manager.
 * @throws with the end of that output, when it ends or is not ready in time
 */
export async function startDaemon(
  owner: Owner,
  [program = '', ...args]: readonly string[],
  { environment = {}, logFile, ready }: { environment?: Readonly<Record<string, string>>; logFile: string; ready: Readiness }
): Promise<Daemon> {
  const log = openSync(logFile, 'a')
  const beganMs = performance.now()
  const env = { PATH: process.env.PATH ?? '', ...environment }
  const child = spawn(program, args, { env, stdio: ['ignore', log, log], detached: true })
  closeSync(log)
  const failed = once(child, 'error').then(([cause]) => Promise.reject(new Error(`${program} cannot be started`, { cause })))
  failed.catch(() => {})
  killGroupOnExit(child)
  const stop = () => stopGroup(child)
  owner.teardown(stop)
  while (!(await Promise.race([isReady(ready, logFile), failed]))) {
    if (runs(child) && performance.now() - beganMs < startTimeoutMs) await sleep(pollMs)
    else throw new Error(`${[program, ...args].join(' ')} is not ready:\n${readFileSync(logFile, 'utf8').slice(-2000)}`)
  }
  return { pid: child.pid as number, startMs: performance.now() - beganMs, stop }
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
  if (runs(child)) {
    const exit = once(child, 'exit')
    child.kill('SIGTERM')
    await Promise.race([exit, sleep(3000)])
  }
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody is left.
  }
}

/** As `endWithThisProcess` of the tests, but for the children as well: a killed nginx leaves its workers behind. */
function killGroupOnExit(child: ChildProcess): void {
  if (child.pid === undefined) return
  const watch = spawn('sh', ['-c', `cat; kill -9 -${child.pid}`], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  child.on('exit', () => watch.kill('SIGKILL'))
}

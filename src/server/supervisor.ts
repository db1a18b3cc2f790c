import cluster, { type Worker } from 'node:cluster'
import { pino } from 'pino'
import { LogDestination } from './log-destination.ts'
import { type ReadyMessage, shutdownSignals } from './signals.ts'

/** The delay before a worker that ended is replaced; doubled each time one ends before it was ready. */
const minRestartDelayMs = 100
const maxRestartDelayMs = 10_000

type SupervisorOptions = {
  readonly logLevel: string
  /** Called once, when all workers are ready, with the startup banner. */
  readonly onReady: (banner: string) => void
}

/**
 * Runs gateways behind one port, each in a worker process; they share nothing but the store. A worker that ends is replaced. One that ends
 * before all are ready ends all of them with its exit code, since the others would fail the same way.
 * @param environment added to this process's environment
 */
export function supervise(count: number, environment: Readonly<Record<string, string>>, { logLevel, onReady }: SupervisorOptions): void {
  const logger = pino({ level: logLevel }, new LogDestination())
  const readyWorkers = new Set<Worker>()
  let hasStarted = false
  let restartDelayMs = minRestartDelayMs
  let exitCode: number | undefined

  cluster.on('message', (worker, { ready }: ReadyMessage) => {
    readyWorkers.add(worker)
    if (hasStarted || readyWorkers.size < count) return
    hasStarted = true
    onReady(ready)
  })

  cluster.on('exit', (worker, code, signal) => {
    const wasReady = readyWorkers.delete(worker)
    if (exitCode === undefined && !hasStarted) shutDown(code || 1)
    if (exitCode !== undefined) {
      if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(exitCode)
      return
    }
    restartDelayMs = wasReady ? minRestartDelayMs : Math.min(restartDelayMs * 2, maxRestartDelayMs)
    logger.error({ worker: worker.process.pid, code, signal, pauseMs: restartDelayMs }, 'worker ended; starting another')
    setTimeout(() => {
      if (exitCode === undefined) cluster.fork(environment)
    }, restartDelayMs)
  })

  /** Sends SIGTERM rather than a message: it also reaches a worker that is still starting and has nothing to finish. */
  function shutDown(code: number): void {
    exitCode ??= code
    const workers = Object.values(cluster.workers ?? {})
    for (const worker of workers) worker?.process.kill('SIGTERM')
    if (workers.length === 0) process.exit(exitCode)
  }

  for (const signal of shutdownSignals) process.once(signal, () => shutDown(0))
  for (let i = 0; i < count; i++) cluster.fork(environment)
}

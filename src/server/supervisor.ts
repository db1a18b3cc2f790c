import cluster, { type Worker } from 'node:cluster'
import { pino } from 'pino'
import { LogDestination } from './log-destination.ts'
import { type Ready, shutdownSignals } from './signals.ts'

/** Before another worker takes the place of one that ended; twice as long for each that ended without having served. */
const firstPauseMs = 100
const longestPauseMs = 10_000

type SupervisorOptions = {
  readonly logLevel: string
  /** Told once, when all have begun to serve. */
  readonly onReady: (message: string) => void
}

/**
 * So many gateways behind one port, each in a process of its own, with nothing in common but the store. One that ends is replaced;
 * one that cannot even start ends all, with its exit code, since the others could not either.
 * @param environment beside this process's own
 */
export function supervise(count: number, environment: Readonly<Record<string, string>>, { logLevel, onReady }: SupervisorOptions): void {
  const logger = pino({ level: logLevel }, new LogDestination())
  const serving = new Set<Worker>()
  let hasBegun = false
  let pauseMs = firstPauseMs
  let exitCode: number | undefined

  cluster.on('message', (worker, { ready }: Ready) => {
    serving.add(worker)
    if (hasBegun || serving.size < count) return
    hasBegun = true
    onReady(ready)
  })

  cluster.on('exit', (worker, code, signal) => {
    const hasServed = serving.delete(worker)
    if (exitCode === undefined && !hasBegun) leave(code || 1)
    if (exitCode !== undefined) {
      if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(exitCode)
      return
    }
    pauseMs = hasServed ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs)
    logger.error({ worker: worker.process.pid, code, signal, pauseMs }, 'a worker has ended; another takes its place')
    setTimeout(() => {
      if (exitCode === undefined) cluster.fork(environment)
    }, pauseMs)
  })

  /** By a signal, which reaches one that is still starting as well: it has nothing to finish. */
  function leave(code: number): void {
    exitCode ??= code
    const workers = Object.values(cluster.workers ?? {})
    for (const worker of workers) worker?.process.kill('SIGTERM')
    if (workers.length === 0) process.exit(exitCode)
  }

  for (const signal of shutdownSignals) process.once(signal, () => leave(0))
  for (let i = 0; i < count; i++) cluster.fork(environment)
}

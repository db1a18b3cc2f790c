import cluster, { type Worker } from 'node:cluster'
import { pino } from 'pino'
import { logDestination } from './log-destination.ts'
import { leaveNow, type Ready } from './worker.ts'

/** Before another worker takes the place of one that ended; twice as long for each that ends without having served. */
const firstPauseMs = 100
const longestPauseMs = 10_000

type Watch = {
  readonly logLevel: string
  /** Told once, when all have begun to serve. */
  readonly onReady: (message: string) => void
}

/**
 * So many gateways behind one port, each in a process of its own, with nothing in common but the store. One that ends is replaced;
 * one that cannot even start ends all, with its exit code, since the others could not either.
 * @param environment beside this process's own
 */
export function watchOver(count: number, environment: Readonly<Record<string, string>>, { logLevel, onReady }: Watch): void {
  const logger = pino({ level: logLevel }, logDestination())
  const serving = new Set<Worker>()
  let hasBegun = false
  let pauseMs = firstPauseMs
  let exitCode: number | undefined

  const fork = () => void cluster.fork(environment)

  cluster.on('message', (worker, { ready }: Ready) => {
    serving.add(worker)
    pauseMs = firstPauseMs
    if (hasBegun || serving.size < count) return
    hasBegun = true
    onReady(ready)
  })

  cluster.on('exit', (worker, code, signal) => {
    serving.delete(worker)
    if (exitCode === undefined && !hasBegun) leave(code || 1)
    if (exitCode !== undefined) {
      if (Object.keys(cluster.workers ?? {}).length === 0) process.exit(exitCode)
      return
    }
    logger.error({ worker: worker.process.pid, code, signal }, 'a worker has ended; another takes its place')
    setTimeout(() => {
      if (exitCode === undefined) fork()
    }, pauseMs)
    pauseMs = Math.min(pauseMs * 2, longestPauseMs)
  })

  function leave(code: number): void {
    exitCode ??= code
    // Those that were told by their terminal as well are told once.
    for (const worker of Object.values(cluster.workers ?? {})) if (worker?.isConnected()) worker.send(leaveNow)
  }

  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => leave(0))
  for (let i = 0; i < count; i++) fork()
}

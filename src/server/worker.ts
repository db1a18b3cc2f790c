import cluster from 'node:cluster'
import { type ServeOptions, serve } from './serve.ts'
import { type ReadyMessage, shutdownSignals } from './signals.ts'

/** Runs one of several gateways behind one port. It shuts down on a signal, however often it comes, or when the supervisor is gone. */
export async function runWorker(options: Omit<ServeOptions, 'onReady' | 'ignoredSignals'>): Promise<void> {
  const shutdownRequest = Promise.withResolvers<void>()
  // A signal may come twice: from a service manager that signals the whole process group, and from the supervisor.
  for (const signal of shutdownSignals) process.on(signal, () => shutdownRequest.resolve())
  // Runs before node:cluster's own listener, which would exit at once and abort the requests in flight.
  process.prependListener('disconnect', () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
    shutdownRequest.resolve()
  })
  const { shutDown } = await serve({ ...options, ignoredSignals: shutdownSignals, onReady: reportReady })
  shutdownRequest.promise.then(shutDown)
}

function reportReady(banner: string): void {
  if (process.connected) process.send?.({ ready: banner } satisfies ReadyMessage)
}

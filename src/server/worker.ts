import cluster from 'node:cluster'
import { type ServeOptions, serve } from './serve.ts'
import { type Ready, shutdownSignals } from './signals.ts'

/**
 * One gateway of several behind one port: it ends when it is told to, however often and by whomever, or when nobody watches over it any
 * more.
 */
export async function runWorker(parts: Omit<ServeOptions, 'onReady' | 'ignoredSignals'>): Promise<void> {
  const end = Promise.withResolvers<void>()
  // Each may come twice: from a service manager that signals all processes of a group, and from the first of them.
  for (const signal of shutdownSignals) process.on(signal, () => end.resolve())
  // Before node:cluster's own, which would end this process at once and cut off the calls that are under way.
  process.prependListener('disconnect', () => {
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true
    end.resolve()
  })
  const { leave } = await serve({ ...parts, ignoredSignals: shutdownSignals, onReady: tell })
  end.promise.then(leave)
}

function tell(message: string): void {
  if (process.connected) process.send?.({ ready: message } satisfies Ready)
}

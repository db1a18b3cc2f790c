import type { EventEmitter } from 'node:events'
import { Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { Gateway } from '../gateway.ts'
import type { Upstream } from '../upstream/send.ts'

/** A client that sends requests steadily sends one in this time, whose response has `Connection: close`. */
const idleMs = 2_000
const pollMs = 50
const maxTurns = 1_000

/**
 * Fails readiness for `delayMs`, so that load balancers route elsewhere, then stops listening and waits for open connections.
 * @param sockets the server's open connections
 * @returns when all of them have ended, at the latest after `timeoutMs`
 */
export async function shutDownGracefully(
  { app, startShutdown }: Gateway,
  sockets: ReadonlySet<Socket>,
  upstream: Upstream,
  { delayMs, timeoutMs }: Config['shutdown']
): Promise<void> {
  startShutdown()
  if (delayMs > 0) await sleep(delayMs)
  await stopListening(app.server)
  const deadlineMs = performance.now() + timeoutMs
  let lastBytes = -1
  let lastActivityMs = performance.now()
  while (sockets.size > 0 && performance.now() < deadlineMs) {
    // Repeatedly: a connection whose last response head was sent before the shutdown stays open and may start another event stream.
    upstream.endEventStreams()
    const bytes = totalBytes(sockets)
    if (bytes !== lastBytes) lastActivityMs = performance.now()
    lastBytes = bytes
    // Activity on any connection counts for all: the process waits for the active ones anyway.
    if (performance.now() - lastActivityMs >= idleMs) app.server.closeIdleConnections()
    await sleep(pollMs)
  }
  app.server.closeAllConnections()
}

function totalBytes(sockets: ReadonlySet<Socket>): number {
  let bytes = 0
  for (const { bytesRead, bytesWritten } of sockets) bytes += bytesRead + bytesWritten
  return bytes
}

/** @returns the server's open connections, updated as they open and close */
export function trackConnections(server: EventEmitter): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  return sockets
}

/**
 * Stops listening right after a turn of the event loop without new connections or requests. Closing a listening socket resets the
 * connections that the kernel has completed and the process has not accepted yet. In a quiet turn all of them have just been accepted, so
 * that only the next few microseconds are at risk; the kernel has no way to stop completing connections and keep the pending ones.
 */
function stopListening(server: Server): Promise<void> {
  return new Promise(resolve => {
    let isQuiet = false
    let turns = 0
    const onActivity = () => {
      isQuiet = false
    }
    const onTurn = () => {
      if (isQuiet || turns++ >= maxTurns) {
        // Not node:http's close(), which also ends idle connections at once: a request that is on its way on one of them would be lost.
        Server.prototype.close.call(server)
        server.off('connection', onActivity).off('request', onActivity)
        resolve()
        return
      }
      isQuiet = true
      setImmediate(onTurn)
    }
    server.on('connection', onActivity).on('request', onActivity)
    setImmediate(onTurn)
  })
}

import type { EventEmitter } from 'node:events'
import { Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/config.ts'
import type { Upstream } from '../upstream/send.ts'

/** Who calls steadily has called in that time, and been told that the connection closes. */
const idleMs = 2_000
const lookEveryMs = 50
const maxTurns = 1_000

/**
 * First balancers are told, then nobody new is let in, then those who are in have their time.
 * @param open the server's connections
 * @returns when all of them have ended, or their time has
 */
export async function shutDownGracefully(
  app: FastifyInstance,
  open: ReadonlySet<Socket>,
  upstream: Upstream,
  { delayMs, timeoutMs }: Config['shutdown']
): Promise<void> {
  app.startShutdown()
  if (delayMs > 0) await sleep(delayMs)
  await stopListening(app.server)
  const untilMs = performance.now() + timeoutMs
  let moved = -1
  let movedMs = performance.now()
  while (open.size > 0 && performance.now() < untilMs) {
    // Again and again: a connection whose last answer began before it was told to close stays open, and may bring the next stream.
    upstream.endEventStreams()
    const bytes = bytesOf(open)
    if (bytes !== moved) movedMs = performance.now()
    moved = bytes
    // Of all together: the process waits for those on which something moves in any case.
    if (performance.now() - movedMs >= idleMs) app.server.closeIdleConnections()
    await sleep(lookEveryMs)
  }
  app.server.closeAllConnections()
}

function bytesOf(open: ReadonlySet<Socket>): number {
  let bytes = 0
  for (const { bytesRead, bytesWritten } of open) bytes += bytesRead + bytesWritten
  return bytes
}

/** A server's connections, from now on. */
export function trackConnections(server: EventEmitter): ReadonlySet<Socket> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
  })
  return open
}

/**
 * Stops right after a turn of the event loop in which nobody came. A connection that the kernel has taken and we have not is reset when we
 * stop listening: so that is done when all have just been taken, in the same turn, before anything else takes time. What is left is a few
 * microseconds in which one may come; the kernel has no way to stop taking and keep what it has taken.
 */
function stopListening(server: Server): Promise<void> {
  return new Promise(resolve => {
    let hasCome = true
    let turns = 0
    const note = () => {
      hasCome = true
    }
    const turn = () => {
      if (!hasCome || turns++ >= maxTurns) {
        // Not that of node:http, which ends idle connections at once: a request that is on its way on one of them would be lost.
        Server.prototype.close.call(server)
        server.off('connection', note).off('request', note)
        resolve()
        return
      }
      hasCome = false
      setImmediate(turn)
    }
    server.on('connection', note).on('request', note)
    setImmediate(turn)
  })
}

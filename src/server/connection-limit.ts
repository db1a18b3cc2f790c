import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Logger } from 'pino'

/** Descriptors for providers, the store and files. At most half of a small limit: a request uses a connection on either side. */
const reservedDescriptors = 2_112
const logIntervalMs = 60_000

/**
 * Limits the server's connections to below the file descriptor limit, and logs when it refuses some. At the descriptor limit itself libuv
 * accepts and closes pending connections without an event, and neither provider connections nor files can be opened.
 */
export function limitConnections(server: Server, logger: Logger): void {
  const descriptors = maxDescriptors()
  if (descriptors === undefined) return
  server.maxConnections = connectionsFor(descriptors)
  let lastLogMs = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    const nowMs = performance.now()
    if (nowMs - lastLogMs < logIntervalMs) return
    lastLogMs = nowMs
    logger.error(
      { descriptors, connections: server.maxConnections },
      'connections refused: the file descriptor limit allows no more; raise it (ulimit -n, LimitNOFILE=), or run more instances'
    )
  })
}

/** How many client connections a file descriptor limit leaves. */
export const connectionsFor = (descriptors: number): number => descriptors - Math.min(Math.floor(descriptors / 2), reservedDescriptors)

/** From proc(5). `undefined` on systems without it. */
export function maxDescriptors(): number | undefined {
  try {
    const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    return Number.isSafeInteger(limit) ? limit : undefined
  } catch {
    return undefined
  }
}

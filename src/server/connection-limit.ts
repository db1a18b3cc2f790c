import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { Logger } from 'pino'

/** For providers, the store and files. Of a smaller limit, half: a call has a connection on either side. */
const reserved = 2_112
const logEveryMs = 60_000

/**
 * Takes no more connections than descriptors allow, and says so. At the limit itself the kernel's queue is emptied by closing what is in
 * it, of which Node tells nobody; and nothing else can be opened, a provider's connection or a file.
 */
export function limitConnections(server: Server, logger: Logger): void {
  const descriptors = maxDescriptors()
  if (descriptors === undefined) return
  server.maxConnections = descriptors - Math.min(Math.floor(descriptors / 2), reserved)
  let loggedMs = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    const nowMs = performance.now()
    if (nowMs - loggedMs < logEveryMs) return
    loggedMs = nowMs
    logger.error(
      { descriptors, connections: server.maxConnections },
      'connections are turned away: as many are open as the limit of descriptors allows; raise it (ulimit -n, LimitNOFILE=), or run more instances'
    )
  })
}

/** proc(5). Elsewhere nobody says without a command. */
function maxDescriptors(): number | undefined {
  try {
    const most = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])
    return Number.isSafeInteger(most) ? most : undefined
  } catch {
    return undefined
  }
}

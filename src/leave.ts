import type { EventEmitter } from 'node:events'
import { Server } from 'node:net'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config/config.ts'
import type { Upstream } from './upstream/send.ts'

/** A connection that was silent for so long is not one of a client that calls steadily. */
const idleMs = 2_000
const lookEveryMs = 50
const mostTurns = 1_000

/**
 * First balancers are told, then nobody new is let in, then those who are in have their time.
 * @returns when all connections have ended, or their time has
 */
export async function leave(app: FastifyInstance, upstream: Upstream, { delayMs, timeoutMs }: Config['shutdown']): Promise<void> {
  app.leave()
  if (delayMs > 0) await sleep(delayMs)
  await quiet(app.server)
  // Not that of node:http, which ends idle connections at once: a request that is on its way on one of them would be lost.
  Server.prototype.close.call(app.server)
  const untilMs = performance.now() + timeoutMs
  do {
    // Again and again: a connection whose last answer began before it was told to close stays open, and may bring the next stream.
    upstream.endEventStreams()
    if (app.endIdleConnections(idleMs) === 0) return
    await sleep(lookEveryMs)
  } while (performance.now() < untilMs)
  app.server.closeAllConnections()
}

/**
 * Resolves right after a turn of the event loop in which nobody came. A connection that the kernel has taken and we have not is reset
 * when we stop listening: so that is done when all have just been taken, and before anything else takes time.
 */
async function quiet(server: EventEmitter): Promise<void> {
  let hasCome = true
  const note = () => {
    hasCome = true
  }
  server.on('connection', note).on('request', note)
  for (let turns = 0; hasCome && turns < mostTurns; turns++) {
    hasCome = false
    await turn()
  }
  server.off('connection', note).off('request', note)
}

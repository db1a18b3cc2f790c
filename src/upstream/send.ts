import { Pool } from 'undici'
import type { Send } from '../core/forward.ts'
import { Exchange } from './exchange.ts'
import type { LookupFor } from './lookup.ts'

export type Upstream = {
  readonly send: Send
  /** Ends every event stream, whose end nobody could wait for; their clients come again, elsewhere. */
  endEventStreams(): void
  /** Ends every connection, calls under way too: the server in front has let its own end before. */
  close(): Promise<void>
}

/** Wide enough for event streams, which hold a connection each, and bounded, so that a provider cannot take every descriptor. */
const connectionsPerOrigin = 512
const connectTimeoutMs = 5_000

/**
 * Sending on undici: one pool an origin, certificates verified, redirects not followed, straight on `dispatch`, so that
 * a chunk of the provider's answer is one write to the client.
 */
export function openUpstream(lookupFor: LookupFor): Upstream {
  const pools = new Map<string, Pool>()
  const eventStreams = new Set<Exchange>()

  function poolOf(origin: string): Pool {
    let pool = pools.get(origin)
    if (!pool) {
      // Time limits are ours (see Exchange): undici's do not count the wait for a connection and cannot tell an event stream.
      pool = new Pool(origin, {
        connections: connectionsPerOrigin,
        connect: { timeout: connectTimeoutMs, lookup: lookupFor(origin) },
        headersTimeout: 0,
        bodyTimeout: 0,
        allowH2: false
      })
      pools.set(origin, pool)
    }
    return pool
  }

  return {
    send: (request, take) =>
      new Promise((resolve, reject) => new Exchange(request, take, resolve, reject, eventStreams).start(poolOf(request.origin))),
    endEventStreams: () => {
      for (const exchange of [...eventStreams]) exchange.endEarly()
    },
    close: async () => {
      await Promise.all([...pools.values()].map(pool => pool.destroy()))
    }
  }
}

import type { LookupFor } from '../core/ports.ts'
import type { Send } from '../core/proxy/upstream.ts'
import { ClientPool } from './client-pool.ts'
import { Exchange } from './exchange.ts'
import { EventStreams, type OriginPool } from './origin-pool.ts'
import { Semaphore } from './semaphore.ts'

export type Upstream = {
  readonly send: Send
  /** Ends every event stream: they do not end by themselves, so a graceful shutdown cannot wait for them. Their clients reconnect. */
  endEventStreams(): void
  /** Closes every connection and aborts requests in flight. A graceful shutdown lets these finish first. */
  close(): Promise<void>
}

/** Bounds the sockets (file descriptors) that one provider can take. */
type UpstreamLimits = {
  /** Requests in flight to one origin; more wait. Uploads do not count: src/core/proxy/concurrency-limits.ts limits those. */
  readonly requests: number
  /** Open event streams of one origin, beside its requests; one more is refused. */
  readonly eventStreams: number
  /** Origins of one provider that keep connections. Redirects may lead to ever new ones (`api.redirectHosts`). */
  readonly origins: number
}

/** Twice the requests that two sessions can have in flight (src/core/proxy/concurrency-limits.ts): two sessions cannot block all others. */
const defaultLimits: UpstreamLimits = { requests: 1_024, eventStreams: 512, origins: 64 }

/**
 * Sends requests with undici: a pool for each origin, certificates verified, redirects not followed. It uses `dispatch` directly, so that
 * a chunk from the provider is one write to the client.
 */
export function openUpstream(lookupFor: LookupFor, options: Partial<UpstreamLimits> = {}): Upstream {
  const limits = { ...defaultLimits, ...options }
  const poolsByProvider = new Map<string, Map<string, OriginPool>>()

  function poolFor(provider: string, origin: string): OriginPool {
    return poolsByProvider.get(provider)?.get(origin) ?? openPool(provider, origin)
  }

  function openPool(provider: string, origin: string): OriginPool {
    const pool = {
      clients: new ClientPool(origin, lookupFor(origin)),
      semaphore: new Semaphore(limits.requests),
      eventStreams: new EventStreams(limits.eventStreams)
    }
    const pools = poolsByProvider.get(provider) ?? new Map<string, OriginPool>()
    if (pools.size >= limits.origins) evictIdle(pools)
    poolsByProvider.set(provider, pools.set(origin, pool))
    return pool
  }

  /** Evicts the oldest idle pool, but never the first one: that is the provider's own origin. */
  function evictIdle(pools: Map<string, OriginPool>): void {
    for (const [origin, { clients }] of [...pools].slice(1)) {
      if (!clients.isIdle) continue
      pools.delete(origin)
      clients.destroy().catch(() => {})
      return
    }
  }

  const allPools = (): OriginPool[] => [...poolsByProvider.values()].flatMap(pools => [...pools.values()])

  return {
    send: request =>
      new Promise((resolve, reject) => {
        new Exchange(request, resolve, reject, poolFor(request.provider, request.origin)).start()
      }),
    endEventStreams: () => {
      for (const { eventStreams } of allPools()) for (const exchange of [...eventStreams]) exchange.endEarly()
    },
    close: async () => {
      await Promise.all(allPools().map(({ clients }) => clients.destroy()))
    }
  }
}

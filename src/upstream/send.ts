import type { LookupFor } from '../core/ports.ts'
import type { Send } from '../core/proxy/upstream.ts'
import { ClientPool } from './client-pool.ts'
import { Exchange } from './exchange.ts'
import { EventStreams, type OriginPool } from './origin-pool.ts'
import { Semaphore } from './semaphore.ts'

export type Upstream = {
  readonly send: Send
  /** Ends every event stream, whose end nobody could wait for; their clients come again, elsewhere. */
  endEventStreams(): void
  /** Ends every connection, calls under way too: the server in front has let its own end before. */
  close(): Promise<void>
}

/** To one origin of a provider at once. Bounded, so that a provider cannot take every descriptor. */
type Widths = {
  /** Further calls wait. Those whose body is sent as it comes are beside them, and counted before (src/core/proxy/concurrency-limits.ts). */
  readonly calls: number
  /** Beside the calls; a further one is refused. */
  readonly eventStreams: number
  /** Of one provider, that connections are kept to. Its redirects may lead to ever new ones (`api.redirectHosts`). */
  readonly origins: number
}

/** Twice as many calls as two sessions can have under way (src/core/proxy/concurrency-limits.ts): they cannot hold up all others. */
const defaultWidths: Widths = { calls: 1_024, eventStreams: 512, origins: 64 }

/**
 * Sending on undici: one origin apart from another, certificates verified, redirects not followed, straight on `dispatch`, so that
 * a chunk of the provider's answer is one write to the client.
 */
export function openUpstream(lookupFor: LookupFor, given: Partial<Widths> = {}): Upstream {
  const widths = { ...defaultWidths, ...given }
  const roads = new Map<string, Map<string, OriginPool>>()

  function roadTo(provider: string, origin: string): OriginPool {
    return roads.get(provider)?.get(origin) ?? open(provider, origin)
  }

  function open(provider: string, origin: string): OriginPool {
    const road = {
      clients: new ClientPool(origin, lookupFor(origin)),
      semaphore: new Semaphore(widths.calls),
      eventStreams: new EventStreams(widths.eventStreams)
    }
    const ofProvider = roads.get(provider) ?? new Map<string, OriginPool>()
    if (ofProvider.size >= widths.origins) evict(ofProvider)
    roads.set(provider, ofProvider.set(origin, road))
    return road
  }

  /** The one that was opened first of those that nobody uses; but for the provider's own, which was the very first. */
  function evict(ofProvider: Map<string, OriginPool>): void {
    for (const [origin, { clients }] of [...ofProvider].slice(1)) {
      if (!clients.areIdle) continue
      ofProvider.delete(origin)
      clients.destroy().catch(() => {})
      return
    }
  }

  const allRoads = (): OriginPool[] => [...roads.values()].flatMap(ofProvider => [...ofProvider.values()])

  return {
    send: request =>
      new Promise((resolve, reject) => {
        new Exchange(request, resolve, reject, roadTo(request.provider, request.origin)).start()
      }),
    endEventStreams: () => {
      for (const { eventStreams } of allRoads()) for (const exchange of [...eventStreams]) exchange.endEarly()
    },
    close: async () => {
      await Promise.all(allRoads().map(({ clients }) => clients.destroy()))
    }
  }
}

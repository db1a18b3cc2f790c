import type { Send } from '../core/forward.ts'
import { Connections } from './connections.ts'
import { EventStreams, Exchange, type Road } from './exchange.ts'
import { Lane } from './lane.ts'
import type { LookupFor } from './lookup.ts'

export type Upstream = {
  readonly send: Send
  /** Ends every event stream, whose end nobody could wait for; their clients come again, elsewhere. */
  endEventStreams(): void
  /** Ends every connection, calls under way too: the server in front has let its own end before. */
  close(): Promise<void>
}

/** To one origin at once. Bounded, so that a provider cannot take every descriptor. */
type Widths = {
  /** Further calls wait. */
  readonly calls: number
  /** Beside the calls; a further one is refused. */
  readonly eventStreams: number
}

const usualWidths: Widths = { calls: 512, eventStreams: 512 }

/**
 * Sending on undici: one origin apart from another, certificates verified, redirects not followed, straight on `dispatch`, so that
 * a chunk of the provider's answer is one write to the client.
 */
export function openUpstream(lookupFor: LookupFor, widths = usualWidths): Upstream {
  const roads = new Map<string, Road>()

  function roadTo(origin: string): Road {
    let road = roads.get(origin)
    if (!road) {
      const connections = new Connections(origin, lookupFor(origin))
      road = { connections, lane: new Lane(widths.calls), eventStreams: new EventStreams(widths.eventStreams) }
      roads.set(origin, road)
    }
    return road
  }

  return {
    send: (request, take) =>
      new Promise((resolve, reject) => {
        new Exchange(request, take, resolve, reject, roadTo(request.origin)).start()
      }),
    endEventStreams: () => {
      for (const { eventStreams } of roads.values()) for (const exchange of [...eventStreams]) exchange.endEarly()
    },
    close: async () => {
      await Promise.all([...roads.values()].map(({ connections }) => connections.destroy()))
    }
  }
}

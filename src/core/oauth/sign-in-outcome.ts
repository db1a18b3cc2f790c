import { type Connection, decodeConnection, encodeConnection } from '../connections/connection.ts'
import { flowLifetimeMs } from '../flow.ts'
import type { Store } from '../ports.ts'
import type { Ticket } from '../session.ts'
import type { Cipher } from '../vault/cipher.ts'

/** What became of a sign-in, for its callback to come again. */
export type Outcome = {
  readonly provider: string
} & (
  | {
      /** Where the browser is sent. */
      readonly location: string
      /** In whose records the connection is. A refusal, or a connection made for somebody else, is in nobody's here. */
      readonly owner?: string
      /** The session that it began or turned. */
      readonly session?: string
    }
  /** It failed for a reason that is shown where it comes back, and not at `return_to`. */
  | { readonly refusal: { readonly code: string; readonly detail: string } }
  /** The grant is there; in which session it goes is for the browser to show. */
  | { readonly connection: Connection }
)

export type Outcomes = {
  /** @param flow the sign-in's id */
  keep(flow: string, outcome: Outcome): Promise<void>
  find(flow: string): Promise<Outcome | undefined>
  /** Of a sign-in whose callback is at work, here or at another instance. `undefined` when it takes longer than `withinMs`. */
  wait(flow: string, withinMs: number): Promise<Outcome | undefined>
}

/** Whoever waits looks this often, even if no change is told. */
const lookMs = 1_000

const keyOf = (flow: string) => `flow:${flow}`

/** Outcomes are sealed: one may hold a grant, or the id of a session. They are kept for as long as a sign-in may take. */
export function createOutcomes({ store, cipher }: { store: Store; cipher: Cipher }): Outcomes {
  const contextOf = (flow: string) => `v1\0sign-in outcome\0${flow}`

  async function find(flow: string): Promise<Outcome | undefined> {
    const sealed = await store.kept(keyOf(flow))
    const plain = sealed && cipher.open(sealed, contextOf(flow))
    if (!plain) return undefined
    const { connection, ...rest } = JSON.parse(plain.toString())
    return connection === undefined ? rest : { ...rest, connection: decodeConnection(Buffer.from(connection)) }
  }

  return {
    find,

    async keep(flow, outcome) {
      const plain = 'connection' in outcome ? { ...outcome, connection: encodeConnection(outcome.connection).toString() } : outcome
      await store.keep(keyOf(flow), cipher.seal(Buffer.from(JSON.stringify(plain)), contextOf(flow)), flowLifetimeMs)
    },

    async wait(flow, withinMs) {
      const untilMs = performance.now() + withinMs
      for (;;) {
        const leftMs = untilMs - performance.now()
        const changed = store.watch.nextChange(keyOf(flow), Math.max(0, Math.min(lookMs, leftMs)))
        const outcome = await find(flow)
        if ((outcome && !('connection' in outcome)) || leftMs <= 0) return outcome && 'connection' in outcome ? undefined : outcome
        await changed
      }
    }
  }
}

/** Of the session that the sign-in began or turned. */
export const ticketOf = (outcome: Outcome): Ticket | undefined =>
  'location' in outcome && outcome.owner !== undefined && outcome.session !== undefined
    ? { owner: outcome.owner, id: outcome.session }
    : undefined

import { type Connection, decodeConnection, encodeConnection } from '../connections/connection.ts'
import { flowLifetimeMs } from '../flow.ts'
import type { Store } from '../ports.ts'
import type { SessionRef } from '../session.ts'
import type { Cipher } from '../vault/cipher.ts'

/** The outcome of a sign-in, with which its callback can be repeated. */
export type SignInOutcome = {
  readonly provider: string
} & (
  | {
      /** Where the browser is sent. */
      readonly location: string
      /** Whose records hold the connection. Absent for a refusal and for a connection that was made for an inviter. */
      readonly owner?: string
      /** The id of the session that it began or rotated. */
      readonly session?: string
    }
  /** It failed for a reason that is shown at the callback, and not at `return_to`. */
  | { readonly refusal: { readonly code: string; readonly detail: string } }
  /** The grant is there. The browser has yet to show which session it belongs to. */
  | { readonly connection: Connection }
)

export type SignInOutcomes = {
  /** @param flow the sign-in's id */
  save(flow: string, outcome: SignInOutcome): Promise<void>
  find(flow: string): Promise<SignInOutcome | undefined>
  /** Waits for the outcome of a callback that is being handled, here or at another instance. @returns `undefined` after `withinMs` */
  waitFor(flow: string, withinMs: number): Promise<SignInOutcome | undefined>
}

/** A waiter reads this often, even without a change notification. */
const pollMs = 1_000

const keyOf = (flow: string) => `flow:${flow}`

/** Outcomes are sealed: one may hold a grant, or the id of a session. They are stored for as long as a sign-in may take. */
export function createSignInOutcomes({ store, cipher }: { store: Store; cipher: Cipher }): SignInOutcomes {
  const contextOf = (flow: string) => `v1\0sign-in outcome\0${flow}`

  async function find(flow: string): Promise<SignInOutcome | undefined> {
    const sealed = await store.getValue(keyOf(flow))
    const plain = sealed && cipher.open(sealed, contextOf(flow))
    if (!plain) return undefined
    const { connection, ...rest } = JSON.parse(plain.toString())
    return connection === undefined ? rest : { ...rest, connection: decodeConnection(Buffer.from(connection)) }
  }

  return {
    find,

    async save(flow, outcome) {
      const plain = 'connection' in outcome ? { ...outcome, connection: encodeConnection(outcome.connection).toString() } : outcome
      await store.setValue(keyOf(flow), cipher.seal(Buffer.from(JSON.stringify(plain)), contextOf(flow)), flowLifetimeMs)
    },

    async waitFor(flow, withinMs) {
      const untilMs = performance.now() + withinMs
      for (;;) {
        const leftMs = untilMs - performance.now()
        const changed = store.changes.waitForChange(keyOf(flow), Math.max(0, Math.min(pollMs, leftMs)))
        const outcome = await find(flow)
        if ((outcome && !('connection' in outcome)) || leftMs <= 0) return outcome && 'connection' in outcome ? undefined : outcome
        await changed
      }
    }
  }
}

/** The session that the sign-in began or rotated. */
export const sessionRefOf = (outcome: SignInOutcome): SessionRef | undefined =>
  'location' in outcome && outcome.owner !== undefined && outcome.session !== undefined
    ? { owner: outcome.owner, id: outcome.session }
    : undefined

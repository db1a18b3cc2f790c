import type { Provider } from '../core/provider/definition.ts'
import type { VendorControl } from '../sandbox/vendor-server.ts'

/** A gateway, and one vendor of the sandbox that it uses. */
export type Stage = {
  /** The gateway's, such as `http://localhost:3000`. */
  readonly origin: string
  /** As its author has written it, and as the vendor is played. */
  readonly definition: Provider
  readonly vendor: VendorControl
  /** The gateway's. The vendor has the machine's. */
  readonly clock: { now(): number; advance(ms: number): void }
  /** What the gateway has logged as a warning or an error so far. */
  readonly warnings?: () => readonly string[]
  /** For what the gateway does after its response. Default: 10 s. */
  readonly maxWaitMs?: number
}

/** One thing that holds for a definition. */
export type Step = {
  /** A short sentence. */
  readonly title: string
  /** @returns why it says nothing of this definition, a sentence; `undefined` if it does */
  readonly without?: (definition: Provider) => string | undefined
  /** @throws {ContractProblem} if it does not hold */
  readonly run: () => Promise<void>
}

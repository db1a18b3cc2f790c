import type { Provider } from '../core/provider/definition.ts'
import type { SandboxClient } from './client.ts'
import type { Facts } from './facts.ts'
import type { GrantStore } from './grant-store.ts'
import type { VendorState } from './state.ts'

/** What the parts of a played vendor share. */
export type PlayedVendor = {
  /** With its addresses at the sandbox. */
  readonly definition: Provider
  /** What these begin with: the sandbox's origin and the vendor's name, with a slash at its end. */
  readonly prefix: string
  readonly client: SandboxClient
  readonly facts: Facts
  readonly state: VendorState
  readonly store: GrantStore
  /** The `iss` of its authorization responses (RFC 9207) and ID tokens. */
  readonly issuer: string
}

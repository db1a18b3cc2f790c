import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from '../core/provider/definition.ts'
import { playedDefinition } from '../core/provider/played-definition.ts'
import { createClient, type SandboxClient } from './client.ts'
import { createFacts, type Facts } from './facts.ts'
import type { GrantFile } from './grant-file.ts'
import { createGrantStore } from './grant-store.ts'
import { type HandleRequest, openVendor } from './open-vendor.ts'
import type { PlayedVendor } from './played-vendor.ts'
import { createVendorState, type VendorState } from './state.ts'
import { type Switches, switchesOf } from './switches.ts'
import type { Vendor } from './vendor.ts'

/** A test's handle on one vendor of a running sandbox. */
export type VendorControl = Omit<VendorState, 'recordRequest'> & {
  /** The `iss` of its authorization responses (RFC 9207). */
  readonly issuer: string
  /** The definition with its addresses at the sandbox. */
  readonly definition: Provider
  readonly client: Pick<SandboxClient, 'id' | 'secret'>
  /** What the vendor accepts as a key, the same at every start. It gives access to invented data only. */
  readonly apiKey: string
  /** What the form of a key asks for, the key among them. */
  readonly fields: Facts['fields']
  /** What users are asked for. */
  readonly parameters: Facts['parameters']
  /** The e-mail addresses of those whose grants have not ended. */
  accounts(): readonly string[]
  /** Invalidates all access tokens issued so far; refresh tokens stay valid. */
  expireAccessTokens(): void
  /** Invalidates all access and refresh tokens issued so far, as if the user had revoked the access. */
  revokeGrants(): void
}

export type VendorServer = {
  readonly state: VendorState
  readonly control: VendorControl
  /** @param target the request target after the vendor's name and its slash */
  handle(req: IncomingMessage, res: ServerResponse, target: string): Promise<void>
}

type VendorServerOptions = {
  readonly origin: string
  readonly redirectUris: () => readonly string[]
  readonly switches: Partial<Switches> | undefined
  readonly grants: GrantFile | undefined
  /** Loads what the vendor has beside its definition. */
  readonly loadData: () => Promise<Vendor | undefined>
}

/** Plays a vendor from its definition: everything below `/NAME/`, where each host of the vendor is a path segment. */
export function createVendorServer(
  definition: Provider,
  { origin, redirectUris, switches, grants, loadData }: VendorServerOptions
): VendorServer {
  const { name } = definition
  const state = createVendorState({ ...switchesOf(definition.methods.oauth2?.tokens), ...switches })
  const played = playedDefinition(definition, origin)
  const client = createClient(name, definition.methods.oauth2)
  const prefix = `${origin}/${name}/`
  const issuer = played.methods.oauth2?.issuer ?? `${origin}/${name}`
  const facts = createFacts(played, client, state.switches)
  const store = createGrantStore({
    graceMs: () => state.switches.graceSeconds * 1000,
    saved: grants?.read(name),
    onChange: granted => grants?.save(name, granted)
  })
  const vendor: PlayedVendor = { definition: played, prefix, client, facts, state, store, issuer }
  let opened: Promise<HandleRequest> | undefined

  return {
    state,
    control: {
      ...state,
      issuer,
      definition: played,
      client,
      apiKey: facts.key,
      fields: facts.fields,
      parameters: facts.parameters,
      accounts: () => store.grants().map(({ account }) => account),
      expireAccessTokens: store.expireAccessTokens,
      revokeGrants: () => store.end(...store.grants())
    },
    async handle(req, res, target) {
      opened ??= loadData().then(data => openVendor(vendor, redirectUris, data))
      await (await opened)(req, res, target)
    }
  }
}

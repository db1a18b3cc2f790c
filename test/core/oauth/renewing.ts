import type { Test } from 'tap'
import type { Connection, Grant } from '../../../src/core/connections/connection.ts'
import { createEvents, type Events, type GatewayEvents } from '../../../src/core/events.ts'
import type { ConnectError } from '../../../src/core/oauth/error-codes.ts'
import { createRenewal, type Renew, type Renewal, type RenewalDependencies } from '../../../src/core/oauth/renewal.ts'
import type { TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import { TokenEndpointError, type TokenErrorDetails } from '../../../src/core/oauth/token-response.ts'
import type { Store } from '../../../src/core/ports.ts'
import type { Secret } from '../../../src/core/secret.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault, type Vault } from '../../../src/core/vault/vault.ts'
import {
  connectionWith,
  grantOf,
  hour,
  type Instance,
  keyOf,
  limits,
  newKey,
  openInstance,
  revealSecrets,
  sameBrowserCallback
} from '../support.ts'

export type World = Instance & {
  keys: Buffer[]
  endpoint: Endpoint
  orphans: Connection[]
  events: Events
  renew: Renew
  settle: Renewal['settle']
}

/** A token endpoint that rotates: `refresh-1` buys `access-2` and `refresh-2`, once. What a test says beforehand it answers first. */
class Endpoint implements TokenEndpoint {
  readonly spent: string[] = []
  readonly answers: Array<(refreshToken: string) => Grant | Promise<Grant>> = []

  async refresh(refreshToken: Secret): Promise<Grant> {
    const token = refreshToken.reveal()
    const again = this.spent.includes(token)
    this.spent.push(token)
    await new Promise(setImmediate)
    const answer = this.answers.shift()
    if (answer) return answer(token)
    if (again) throw invalidGrant()
    return next(token)
  }

  exchange(): never {
    throw new Error('renewal exchanges no code')
  }

  revoke(): never {
    throw new Error('renewal revokes nothing by itself')
  }
}

export const next = (refreshToken: string): Grant => {
  const number = Number(refreshToken.split('-')[1]) + 1
  return grantOf(`access-${number}`, `refresh-${number}`, hour)
}
const invalidGrant = () => new TokenEndpointError('refused', 'the token endpoint answered 400 invalid_grant', 'invalid_grant')
export const failing = (kind: TokenEndpointError['kind'], reason?: ConnectError, fault?: TokenErrorDetails) => () => {
  throw new TokenEndpointError(kind, 'the token endpoint failed', reason, fault)
}

/** One instance of a gateway with a connection in its store. */
export async function begin(t: Test, connection = connectionWith(), parts: Partial<RenewalDependencies> = {}): Promise<World> {
  const keys = [newKey()]
  const instance = openInstance(t, { keys })
  await instance.vault.connect('owner', undefined, connection, sameBrowserCallback(instance.clock))
  return renewing({ ...instance, keys, endpoint: new Endpoint(), orphans: [], events: createEvents() }, parts)
}

const renewing = (parts: Omit<World, 'renew' | 'settle'>, more: Partial<RenewalDependencies> = {}): World => ({
  ...parts,
  ...createRenewal({
    vault: parts.vault,
    lease: parts.store,
    store: parts.store,
    changes: parts.store.changes,
    clock: parts.clock,
    events: parts.events,
    revocation: revokingInto(parts.orphans),
    endpointOf: name => (name === 'unconfigured' ? undefined : parts.endpoint),
    ...more
  })
})

/** A revocation that only notes which grants it was asked to revoke. */
export const revokingInto = (revoked: Connection[]): RenewalDependencies['revocation'] => ({
  revoke: async connection => void revoked.push(connection),
  revokeReplaced: () => {}
})

/** Collects the messages of one event. */
export function collect<Name extends keyof GatewayEvents>(events: Events, name: Name): Array<GatewayEvents[Name]> {
  const messages: Array<GatewayEvents[Name]> = []
  events.subscribe(name, message => messages.push(message))
  return messages
}

/** Another process on the same store, in front of the same provider. */
export const another = (
  t: Test,
  { keys, directory, clock, endpoint, orphans, events }: World,
  parts: Partial<RenewalDependencies> = {}
): World => renewing({ ...openInstance(t, { keys, directory, clock }), keys, endpoint, orphans, events }, parts)

/** The same process on a store with other ways. */
export const withStore = (world: World, changes: Partial<Store>): World => {
  const store = { ...world.store, ...changes }
  return renewing({ ...world, store, vault: createVault({ store, cipher: createCipher(world.keys), limits, clock: world.clock }) })
}

export const many = <T>(count: number, call: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, call))
export const credentialsOf = (results: ReadonlyArray<{ value: Connection }>) => [
  ...new Set(results.map(({ value }) => value.credential.reveal()))
]
export const kept = async (vault: Vault, provider = 'acme') => (await vault.readConnection(keyOf('owner', provider)))?.value
export const keptTold = async (vault: Vault) => {
  const connection = await kept(vault)
  return connection && revealSecrets(connection)
}

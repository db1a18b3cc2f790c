import type { Test } from 'tap'
import type { Connection, Grant } from '../../../src/core/connections/connection.ts'
import { createEvents, type Events, type GatewayEvents } from '../../../src/core/events.ts'
import type { ConnectError } from '../../../src/core/oauth/error-codes.ts'
import { createRenewal, type Renew, type Renewal, type RenewalDependencies } from '../../../src/core/oauth/renewal.ts'
import type { TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import { TokenEndpointError, type TokenErrorDetails } from '../../../src/core/oauth/token-response.ts'
import type { Store } from '../../../src/core/ports.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createVault, type Vault } from '../../../src/core/vault/vault.ts'
import {
  connectionIdleMs,
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
  endpoint: RotatingEndpoint
  revoked: Connection[]
  events: Events
  renew: Renew
  settle: Renewal['settle']
}

/** Rotates refresh tokens: `refresh-1` is exchanged for `access-2` and `refresh-2`, once. `responses` come first. */
class RotatingEndpoint implements TokenEndpoint {
  readonly usedTokens: string[] = []
  readonly responses: Array<(refreshToken: string) => Grant | Promise<Grant>> = []

  async refresh({ refreshToken }: Connection): Promise<Grant> {
    const token = refreshToken?.reveal() ?? ''
    const isReused = this.usedTokens.includes(token)
    this.usedTokens.push(token)
    await new Promise(setImmediate)
    const respond = this.responses.shift()
    if (respond) return respond(token)
    if (isReused) throw invalidGrant()
    return nextGrant(token)
  }

  exchange(): never {
    throw new Error('a renewal exchanges no code')
  }

  revoke(): never {
    throw new Error('a renewal revokes nothing itself')
  }
}

/** The grant that follows this refresh token. */
export const nextGrant = (refreshToken: string): Grant => {
  const number = Number(refreshToken.split('-')[1]) + 1
  return grantOf(`access-${number}`, `refresh-${number}`, hour)
}

const invalidGrant = () => new TokenEndpointError('refused', 'the token endpoint responded with 400 invalid_grant', 'invalid_grant')

/** A response of the token endpoint that is an error. */
export const failWith = (kind: TokenEndpointError['kind'], reason?: ConnectError, details?: TokenErrorDetails) => () => {
  throw new TokenEndpointError(kind, 'the token endpoint failed', reason, details)
}

/** One gateway instance with a connection in its store. */
export async function openWorld(t: Test, connection = connectionWith(), overrides: Partial<RenewalDependencies> = {}): Promise<World> {
  const keys = [newKey()]
  const instance = openInstance(t, { keys })
  await instance.vault.connect('owner', undefined, connection, { callback: sameBrowserCallback(instance.clock) })
  return createWorld({ ...instance, keys, endpoint: new RotatingEndpoint(), revoked: [], events: createEvents() }, overrides)
}

const createWorld = (parts: Omit<World, 'renew' | 'settle'>, overrides: Partial<RenewalDependencies> = {}): World => ({
  ...parts,
  ...createRenewal({
    vault: parts.vault,
    lease: parts.store,
    store: parts.store,
    changes: parts.store.changes,
    clock: parts.clock,
    events: parts.events,
    revocation: recordRevocations(parts.revoked),
    endpointOf: ({ provider }) => (provider === 'unconfigured' ? undefined : parts.endpoint),
    ...overrides
  })
})

/** Only records which connections it is asked to revoke. */
export const recordRevocations = (revoked: Connection[]): RenewalDependencies['revocation'] => ({
  revoke: async connection => void revoked.push(connection),
  revokeReplaced: () => {}
})

/** Collects the messages of one event. */
export function collect<Name extends keyof GatewayEvents>(events: Events, name: Name): Array<GatewayEvents[Name]> {
  const messages: Array<GatewayEvents[Name]> = []
  events.subscribe(name, message => messages.push(message))
  return messages
}

/** A second instance with the same store and provider. */
export const addInstance = (
  t: Test,
  { keys, directory, clock, endpoint, revoked, events }: World,
  overrides: Partial<RenewalDependencies> = {}
): World => createWorld({ ...openInstance(t, { keys, directory, clock }), keys, endpoint, revoked, events }, overrides)

/** The same instance with some methods of its store replaced. */
export const withStore = (world: World, methods: Partial<Store>): World => {
  const store = { ...world.store, ...methods }
  return createWorld({
    ...world,
    store,
    vault: createVault({ store, cipher: createCipher(world.keys), limits, connectionIdleMs, clock: world.clock })
  })
}

/** Makes all calls at once. */
export const inParallel = <T>(count: number, call: () => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, call))

export const distinctCredentials = (results: ReadonlyArray<{ value: Connection }>) => [
  ...new Set(results.map(({ value }) => value.credential.reveal()))
]

export const readConnection = async (vault: Vault, provider = 'acme') => (await vault.readConnection(keyOf('owner', provider)))?.value

/** The stored connection with its secrets revealed, for comparison. */
export const readRevealedConnection = async (vault: Vault) => {
  const connection = await readConnection(vault)
  return connection && revealSecrets(connection)
}

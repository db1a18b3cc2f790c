import type { Connection } from '../connections/connection.ts'
import { connectionUnknown } from '../connections/errors.ts'
import type { Store } from '../ports.ts'
import type { Vault } from '../vault/vault.ts'
import type { Revocation } from './revocation.ts'

type Dependencies = {
  readonly store: Pick<Store, 'confirmReplicated'>
  readonly vault: Pick<Vault, 'disconnect' | 'deleteConnections'>
  readonly revocation: Pick<Revocation, 'revoke'>
}

export type Disconnect = {
  /**
   * Deletes and revokes one account, or all of the provider's.
   * @throws {GatewayError} `connection_unknown` for an id that the owner does not have
   */
  disconnect(owner: string | undefined, provider: string, id: string | undefined): Promise<void>
  /** Deletes and revokes all that the owner has. */
  disconnectAll(owner: string | undefined): Promise<void>
}

export function createDisconnect({ store, vault, revocation }: Dependencies): Disconnect {
  /** Returns once a replica has the deletion, so that a failover cannot bring the connections back. */
  async function revokeDeleted(owner: string | undefined, deleted: readonly Connection[]): Promise<void> {
    const revoking = deleted.map(revocation.revoke)
    if (owner !== undefined) await store.confirmReplicated(owner)
    await Promise.all(revoking)
  }

  return {
    async disconnect(owner, provider, id) {
      const deleted = owner === undefined ? undefined : await vault.disconnect(owner, provider, id)
      if (!deleted && id !== undefined) throw connectionUnknown(provider)
      await revokeDeleted(owner, deleted ?? [])
    },

    async disconnectAll(owner) {
      await revokeDeleted(owner, owner === undefined ? [] : await vault.deleteConnections(owner))
    }
  }
}

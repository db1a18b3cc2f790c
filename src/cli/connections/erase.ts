import { createCipher } from '../../core/vault/cipher.ts'
import { findOwners } from '../../core/vault/listing.ts'
import { pendingOwner } from '../../core/vault/records.ts'
import { createServices, type Services } from '../../services.ts'
import { createLookup } from '../../upstream/lookup.ts'
import { openUpstream } from '../../upstream/send.ts'
import type { CommandContext } from '../command.ts'
import { openProgress, type Progress } from '../progress.ts'
import { withStore } from '../with-store.ts'
import { unreadableUsers } from './unreadable.ts'

/**
 * Deletes everything of everyone whom the records call by this id, also under an issuer that is not configured any more.
 * @returns the exit code
 */
export const eraseUser = (user: string, { variables, print, printError }: CommandContext): Promise<number> =>
  withStore(variables, async (store, config) => {
    const lookupFor = createLookup(config)
    const upstream = openUpstream(lookupFor)
    const progress = openProgress()
    try {
      const { owners, unreadable } = await findOwners(store, createCipher(config.keys.token), user, read =>
        progress.show(`looking for ${JSON.stringify(user)}: ${read} users read`)
      )
      const services = createServices(config, { store, clock: { now: Date.now }, send: upstream.send, lookupFor })
      const report = owners.length > 0 ? await erase(services, owners, progress) : undefined
      progress.end()
      print(
        report ? describe(user, report) : `Nothing of ${JSON.stringify(user)} was found in ${store.description}. Nothing was deleted.\n`
      )
      if (unreadable > 0) printError(unreadableUsers(unreadable, user))
      return report && unreadable === 0 ? 0 : 1
    } finally {
      progress.end()
      await upstream.close()
    }
  })

type Report = {
  /** Connections of the user that are deleted. */
  readonly deleted: number
  /** Revocations that wait in the store, of all users. */
  readonly waiting: number
}

async function erase(
  { vault, login, revocation, store, providers }: Services,
  owners: readonly string[],
  progress: Progress
): Promise<Report> {
  for (const owner of owners) await login?.userLogin.forgetIssuerSessions(owner)
  const deleted = (await Promise.all(owners.map(owner => vault.deleteOwner(owner)))).flat()
  let revoked = 0
  const onRevoked = () => progress.show(`${++revoked} of ${deleted.length} grants revoked`)
  // What a provider does not confirm now, or is not configured here, waits in the queue for a running gateway.
  await Promise.all(
    deleted.map(connection =>
      (providers.has(connection.provider) ? revocation.revoke(connection) : revocation.leaveToOthers(connection)).then(onRevoked)
    )
  )
  for (const owner of owners) await store.confirmReplicated(owner)
  return { deleted: deleted.length, waiting: (await store.readAll(pendingOwner)).size }
}

function describe(user: string, { deleted, waiting }: Report): string {
  const erased = `Everything of ${JSON.stringify(user)} is deleted: ${deleted} ${deleted === 1 ? 'connection' : 'connections'}, sessions and invitations.\n`
  if (waiting === 0) return erased
  return `${erased}${waiting} ${waiting === 1 ? 'revocation waits' : 'revocations wait'} in the store, of all users: a running gateway tries them again for 7 days.\n`
}

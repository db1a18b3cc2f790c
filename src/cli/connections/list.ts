import { timestamp } from '../../core/connections/view.ts'
import { createCipher } from '../../core/vault/cipher.ts'
import { findOwners, type ListedConnection, listConnections } from '../../core/vault/listing.ts'
import type { CommandContext } from '../command.ts'
import { withStore } from '../with-store.ts'
import { unreadableUsers } from './unreadable.ts'

type ListOptions = {
  /** Of all users if left out. */
  readonly user: string | undefined
  /** With any status if left out. */
  readonly status: string | undefined
  readonly json: boolean
}

/** @returns the exit code */
export const listAll = ({ user, status, json }: ListOptions, { variables, print, printError }: CommandContext): Promise<number> =>
  withStore(variables, async (store, { keys }) => {
    const cipher = createCipher(keys.token)
    const found = user === undefined ? undefined : await findOwners(store, cipher, user)
    let count = 0
    let unreadable = 0
    const onUnreadable = (more: number) => {
      unreadable += more
    }
    for (const owner of found?.owners ?? [undefined]) {
      for await (const listed of listConnections(store, cipher, owner, onUnreadable)) {
        if (status !== undefined && listed.connection.status !== status) continue
        count++
        print(`${json ? JSON.stringify(rowOf(listed)) : Object.values(rowOf(listed)).join('\t')}\n`)
      }
    }
    if (!json) print(`${count} ${count === 1 ? 'connection' : 'connections'} in ${store.description}\n`)
    if (unreadable > 0) printError(`${unreadable} more cannot be opened with any of TOKEN_KEYS.\n`)
    if (user !== undefined && found && found.unreadable > 0) printError(unreadableUsers(found.unreadable, user))
    return unreadable + (found?.unreadable ?? 0) > 0 ? 1 : 0
  })

/** Without any secret. `user` is empty for a browser that nobody is signed in to. */
const rowOf = ({ user, connection }: ListedConnection) => ({
  user: user?.id ?? '',
  provider: connection.provider,
  id: connection.id,
  account: connection.account ?? '',
  status: connection.status,
  connectedAt: timestamp(connection.connectedAtMs),
  lastUsedAt: connection.lastUsedAtMs === undefined ? '' : timestamp(connection.lastUsedAtMs)
})

import type { Connection } from '../connections/connection.ts'
import { ConnectionKey } from '../connections/connection-key.ts'
import { maxAccounts } from '../connections/errors.ts'
import type { Change } from '../ports.ts'
import type { OwnedConnections, StoredConnection } from './owned-connections.ts'
import { connectionField, type createRecords, defaultField, expectRecord, type FieldMap } from './records.ts'

/**
 * Which account a new connection is meant to be: `add` for one more, an id to connect that one again, nothing for the default one. What
 * the provider says decides: a grant for an account that the owner has replaces that account's connection.
 */
export type AccountChoice = string | undefined

export type Placement = {
  /** The connection with its id, where it will be stored. */
  readonly stored: { readonly key: ConnectionKey; readonly value: Connection }
  readonly isDefault: boolean
  readonly replaced: Connection | undefined
  readonly change: Required<Pick<Change, 'expect' | 'put'>>
}

/**
 * Finds the place of a new connection among those that the owner has.
 * @returns `undefined` when the owner has `maxAccounts` at this provider, and it is for none of them
 */
export function placeConnection(
  records: ReturnType<typeof createRecords>,
  owner: string,
  fields: FieldMap,
  connection: Connection,
  account: AccountChoice
): Placement | undefined {
  const { provider } = connection
  const existing = records.connectionsIn(owner, fields)
  const replaced = replacedBy(existing, connection, account)
  const others = existing.of(provider)
  if (!replaced && others.length >= maxAccounts) return undefined
  const key = replaced?.key ?? freeKey(owner, fields, connection, account)
  const value = replaced ? { ...connection, id: replaced.value.id } : connection
  const field = connectionField(key)
  const defaultSlot = others[0]?.key.slot ?? key.slot
  return {
    stored: { key, value },
    isDefault: defaultSlot === key.slot,
    replaced: replaced?.value,
    change: {
      // Every placement writes the record of the default: of two at once, the second sees what the first has stored.
      expect: [expectRecord(field, fields.get(field)), expectRecord(defaultField(provider), fields.get(defaultField(provider)))],
      put: [records.sealConnection(key, value), records.sealDefault(owner, provider, defaultSlot)]
    }
  }
}

/** A key that is pasted twice is for one account, whether or not the provider names it. */
const isSameAccount = (one: Connection, other: Connection): boolean =>
  (one.accountId !== undefined && one.accountId === other.accountId) || (isSameCredential(one, other) && isSameGiven(one, other))

/** Also a key that was exchanged anew, in the place of the refresh token. */
const isSameCredential = (one: Connection, other: Connection): boolean =>
  one.credential.equals(other.credential) || (one.method === 'api_key' && one.refreshToken?.equals(other.refreshToken) === true)

/** Two users or shops may have one password. */
const isSameGiven = ({ parameters: one = {} }: Connection, { parameters: other = {} }: Connection): boolean => {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every(name => one[name] === other[name])
}

function replacedBy(existing: OwnedConnections, connection: Connection, account: AccountChoice): StoredConnection | undefined {
  const { provider, accountId } = connection
  const same = existing.of(provider).find(({ value }) => isSameAccount(value, connection))
  if (same || account === 'add') return same
  const meant = existing.get(provider, account)
  if (account === undefined || meant?.value.accountId === undefined || accountId === undefined) return meant
  // The user meant to connect this account again and chose another one at the provider: both are kept.
  return undefined
}

/** The first slot if it is free. One more account does not take the place of a record that does not open here. */
function freeKey(owner: string, fields: FieldMap, { provider, id }: Connection, account: AccountChoice): ConnectionKey {
  const first = new ConnectionKey(owner, provider)
  const isTaken = fields.has(connectionField(first))
  return isTaken && account !== undefined ? new ConnectionKey(owner, provider, id) : first
}

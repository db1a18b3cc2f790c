import { type AccountIdentity, readAccount } from '../connections/account.ts'
import { type Choice, choicesIn } from '../connections/choice.ts'
import type { Connection } from '../connections/connection.ts'
import { definitionOf, methodOf, variablesOf } from '../connections/connection-definition.ts'
import type { Events } from '../events.ts'
import type { AccountLookup, Provider, ProviderSettings } from '../provider/definition.ts'
import { LearntValueError, learnValues } from '../provider/learn-values.ts'
import type { Lookup } from '../provider/parameter.ts'
import { partialDefinition } from '../provider/resolve-definition.ts'
import type { Vault } from '../vault/vault.ts'
import { getDocument, isRequestable } from './get-document.ts'
import { saysRefusal } from './refusals.ts'
import { isUnauthorized } from './unauthorized-memo.ts'
import type { Send } from './upstream.ts'

export type LookupDependencies = {
  readonly send: Send
  readonly events: Events
  readonly providers: ReadonlyMap<string, Pick<ProviderSettings, 'definition'>>
  readonly vault?: Pick<Vault, 'connectionsOf'>
  /** Longest time of a look-up that the connection can do without, and for which the user waits. */
  readonly timeoutMs?: number
}

/** The API does not accept the credential with which it is asked. */
export class LookupRefusedError extends LearntValueError {}

/** What a look-up adds to a connection. */
export type LookedUp = Pick<Connection, 'values' | 'choice' | 'account' | 'accountId'>

/** Whose connection it will be, and which one it is meant to be: `add` for one more, an id, or nothing for the default one. */
export type IntendedPlace = { readonly owner: string; readonly account?: string | undefined }

/** @returns the id of the item to use; the first item is used without one, or if there is no such item */
type PickItem = (ids: readonly string[]) => string | undefined

export type Lookups = {
  /**
   * Adds to a new connection what the definition has looked up: values, a choice, the account.
   * @param place where it will be: what the user has chosen there is chosen again, if it is still there; for one more account, what none uses
   * @returns the connection unchanged if there is nothing to look up, or if that fails and nothing but the account depends on it
   * @throws {LearntValueError} when a value that the definition needs is not there, {LookupRefusedError} when the credential is not accepted
   * @throws {GatewayError} as `Send` does, when such a value cannot be asked for
   */
  addAccount(connection: Connection, place?: IntendedPlace): Promise<Connection>
  /**
   * Asks once more, for another of the items to choose from.
   * @param wanted its id; by default the first item
   * @returns what is new, with the list as it is now; the choice is not `wanted` when the list has no such item any more
   */
  lookUpChoice(connection: Connection, wanted: string): Promise<LookedUp>
}

/** A user waits for it, and without it there is no connection. */
const requiredTimeoutMs = 10_000

export function createLookups({ send, events, providers, vault, timeoutMs = 5_000 }: LookupDependencies): Lookups {
  async function addAccount(connection: Connection, place?: IntendedPlace): Promise<Connection> {
    const definition = providers.get(connection.provider)?.definition
    if (!definition) return connection
    const withValues = await addValues(definition, connection, place)
    const account = ownAccountLookup(definition, withValues)
    return account ? { ...withValues, ...(await findAccount(definition, withValues, account)) } : withValues
  }

  async function addValues(definition: Provider, connection: Connection, place: IntendedPlace | undefined): Promise<Connection> {
    const lookup = methodOf(definition, connection)?.lookup
    if (!lookup) return connection
    const pick = lookup.choose && place ? await preferenceAt(connection, place) : undefined
    const [required] = requiredValues(definition, connection)
    if (required !== undefined) return { ...connection, ...(await lookUp(definition, connection, requiredTimeoutMs, pick)) }
    try {
      return { ...connection, ...(await lookUp(definition, connection, timeoutMs, pick)) }
    } catch (error) {
      report(definition, { code: (error as { code?: string }).code })
      return { ...connection, ...learnt(definition, connection, undefined) }
    }
  }

  async function preferenceAt({ provider }: Connection, { owner, account }: IntendedPlace): Promise<PickItem> {
    // Without the store the first item is chosen, as for a new user; the connection itself cannot be stored then.
    const existing = (await vault?.connectionsOf(owner).catch(() => undefined))?.of(provider) ?? []
    if (account === 'add') return ids => ids.find(id => !existing.some(({ value }) => value.choice?.value === id))
    const meant = account === undefined ? existing[0] : existing.find(({ value }) => value.id === account)
    return () => meant?.value.choice?.value
  }

  /** @throws {LearntValueError} @throws {GatewayError} as `Send` does */
  async function lookUp(definition: Provider, connection: Connection, withinMs: number, pick?: PickItem): Promise<LookedUp> {
    const partial = partialDefinition(definition, variablesOf(connection))
    const lookup = methodOf(partial, connection)?.lookup as Lookup
    const fail = (problem: string) => missing(definition, connection, problem)
    if (!isRequestable(partial, lookup))
      throw fail('is missing: the look-up needs a value that is not known, or a server that the operator has not configured')
    const response = await getDocument(send, partial, connection, lookup, withinMs)
    if (!response) throw fail('is missing: the response to the look-up was incomplete or too long')
    const { head, document } = response
    if (isUnauthorized(head) || saysRefusal(partial.api.refusals ?? [], head.status, document))
      throw new LookupRefusedError(nameOf(definition, connection), `is missing: the look-up was refused with status ${head.status}`)
    if (!isSuccess(head.status)) throw fail(`is missing: the look-up had status ${head.status}`)
    const { choose } = lookup
    if (!choose) return learnt(definition, connection, document)
    const choices = choicesIn(document, choose)
    const picked = pick?.(choices.map(({ option }) => option.value))
    const chosen = choices.find(({ option }) => option.value === picked) ?? choices[0]
    if (!chosen) throw fail('is missing: the look-up lists nothing')
    const choice: Choice = { value: chosen.option.value, options: choices.map(({ option }) => option) }
    return { ...learnt(definition, connection, chosen.item), choice }
  }

  async function findAccount(definition: Provider, connection: Connection, account: AccountLookup): Promise<AccountIdentity> {
    try {
      const resolved = definitionOf(definition, connection)
      const request = ownAccountLookup(resolved, connection)
      if (!request || !isRequestable(resolved, request)) return {}
      const response = await getDocument(send, resolved, connection, request, timeoutMs)
      const identity = response && isSuccess(response.head.status) ? readAccount(response.document, account) : {}
      if (!isComplete(identity, account)) report(definition, { status: response?.head.status })
      return identity
    } catch (error) {
      report(definition, { code: (error as { code?: string }).code })
      return {}
    }
  }

  const report = ({ name }: Provider, { status, code }: { status?: number | undefined; code?: string | undefined }) =>
    events.publish('account-lookup.failed', { provider: name, status, code })

  return {
    addAccount,
    async lookUpChoice(connection, wanted) {
      const definition = providers.get(connection.provider)?.definition
      if (!definition) return {}
      const found = await lookUp(definition, connection, requiredTimeoutMs, () => wanted)
      const changed = { ...connection, ...found }
      const account = found.choice?.value === wanted ? ownAccountLookup(definition, changed) : undefined
      return account ? { ...found, ...(await findAccount(definition, changed, account)) } : found
    }
  }
}

/** What the document says: values, and the account if it is to be read here. */
function learnt(definition: Provider, connection: Connection, document: unknown): LookedUp {
  const { values, account } = methodOf(definition, connection) ?? {}
  const read = learnValues(definition, values, 'lookup', document)
  return {
    ...(Object.keys(read).length > 0 && { values: { ...connection.values, ...read } }),
    ...(account?.from === 'lookup' && !isOwnRequest(account) && readAccount(document, account))
  }
}

/** Values without which there is no connection. */
const requiredValues = (definition: Provider, connection: Connection): string[] =>
  Object.entries(methodOf(definition, connection)?.values ?? {}).flatMap(([name, { from, default: fallback, optional }]) =>
    from === 'lookup' && fallback === undefined && !optional ? name : []
  )

const nameOf = (definition: Provider, connection: Connection): string => requiredValues(definition, connection)[0] ?? 'account'
const missing = (definition: Provider, connection: Connection, problem: string) =>
  new LearntValueError(nameOf(definition, connection), problem)

const isOwnRequest = ({ path, url }: AccountLookup): boolean => path !== undefined || url !== undefined

function ownAccountLookup(definition: Provider, connection: Connection): AccountLookup | undefined {
  const account = methodOf(definition, connection)?.account
  return account?.from === 'lookup' && isOwnRequest(account) ? account : undefined
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** An account without a name is no failure: an id is what the look-up is for, if the definition has one. */
const isComplete = ({ account, accountId }: AccountIdentity, { id }: AccountLookup): boolean =>
  (id === undefined ? account : accountId) !== undefined

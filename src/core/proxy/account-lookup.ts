import { type AccountIdentity, readAccount } from '../connections/account.ts'
import type { Connection } from '../connections/connection.ts'
import type { Events } from '../events.ts'
import { credentialOrigins } from '../provider/define-provider.ts'
import type { AccountLookup, Provider, ProviderSettings } from '../provider/definition.ts'
import { getDocument } from './get-document.ts'
import type { Send } from './upstream.ts'

export type AccountLookupDependencies = {
  readonly send: Send
  readonly events: Events
  readonly providers: ReadonlyMap<string, ProviderSettings>
  /** Longest time of a look-up, for which the user waits. */
  readonly timeoutMs?: number
}

/**
 * Finds out which account a new connection is, by the definition's look-up.
 * @returns a function that adds the account to a connection. It resolves with the connection unchanged if there is no look-up or if that fails,
 * and never rejects: the grant must not be lost for it.
 */
export function createAccountLookup({ send, events, providers, timeoutMs = 5_000 }: AccountLookupDependencies) {
  return async (connection: Connection): Promise<Connection> => {
    const definition = providers.get(connection.provider)?.definition
    const account = definition && lookupOf(definition, connection)
    return account ? { ...connection, ...(await findAccount(definition, connection, account)) } : connection
  }

  async function findAccount(definition: Provider, connection: Connection, account: AccountLookup): Promise<AccountIdentity> {
    const report = (facts: { status?: number | undefined; code?: string | undefined }) =>
      events.publish('account-lookup.failed', { provider: definition.name, status: facts.status, code: facts.code })
    try {
      const response = await getDocument(send, definition, connection, account, timeoutMs)
      const identity = response && isSuccess(response.head.status) ? readAccount(response.document, account) : {}
      if (!isComplete(identity, account)) report({ status: response?.head.status })
      return identity
    } catch (error) {
      report({ code: (error as { code?: string }).code })
      return {}
    }
  }
}

function lookupOf(definition: Provider, { method }: Connection): AccountLookup | undefined {
  const { oauth2, apiKey } = definition.methods
  const account = method === 'oauth2' ? oauth2?.account : apiKey?.account
  if (account?.from !== 'lookup') return undefined
  return account.url === undefined || credentialOrigins(definition).includes(new URL(account.url).origin) ? account : undefined
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** An account without a name is no failure: an id is what the look-up is for, if the definition has one. */
const isComplete = ({ account, accountId }: AccountIdentity, { id }: AccountLookup): boolean =>
  (id === undefined ? account : accountId) !== undefined

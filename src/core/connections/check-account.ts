import type { Provider } from '../provider/definition.ts'
import type { Connection } from './connection.ts'
import { connectionUnknown, maxAccounts, tooManyAccounts } from './errors.ts'

/**
 * Refuses, before the user consents, what could not be stored afterwards.
 * @param connections those of the user
 * @param account `add`, or the id of a connection
 * @throws {GatewayError} `parameters_invalid`, `connection_unknown`
 */
export function checkAccount(
  connections: { of(provider: string): ReadonlyArray<{ readonly value: Connection }> } | undefined,
  { name, title }: Pick<Provider, 'name' | 'title'>,
  account: string
): void {
  const accounts = connections?.of(name) ?? []
  if (account === 'add' && accounts.length >= maxAccounts) throw tooManyAccounts(title)
  if (account !== 'add' && !accounts.some(({ value }) => value.id === account)) throw connectionUnknown(name)
}

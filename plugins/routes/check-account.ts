import type { FastifyRequest } from 'fastify'
import { connectionUnknown, maxAccounts, tooManyAccounts } from '../../src/core/connections/errors.ts'
import type { Provider } from '../../src/core/provider/definition.ts'

/**
 * Refuses, before the user consents, what could not be stored afterwards.
 * @param account `add`, or the id of a connection
 * @throws {GatewayError} `parameters_invalid`, `connection_unknown`
 */
export async function checkAccount(
  request: FastifyRequest,
  { name, title }: Pick<Provider, 'name' | 'title'>,
  account: string
): Promise<void> {
  const accounts = (await request.openAll())?.connections.of(name) ?? []
  if (account === 'add' && accounts.length >= maxAccounts) throw tooManyAccounts(title)
  if (account !== 'add' && !accounts.some(({ value }) => value.id === account)) throw connectionUnknown(name)
}

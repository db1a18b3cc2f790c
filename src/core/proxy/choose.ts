import { type Connection, isDueForRenewal, needsNoRenewal } from '../connections/connection.ts'
import { methodOf } from '../connections/connection-definition.ts'
import { connectionUnknown, reconnectRequired } from '../connections/errors.ts'
import { GatewayError } from '../errors.ts'
import type { Renew } from '../oauth/renewal.ts'
import type { Clock } from '../ports.ts'
import type { Provider, ProviderSettings } from '../provider/definition.ts'
import { findProvider } from '../provider/find-provider.ts'
import { LearntValueError } from '../provider/learn-values.ts'
import { parameterInvalid } from '../provider/parse-parameters.ts'
import type { StoredConnection } from '../vault/owned-connections.ts'
import type { Vault } from '../vault/vault.ts'
import { type LookedUp, LookupRefusedError, type Lookups } from './lookup.ts'

export type ChooseDependencies = {
  readonly providers: ReadonlyMap<string, ProviderSettings>
  readonly lookUpChoice: Lookups['lookUpChoice']
  readonly renew: Renew
  readonly vault: Pick<Vault, 'readConnection' | 'replace'>
  readonly clock: Clock
}

/**
 * Changes what a connection uses of the items that its look-up lists.
 * @returns a function that resolves with the connection as it is then: values, account, and what requests are made of follow. It throws
 * GatewayErrors: `parameters_invalid` when there is no such item now, `provider_unavailable` or `provider_timeout` when the provider cannot say
 */
export function createChoose({ providers, lookUpChoice, renew, vault, clock }: ChooseDependencies) {
  return async function choose({ key, value: connection }: StoredConnection, wanted: unknown): Promise<StoredConnection> {
    const { definition } = findProvider(providers, key.provider)
    if (!methodOf(definition, connection)?.lookup?.choose) throw parameterInvalid(definition, 'value', 'has nothing to choose from.')
    if (typeof wanted !== 'string') throw parameterInvalid(definition, 'value', 'must be the value of one of the options.')
    if (connection.status === 'reconnect_required') throw reconnectRequired(key.provider)
    const found = await ask(definition, { key, value: connection }, wanted)
    const isThere = found.choice?.value === wanted
    // What was chosen before stays, as long as it is there: a list that has changed is shown as it is now.
    const isKept = found.choice?.options.some(({ value }) => value === connection.choice?.value)
    if (isThere) {
      const isAccountsToo = methodOf(definition, connection)?.account?.from === 'lookup'
      const change = (value: Connection): Connection => ({
        ...(isAccountsToo ? withoutAccount(value) : value),
        ...found,
        ...(found.values && { values: { ...value.values, ...found.values } })
      })
      return store(key, connection, change)
    }
    if (isKept && found.choice && connection.choice) {
      const { options } = found.choice
      await store(key, connection, value => ({ ...value, ...(value.choice && { choice: { value: value.choice.value, options } }) }))
    }
    throw parameterInvalid(definition, 'value', 'is not one of the options any more. GET /connections lists those that there are.')
  }

  /** With a token that works: the user does not call the API, and may come back after weeks. */
  async function ask(definition: Provider, { key, value }: Pick<StoredConnection, 'key' | 'value'>, wanted: string): Promise<LookedUp> {
    const current = isDueForRenewal(value, clock.now()) ? (await renew(key, value)).value : value
    try {
      return await lookUpChoice(current, wanted)
    } catch (error) {
      if (!(error instanceof LookupRefusedError) || needsNoRenewal(current, clock.now())) throw asGatewayError(definition, error)
    }
    try {
      return await lookUpChoice((await renew(key, current)).value, wanted)
    } catch (error) {
      throw asGatewayError(definition, error)
    }
  }

  /** Writes over the record for as long as it is of the same sign-in. A renewal may have changed it in between. */
  async function store(
    key: StoredConnection['key'],
    { connectedAtMs }: Connection,
    change: (stored: Connection) => Connection
  ): Promise<StoredConnection> {
    for (;;) {
      const record = await vault.readConnection(key)
      if (record?.value.connectedAtMs !== connectedAtMs) throw connectionUnknown(key.provider)
      const written = await vault.replace(key, record, change(record.value))
      if (written) return written
    }
  }
}

/** Another item may be another account. */
const withoutAccount = ({ account: _, accountId: _1, ...rest }: Connection): Connection => rest

const asGatewayError = ({ name, title }: Provider, error: unknown) =>
  error instanceof LearntValueError
    ? new GatewayError(
        'provider_unavailable',
        `${title} did not say what there is to choose from: ${error.message}. Nothing was changed.`,
        {
          provider: name
        }
      )
    : error

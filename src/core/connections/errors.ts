import { GatewayError } from '../errors.ts'

/** Accounts of one user at one provider. */
export const maxAccounts = 10

type RenewalFailure = 'provider_unavailable' | 'provider_timeout' | 'client_rejected'

/** @param waitMs until the next renewal is attempted */
export const renewalFailed = (provider: string, code: RenewalFailure, waitMs: number, cause?: unknown) =>
  new GatewayError(code, code === 'client_rejected' ? clientRejected : temporaryFailure, {
    provider,
    retryAfter: Math.ceil(waitMs / 1000),
    cause
  })

const temporaryFailure = 'The provider could not renew the access just now. The connection is kept. Try again a little later.'
const clientRejected =
  'The provider rejects the OAuth client of this gateway. The connection is kept, but only the operator of the gateway can fix this.'

/** A request no longer waits for a renewal, which continues. */
export const renewalPending = (provider: string) =>
  new GatewayError(
    'provider_timeout',
    'The provider is slow to renew the access. The renewal continues and the connection is kept. Try again a little later.',
    {
      provider,
      retryAfter: 1
    }
  )

/** A connection that is made at `connectUrl` is the browser's, not a bearer's. */
const howToConnect = (provider: string): string => `Open connectUrl to connect, or with a bearer begin with POST /auth/${provider}.`

export const connectionRequired = (provider: string) =>
  new GatewayError('connection_required', `There is no connection to this provider yet. ${howToConnect(provider)}`, {
    provider
  })

export const connectionUnknown = (provider: string) =>
  new GatewayError(
    'connection_unknown',
    'There is no connection of this id to this provider. GET /connections lists those that there are.',
    {
      provider
    }
  )

export const reconnectRequired = (provider: string, cause?: unknown) =>
  new GatewayError('reconnect_required', `The provider no longer accepts this connection. ${howToConnect(provider)}`, {
    provider,
    cause
  })

/** The definition has come to need more since the connection was made. @param values that it lacks, or has in another form than they must */
export const connectionIncomplete = ({ name, title }: { name: string; title: string }, values: readonly string[]) =>
  new GatewayError(
    'reconnect_required',
    `${title} needs a value that this connection was made without: ${[...new Set(values)].join(', ')}. ${howToConnect(name)}`,
    { provider: name }
  )

export const tooManyAccounts = (title: string) =>
  new GatewayError('parameters_invalid', `There are ${maxAccounts} accounts of ${title} already, which is the limit. Disconnect one first.`)

/** Whether a connection could have this id. */
export const isConnectionId = (text: string): boolean => /^[\w-]{1,64}$/.test(text)

/**
 * Reads the parameter `account`: `add` for one more account, or the id of the connection to make anew.
 * @throws {GatewayError} `parameters_invalid`
 */
export function parseAccount(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value === 'string' && isConnectionId(value)) return value
  throw new GatewayError('parameters_invalid', 'account is "add" or the id of a connection. Give it once.')
}

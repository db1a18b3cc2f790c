import { GatewayError } from '../core/errors.ts'

/** A request to the issuer failed, or its response is wrong. The message is ours, and the code that of a system error. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError'
  readonly code: string | undefined
  /** HTTP status of the response, if that is what is wrong. */
  readonly status: number | undefined

  constructor(message: string, { code, status }: { readonly code?: string | undefined; readonly status?: number | undefined } = {}) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** Seconds after which a client is told to try again. */
const defaultRetryAfter = 5

// The causes are for the log: they are in our words, as are the details.

/** @param retryAfter in seconds */
export const issuerUnavailable = (cause: IssuerError, retryAfter = defaultRetryAfter): GatewayError =>
  new GatewayError(
    'issuer_unavailable',
    `The identity provider cannot be used: ${cause.message}${cause.code === undefined ? '' : ` (${cause.code})`}. Try again in a moment; if that does not help, tell the operator of this gateway.`,
    { retryAfter, cause }
  )

/** The identity provider refuses the client that the operator has registered. */
export const loginClientRejected = (reason: string): GatewayError =>
  new GatewayError(
    'client_rejected',
    `The identity provider refuses the client of this gateway: ${reason}. Only its operator can fix that, by LOGIN_CLIENT_ID, LOGIN_CLIENT_SECRET and the client’s registration.`,
    { cause: new Error(reason) }
  )

/** @param reason what is wrong with the identity provider's response, as a clause; it may hold nothing secret */
export const loginInvalid = (reason: string): GatewayError =>
  new GatewayError('state_invalid', `This sign-in cannot be finished: ${reason}. Nobody was signed in. Begin again.`)

import type { Connection } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import type { HttpMethod, Provider } from '../provider/definition.ts'
import type { AbortSignalLike, RequestBody, UpstreamRequest, UpstreamResponse } from './upstream.ts'

export type ProxiedRequest = {
  readonly key: ConnectionKey
  readonly connection: Connection
  /** As it is for any connection: the renewed one may have other values. */
  readonly provider: Provider
  /** The name of one of the API's bases; `undefined` for the first. */
  readonly base?: string | undefined
  readonly method: HttpMethod
  /** Guarded path and query below the API's base; both empty for the base itself. */
  readonly target: string
  readonly rawHeaders: readonly string[]
  readonly body: RequestBody
  readonly bodyLength: number | undefined
  readonly signal: AbortSignalLike
}

export type ForwardResult = {
  /** What was sent to the provider, with the credential in it. */
  readonly sent: UpstreamRequest
  /** The definition as it is for this connection and base. */
  readonly provider: Provider
  /** Whose credential was sent. */
  readonly connection: Connection
  readonly response: UpstreamResponse
  /** The provider does not accept the credential: a 401, or what the definition declares to be one. */
  readonly isRefused: boolean
}

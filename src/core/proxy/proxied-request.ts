import type { Connection } from '../connections/connection.ts'
import type { ConnectionKey } from '../connections/connection-key.ts'
import type { HttpMethod, Provider } from '../provider/definition.ts'
import type { AbortSignalLike, RequestBody, UpstreamRequest, UpstreamResponse } from './upstream.ts'

export type ProxiedRequest = {
  readonly key: ConnectionKey
  readonly connection: Connection
  readonly provider: Provider
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
  /** Whose credential was sent. */
  readonly connection: Connection
  readonly response: UpstreamResponse
}

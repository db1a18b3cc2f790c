import type { IncomingHttpHeaders } from 'node:http'

/** A vendor that the sandbox simulates. A vendor is data: a new one is one new file in `vendors/`. */
export type Vendor = {
  /** As in the provider definition: the prefix of the vendor's URLs in the sandbox and of its environment variables in the gateway. */
  readonly name: string
  readonly title: string
  /** The account that a grant gives access to, as the consent page shows it. */
  readonly account: string
  readonly oauth: VendorOAuth
  readonly api: VendorApi
}

type VendorOAuth = {
  /** Scope -> its access, in plain words. Empty for a vendor without scopes, whose grants give access to everything. */
  readonly scopes: Readonly<Record<string, string>>
  /** Separator of scopes in a request, if not a space (RFC 6749 §3.3). */
  readonly scopeSeparator?: string
  /** The token endpoint accepts JSON as well as forms. */
  readonly acceptsJson?: boolean
  /** The vendor has a revocation endpoint (RFC 7009). */
  readonly revocation?: boolean
}

type VendorApi = {
  /** The path of the vendor's real base URL; `/api` if it has none. */
  readonly basePath: string
  /** Called once for each sandbox, so that the state of its routes ends with it. */
  readonly routes: () => readonly Route[]
  /** The body of the vendor's error responses. */
  readonly problem: (status: number, message: string) => unknown
  readonly apiKey?: {
    /** Reads the key from where this vendor expects it. */
    readonly readKey: (path: string, headers: IncomingHttpHeaders) => string | undefined
    /** The status of a response to an invalid key, for a vendor that reports errors with 200. Default: 401. */
    readonly rejectionStatus?: number
  }
  readonly rateLimit: RateLimit
}

export type Route = {
  readonly method: 'GET' | 'POST'
  /** Below `basePath`. `:name` stands for one segment, which is then in `params`. */
  readonly path: string
  readonly respond: (request: RouteRequest) => RouteResponse
}

export type RouteRequest = {
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: URLSearchParams
  /** The parsed JSON body; `undefined` if there is none. */
  readonly body: unknown
  /** The absolute URL of the request, for links. */
  readonly url: URL
}

export type RouteResponse = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body: unknown
}

export type RateLimit = {
  readonly limit: number
  readonly windowSeconds: number
  /** The vendor's headers on every response. */
  readonly headers?: (window: RateWindow) => Readonly<Record<string, string>>
  /** Additional headers of a 429. */
  readonly rejectionHeaders?: (window: RateWindow) => Readonly<Record<string, string>>
}

type RateWindow = {
  readonly limit: number
  readonly remaining: number
  readonly resetsAtSeconds: number
  readonly secondsLeft: number
}

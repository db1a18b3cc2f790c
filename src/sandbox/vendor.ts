import type { IncomingHttpHeaders } from 'node:http'

/** A vendor that the sandbox plays: data, so that one more vendor is one more file in `vendors/`. */
export type Vendor = {
  /** As in the gateway's own definitions: it begins the vendor's addresses here and its environment variables there. */
  readonly name: string
  readonly title: string
  /** Whose data a grant opens, as the consent page says it. */
  readonly account: string
  readonly oauth: VendorOAuth
  readonly api: VendorApi
}

type VendorOAuth = {
  /** Scope -> what it opens, in plain words. Empty: the vendor knows no scopes and a grant opens everything. */
  readonly scopes: Readonly<Record<string, string>>
  /** What stands between scopes in a request, when it is no space (RFC 6749 §3.3). */
  readonly scopeSeparator?: string
  /** The token endpoint reads JSON too. */
  readonly acceptsJson?: boolean
  /** There is an RFC 7009 address. */
  readonly revocation?: boolean
}

type VendorApi = {
  /** The path part of the vendor's real base address; `/api` where that has none. */
  readonly basePath: string
  /** Called once for each sandbox, so that what a route remembers ends with it. */
  readonly routes: () => readonly Route[]
  /** The vendor's shape for everything that is not well. */
  readonly problem: (status: number, message: string) => unknown
  readonly apiKey?: {
    /** The key that a request presents, wherever this vendor wants it. */
    readonly presented: (path: string, headers: IncomingHttpHeaders) => string | undefined
    /** The status of a refusal, for a vendor that says no inside a 200. */
    readonly refusalStatus?: number
  }
  readonly rateLimit: RateLimit
}

export type Route = {
  readonly method: 'GET' | 'POST'
  /** A URLPattern path, below `basePath`. */
  readonly path: string
  readonly answer: (call: Call) => Answer
}

export type Call = {
  readonly params: Readonly<Record<string, string | undefined>>
  readonly query: URLSearchParams
  /** The parsed JSON body; undefined when there is none. */
  readonly body: unknown
  /** This call's absolute address, for links. */
  readonly address: URL
}

export type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body: unknown
}

export type RateLimit = {
  readonly limit: number
  readonly windowSeconds: number
  /** The vendor's headers, on every answer. */
  readonly headers?: (window: RateWindow) => Readonly<Record<string, string>>
  /** And those that a 429 has besides. */
  readonly refusalHeaders?: (window: RateWindow) => Readonly<Record<string, string>>
}

type RateWindow = {
  readonly limit: number
  readonly remaining: number
  readonly resetsAtSeconds: number
  readonly secondsLeft: number
}

/**
 * What the sandbox has of a vendor beside its definition, from which it plays all else: invented data, in the vendor's form. One file in
 * `vendors/`, with the name of the provider.
 */
export type Vendor = {
  /** The account that a grant gives access to, as the consent page shows it. */
  readonly account: string
  /** Called once for each sandbox, so that the state of its routes ends with it. */
  readonly routes: () => readonly Route[]
  /** The body of the vendor's error responses. */
  readonly problem: (status: number, message: string) => unknown
  readonly rateLimit: RateLimit
}

export type Route = {
  readonly method: 'GET' | 'POST'
  /** Below `api.baseUrl`. `:name` stands for one segment, which is then in `params`. */
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
}

type RateWindow = {
  readonly limit: number
  readonly remaining: number
  readonly resetsAtSeconds: number
}

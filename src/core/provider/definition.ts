import type { Secret } from '../secret.ts'

/**
 * What Grantkeeper knows of a provider. A definition is data: whatever makes one vendor different from another is a
 * field here, so that adding a provider is adding one file to `providers/`.
 */
export type Provider = {
  /** Lower case, as in `/proxy/NAME/…`; upper case with `_` it begins the provider's environment variables. */
  readonly name: string
  readonly title: string
  /** What a connection gives access to, in words for the person who grants it. */
  readonly description: string
  /** `#rrggbb` of the card's mark. */
  readonly color: string
  readonly api: Api
  readonly methods: { readonly oauth2?: OAuth2Method; readonly apiKey?: ApiKeyMethod }
  /** Where each fact of this file comes from. */
  readonly sources: readonly Source[]
}

type Source = {
  /** The vendor's own text, several third-party clients that agree, or only a tutorial. */
  readonly confidence: 'vendor' | 'clients' | 'guide'
  readonly facts: string
  readonly from: string
  /** The day it was looked at, `YYYY-MM-DD`. */
  readonly checked: string
}

export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type HttpMethod = (typeof httpMethods)[number]

type Api = {
  /** Absolute, without a trailing slash. A proxied path is appended to it byte for byte. */
  readonly baseUrl: string
  /** Other bases by which links in its answers name the same API. No call ever goes there. */
  readonly linkBases?: readonly string[]
  /**
   * Hosts to which the API redirects downloads, `files.example.com` or `*.s3.amazonaws.com`, with a port where only that one is meant. A
   * redirect of a GET or HEAD to one of them by https is followed here, without any credential, since a page cannot read it from there; any
   * other passes to the client.
   */
  readonly redirectHosts?: readonly string[]
  /** Sent with every call, over what the client sent. */
  readonly headers?: Readonly<Record<string, string>>
  /** Methods that may be forwarded; all six when left out. */
  readonly methods?: readonly HttpMethod[]
  /**
   * Whether `X-HTTP-Method-Override`, `X-HTTP-Method` and `X-Method-Override` go up, for APIs that take another method that way. It must be
   * one of `methods`. When left out, a call with such a header is refused.
   */
  readonly methodOverride?: boolean
  /** Path prefixes that may be forwarded, on segment borders; all when left out. */
  readonly paths?: readonly string[]
  /** Largest request body in bytes. */
  readonly maxBodyBytes?: number
  /** Largest head of a request, in bytes of its names and values as the client sent them; 16 KiB for all providers when left out. */
  readonly maxHeaderBytes?: number
  /** Longest wait for the answer's head, and longest silence inside its body, in milliseconds; 30 s when left out. The client's time is not counted. */
  readonly timeoutMs?: number
  /** Longest time in which the client may send nothing of a body (60 s when left out), and read nothing of an answer (5 min), in milliseconds. */
  readonly idleTimeoutMs?: { readonly upload?: number; readonly download?: number }
  /** Calls of one session that may be under way at once on an instance; 256 when left out. */
  readonly maxCallsPerSession?: number
  /** Calls of all sessions that may be under way at once on an instance; 2,048 when left out. */
  readonly maxCalls?: number
  /**
   * How a 429 says when to call again. When given, the connection's further calls are held back until then, on every instance: for
   * limits that last, and not for those of calls a second.
   */
  readonly rateLimit?: RateLimit
}

export type RateLimit = {
  /** In lower case. */
  readonly header: string
  /** What a number in it counts: seconds from now, or since the epoch. A date is understood in either. */
  readonly unit: 'seconds' | 'epoch'
}

/** Where a credential stands in a call to the API. */
export type Placement =
  | { readonly in: 'header'; readonly name: string; readonly prefix?: string }
  | { readonly in: 'query'; readonly name: string }
  /** As the path segment that follows `after`, for the paths that begin with it: `/get_cal` -> `/get_cal/KEY`. */
  | { readonly in: 'path'; readonly after: string }
  /** RFC 7617, with the key as the user-id and an empty password. */
  | { readonly in: 'basic' }

type Help = {
  /** How a person who is no developer gets there, a sentence a step. */
  readonly steps: readonly string[]
  /** Which plans of the vendor have it. */
  readonly plan?: string
}

export type OAuth2Method = {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  /** Where refreshes go, when not to `tokenUrl`. */
  readonly refreshUrl?: string
  /** RFC 7009. */
  readonly revokeUrl?: string
  /**
   * What a revocation ends: `token`, the tokens of one sign-in alone (RFC 7009 §2.1 as most read it); `grant`, all that the operator's
   * client holds of that person, so that other browsers end with it. With `grant`, which it is when left out, what is replaced by a new
   * sign-in or ended by time is not revoked: that might end what is in use. `token` needs to be known of the vendor, or tried.
   */
  readonly revocation?: 'token' | 'grant'
  /** RFC 9207: the issuer that the callback's `iss` must equal. When given, an answer without `iss` is refused. */
  readonly issuer?: string
  /** Asked for unless the operator says otherwise. The least that the API needs. */
  readonly scopes: readonly string[]
  readonly scopeSeparator?: string
  /** RFC 6749 §2.3.1: `body` for client_secret_post, `basic` for client_secret_basic. */
  readonly clientAuthentication: 'body' | 'basic'
  readonly tokenRequestFormat?: 'form' | 'json'
  readonly authorizeParams?: Readonly<Record<string, string>>
  readonly tokenParams?: Readonly<Record<string, string>>
  readonly refreshParams?: Readonly<Record<string, string>>
  readonly tokenResponse?: TokenResponseShape
  /** The vendor's own words for a refusal, read in responses of any status, 200 included. First match wins, also over RFC 6749's words. */
  readonly refusals?: readonly TokenRefusal[]
  /** First match wins. `Authorization: Bearer` when left out (RFC 6750 §2.1). */
  readonly placements?: readonly Placement[]
  /**
   * Asked when a grant without a refresh token is refused somewhere: is it over, or may it not do this one thing? When left out, it is over
   * with a second refusal at another path, or a minute later.
   */
  readonly check?: CredentialCheck
  readonly help: Help
}

/** Where things stand in a token answer that is not shaped like RFC 6749 §5.1, as JSON Pointers (RFC 6901). */
export type TokenResponseShape = {
  readonly accessToken?: string
  readonly refreshToken?: string
  readonly expiresIn?: string
  readonly scope?: string
  /** A name for the connected account, which no standard has a field for. */
  readonly account?: string
  /** Accepted `token_type` in lower case, `bearer` when left out. A response without any is accepted in any case. */
  readonly tokenType?: string
  /**
   * Lifetime in seconds to assume when the answer has none. Left out: at a refresh as long as the token before lived, at a sign-in
   * until the provider says 401.
   */
  readonly defaultExpiresIn?: number
}

export type TokenRefusal = {
  /** JSON Pointer (RFC 6901) into the token endpoint's response. */
  readonly pointer: string
  /** The values at it that say so, spelled as the vendor does. */
  readonly oneOf: ReadonlyArray<string | number | boolean>
  /** `invalid_grant`: the grant is over, and the person must connect again. `invalid_client`: the operator's client is refused. */
  readonly means: 'invalid_grant' | 'invalid_client'
}

export type ApiKeyMethod = {
  /** First match wins. */
  readonly placements: readonly Placement[]
  /** Made when a key is pasted, and when one is refused later. */
  readonly check: CredentialCheck
  readonly help: Help
}

/** A call that shows whether a credential is good. */
export type CredentialCheck = {
  /** Path below the API's base. */
  readonly path: string
  /** What it is answered when the credential is good; `[200, 403]` where a good one may lack the right to this very call. */
  readonly status: number | readonly number[]
  /** What the body must also hold, for vendors that say no inside a 200. */
  readonly expect?: { readonly pointer: string; readonly equals: unknown }
  /** JSON Pointer to the account's name in the answer. */
  readonly account?: string
}

/** The client that an operator has registered at a provider (RFC 6749 §2). */
export type OAuthClient = { readonly id: string; readonly secret: Secret; readonly scopes: readonly string[] }

/** A definition with the operator's corrections in it, and the operator's client, which switches its OAuth on. */
export type ProviderSettings = {
  readonly definition: Provider
  readonly client?: OAuthClient
  /** Serialized origins of the addresses that the operator has set by hand: they may be inside the operator's network. */
  readonly trustedOrigins: readonly string[]
}

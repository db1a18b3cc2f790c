import type { Secret } from '../secret.ts'
import type { LearntValues, Lookup, Parameters } from './parameter.ts'
import type { GatewayRequest, Placement, RequestTemplate } from './request-template.ts'

/**
 * Describes a provider. A definition is data: every difference between vendors is a field here, so that a new provider is one new file in
 * `providers/`.
 */
export type Provider = {
  /** Lower case, as in `/proxy/NAME/…`. In upper case, with `_` for `-`, it is the prefix of the provider's environment variables. */
  readonly name: string
  readonly title: string
  /** What a connection gives access to, in words for the user who grants it. */
  readonly description: string
  /** `#rrggbb`, the colour of the provider's badge. */
  readonly color: string
  /**
   * The vendor's logo, if its terms allow that: the data of one SVG path in a view box of 24 by 24, drawn in white or black on `color`.
   * Without it the badge has the title's initials.
   */
  readonly logo?: string
  /** The vendor's documentation of its API, for developers. */
  readonly docsUrl?: string
  /** What is asked of each user, by both methods. */
  readonly parameters?: Parameters
  readonly api: Api
  readonly methods: { readonly oauth2?: OAuth2Method; readonly apiKey?: ApiKeyMethod }
  /** The texts of this definition in other languages, by the tag of the language (BCP 47) in lower case: `de`. Else they are shown in English. */
  readonly translations?: Readonly<Record<string, ProviderTexts>>
  /** The source of each fact in the definition. */
  readonly sources: readonly Source[]
}

type Source = {
  /** `vendor`: the vendor's own text. `clients`: several third-party clients that agree. `guide`: only a tutorial. */
  readonly confidence: 'vendor' | 'clients' | 'guide'
  readonly facts: string
  readonly from: string
  /** The day the source was last read, `YYYY-MM-DD`. */
  readonly checked: string
}

export const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type HttpMethod = (typeof httpMethods)[number]

export type Api = {
  /**
   * Absolute URL without a trailing slash, or a template of one: `https://{shop}.myshopify.com/admin`, `{instance_url}/services`. The path of a
   * proxied request is appended byte for byte.
   */
  readonly baseUrl: string
  /** Other parts of the API under the same connection, by name: `/proxy/PROVIDER~NAME/…`. */
  readonly bases?: Readonly<Record<string, ApiBase>>
  /** Other base URLs under which links in responses name the same API. No request is sent to them. */
  readonly linkBases?: readonly string[]
  /**
   * Hosts to which the API redirects downloads: `files.example.com` or `*.s3.amazonaws.com`, with a port if only that port is meant. The
   * gateway follows an https redirect of a GET or HEAD to one of them itself and without credentials, because a page cannot read such a
   * response across origins. Every other redirect is passed to the client.
   */
  readonly redirectHosts?: readonly string[]
  /** Sent with every request, in place of the client's headers of the same names. Templates, which may use `{client_id}` too. */
  readonly headers?: Readonly<Record<string, string>>
  /** Sent in every query, in place of the client's parameters of the same names. Templates, as `headers`. */
  readonly query?: Readonly<Record<string, string>>
  /** Responses that say that the access token has expired in another way than by 401. First match wins. */
  readonly refusals?: readonly ApiRefusal[]
  /** Methods that are forwarded. Default: all six. */
  readonly methods?: readonly HttpMethod[]
  /**
   * Forwards `X-HTTP-Method-Override`, `X-HTTP-Method` and `X-Method-Override`, for APIs that read the method from them. The method must be
   * one of `methods`. By default a request with such a header is rejected.
   */
  readonly methodOverride?: boolean
  /** Path prefixes that are forwarded, below each of the bases, matched on segment boundaries. Default: all paths. */
  readonly paths?: readonly string[]
  /** Maximum size of a request body in bytes. */
  readonly maxBodyBytes?: number
  /** Maximum size of a request's headers: the bytes of names and values as the client sent them. Default: 16 KiB. */
  readonly maxHeaderBytes?: number
  /**
   * Maximum wait for the head of a response, and for each next piece of its body, in milliseconds. Default: 30 s. Time spent waiting for the
   * client does not count.
   */
  readonly timeoutMs?: number
  /**
   * Maximum time in milliseconds in which the client sends nothing of a request body (`upload`, default 60 s) or reads nothing of a response
   * (`download`, default 5 min).
   */
  readonly idleTimeoutMs?: { readonly upload?: number; readonly download?: number }
  /** Concurrent requests of one session on one instance. Default: 256. */
  readonly maxConcurrentRequestsPerSession?: number
  /** Concurrent requests of all sessions on one instance. Default: 2,048. */
  readonly maxConcurrentRequests?: number
  /**
   * The header of a 429 response that says when to retry. When set, all instances reject further requests of the connection until then.
   * Meant for limits that last for minutes, not for limits per second.
   */
  readonly rateLimit?: RateLimit
}

/** A base URL, as `baseUrl`; with a credential that is placed in its own way if it has `placements`. */
export type ApiBase = string | { readonly url: string; readonly placements?: readonly Placement[] }

/**
 * Read in JSON responses of up to 16 KiB, compressed or not, which are kept back until they are complete; all others pass as they come. Treated as
 * a 401: the token is renewed and the request sent once more, whose response is final.
 */
export type ApiRefusal = {
  /** JSON Pointer (RFC 6901) into the response. */
  readonly pointer: string
  /** The values that mean an expired or invalid token, spelled as the vendor does. */
  readonly oneOf: ReadonlyArray<string | number | boolean>
  /** Statuses in which it is looked for. Default: all. */
  readonly statuses?: readonly number[]
}

export type RateLimit = {
  /** In lower case. */
  readonly header: string
  /** The meaning of a number in the header: seconds from now, or seconds since the epoch. An HTTP date is accepted with either. */
  readonly unit: 'seconds' | 'epoch'
}

type Help = {
  /** Instructions for a user who is not a developer, one sentence a step. */
  readonly steps: readonly string[]
  /** The vendor's plans that include the method. */
  readonly plan?: string
}

/** What a scope allows, in words for the user who grants it, without commas: `{ 'notes:read': 'see notes and feedback' }`. */
type ScopeTexts = Readonly<Record<string, string>>

/** The description, and the help for each method that the provider has. */
export type ProviderTexts = {
  readonly description: string
  /** With the words for the same scopes as the method itself. */
  readonly oauth2?: Help & { readonly scopeTexts?: ScopeTexts }
  readonly apiKey?: Help
}

export type OAuth2Method = {
  readonly authorizeUrl: string
  readonly tokenUrl: string
  /** For refreshes, if not `tokenUrl`. */
  readonly refreshUrl?: string
  /** RFC 7009. */
  readonly revokeUrl?: string
  /** Sent for a revocation that is not as in RFC 7009. With `{refresh_token}` it is sent only for grants that have one. */
  readonly revokeRequest?: RequestTemplate
  /** Sent for a refresh that is not as in RFC 6749 §6. With `{access_token}` alone it renews a grant without refresh token. */
  readonly refreshRequest?: RequestTemplate
  /** Sent once after the exchange of the code, with its access token, for the token that the connection keeps. */
  readonly upgradeRequest?: RequestTemplate
  /**
   * What a revocation ends. `token`: only the tokens of one sign-in (the common reading of RFC 7009 §2.1). `grant`: everything that the
   * operator's client holds for that user, in other browsers too. With `grant`, the default, a credential that a new sign-in replaced or that
   * expired with its session is not revoked, because the revocation could end a grant in use. Set `token` only if the vendor documents it or
   * a test has shown it.
   */
  readonly revocation?: 'token' | 'grant'
  /** RFC 9207: the issuer that the callback's `iss` must equal. When set, a callback without `iss` is rejected. */
  readonly issuer?: string
  /** The least that the API needs. Requested unless the operator configures other scopes. */
  readonly scopes: readonly string[]
  readonly scopeSeparator?: string
  /** The name of the authorization request's parameter, if not `scope`. */
  readonly scopeParameter?: string
  /** For the pages, where a scope without words is shown as it is. Also for scopes that an operator or the vendor may add to `scopes`. */
  readonly scopeTexts?: ScopeTexts
  /**
   * RFC 6749 §2.3.1: `body` is client_secret_post, `basic` is client_secret_basic. `basic-raw`: Basic without the percent-encoding that the
   * standard asks for. `none`: the id alone. `private_key_jwt` (RFC 7523 §2.2): the operator's client secret is a private key in PEM (PKCS #8),
   * which signs `clientAssertion`.
   */
  readonly clientAuthentication: 'body' | 'basic' | 'basic-raw' | 'none' | 'private_key_jwt'
  readonly clientAssertion?: ClientAssertion
  /** In place of `client_id` and `client_secret`, in every request. */
  readonly clientIdParameter?: string
  readonly clientSecretParameter?: string
  /** RFC 7636. Default: `S256`. `false` only for a vendor that refuses its parameters. */
  readonly pkce?: 'S256' | 'plain' | false
  /** OAuth 2.0 Form Post Response Mode: the authorization response is a POST. */
  readonly responseMode?: 'form_post'
  /** `query`: a GET, with the parameters in the URL. */
  readonly tokenRequestFormat?: 'form' | 'json' | 'query'
  /** Sent with every request to the token endpoint. Names in lower case. */
  readonly tokenHeaders?: Readonly<Record<string, string>>
  readonly authorizeParams?: Readonly<Record<string, string>>
  readonly tokenParams?: Readonly<Record<string, string>>
  readonly refreshParams?: Readonly<Record<string, string>>
  readonly tokenResponse?: TokenResponseShape
  /** Of the response to a refresh, if it has another shape. Then `values` are not read from it. */
  readonly refreshResponse?: TokenResponseShape
  /** What the vendor documents of its tokens. The gateway itself follows the responses; the sandbox and the table of providers follow this. */
  readonly tokens?: TokenFacts
  readonly lookup?: Lookup
  readonly values?: LearntValues
  /** Which account a grant is for. At most servers `id_token` needs the scope `openid` (OpenID Connect Core 1.0 §3.1.2.1). */
  readonly account?: AccountSource<'token' | 'id_token'>
  /** The vendor's own error codes, read in token responses of any status, 200 included. First match wins, before the codes of RFC 6749. */
  readonly refusals?: readonly TokenRefusal[]
  /** First match wins. Default: `Authorization: Bearer` (RFC 6750 §2.1). */
  readonly placements?: readonly Placement[]
  /**
   * Sent when the API rejects a grant that has no refresh token, to find out whether the grant has ended or only lacks this one permission.
   * Without a check, the grant ends with the second rejection at another path or a minute later.
   */
  readonly check?: CredentialCheck
  readonly help: Help
}

/** Locations of the fields in a token response that differs from RFC 6749 §5.1, as JSON Pointers (RFC 6901). */
export type TokenResponseShape = {
  readonly accessToken?: string
  readonly refreshToken?: string
  readonly expiresIn?: string
  /** The time of expiry, in place of a lifetime: an RFC 3339 date, or seconds or milliseconds since the epoch. */
  readonly expiresAt?: string
  readonly scope?: string
  /** Accepted `token_type` in lower case. Default: `bearer`. A response without a type is always accepted. */
  readonly tokenType?: string
  /**
   * Lifetime in seconds to assume when the response has none. Default: after a refresh, the lifetime of the token before; after a sign-in,
   * until the provider responds with 401.
   */
  readonly defaultExpiresIn?: number
}

/** The claims of RFC 7523 §3 that vendors differ in. Templates, which may use `{client_id}` and parameters that the operator sets. */
export type ClientAssertion = {
  /** JWS algorithm: `ES256`, `RS256`. */
  readonly algorithm: string
  /** `kid` of the header. */
  readonly keyId?: string
  /** `iss`. Default: `{client_id}`. */
  readonly issuer?: string
  /** `aud`. Default: the token endpoint's URL. */
  readonly audience?: string
  /** Sent as the client's secret, without `client_assertion_type`. */
  readonly asSecret?: boolean
}

export type TokenFacts = {
  /** In seconds. */
  readonly accessTokenLifetime?: number | 'unlimited'
  /** `none`: there is none. `kept`: a refresh leaves it as it is. `rotated`: a refresh replaces it. */
  readonly refreshToken?: 'none' | 'kept' | 'rotated'
  /** In seconds, since it was issued or last used. */
  readonly refreshTokenLifetime?: number | 'unlimited'
}

/**
 * The document that says which account is connected: the token response, the claims of the ID token in it, the response to `check`, or the
 * response to one GET after the sign-in (`lookup`). A connection to the same account as an earlier one replaces it.
 */
type AccountSource<Document extends string> = (AccountPointers & { readonly from: Document }) | AccountLookup

/** Where the account's id and name are, as JSON Pointers (RFC 6901) into the document. At least one of them is given. */
export type AccountPointers = {
  /**
   * Text or a whole number that stays the same when the account is renamed, and that no other account at the provider has. Never an e-mail
   * address or a name. Without it, two connections are not known to be of one account.
   */
  readonly id?: string
  /** For people. A list: the first that holds text. */
  readonly name?: string | readonly string[]
}

/**
 * A GET with the credential, whose JSON response is read; without `path` and `url` the response to the method's `lookup`, or the item of it that is
 * chosen. If it fails, the account is connected all the same and stays unknown.
 */
export type AccountLookup = AccountPointers & { readonly from: 'lookup' } & Pick<GatewayRequest, 'path' | 'url'>

export type TokenRefusal = {
  /** JSON Pointer (RFC 6901) into the token endpoint's response. */
  readonly pointer: string
  /** The values that mean a refusal, spelled as the vendor does. */
  readonly oneOf: ReadonlyArray<string | number | boolean>
  /** `invalid_grant`: the grant has ended and the user must connect again. `invalid_client`: the operator's client is rejected. */
  readonly means: 'invalid_grant' | 'invalid_client'
}

/** A key, or a user's own client or password, which `tokenRequest` exchanges for access tokens. */
export type ApiKeyMethod = {
  /** What the user gives, in the order of the form. One of them is `key`, the credential; by default it is the only one. */
  readonly fields?: Parameters
  /** First match wins. With `tokenRequest` they place its access token. */
  readonly placements: readonly Placement[]
  /** Gets an access token with the fields, at first and whenever it expires or is rejected. A client credentials grant (RFC 6749 §4.4) is one. */
  readonly tokenRequest?: RequestTemplate
  readonly tokenResponse?: TokenResponseShape
  /** Ends an access token of `tokenRequest` when its connection is deleted. Left out, it ends by itself. */
  readonly revokeRequest?: RequestTemplate
  /** Sent when a user pastes a key, and when the API rejects the key later. Without it a key is taken as it is. */
  readonly check?: CredentialCheck
  readonly lookup?: Lookup
  readonly values?: LearntValues
  /**
   * The vendor's page on which a user makes a key, for a link beside the steps: a URL, or a template of one. Not shown if the operator has
   * configured an API on another server, whose keys are made elsewhere, nor as long as it depends on what the user has yet to say.
   */
  readonly keysUrl?: string
  /** Which account a key is for. */
  readonly account?: AccountSource<'check'>
  readonly help: Help
}

/** A request that shows whether a credential is valid. */
export type CredentialCheck = GatewayRequest & {
  /** Status of the response to a valid credential; `[200, 403]` if a valid credential may lack the permission for this request. */
  readonly status: number | readonly number[]
  /** What the body must contain as well, for vendors that report errors with status 200: a value, or with `equals` left out any. */
  readonly expect?: { readonly pointer: string; readonly equals?: unknown }
}

/** The client that the operator has registered at a provider (RFC 6749 §2). */
export type OAuthClient = {
  readonly id: string
  /** Left out for a public client (RFC 6749 §2.1), which PKCE alone protects. */
  readonly secret?: Secret
  readonly scopes: readonly string[]
}

/** A definition with the operator's overrides applied, and the operator's client, which enables OAuth. */
export type ProviderSettings = {
  readonly definition: Provider
  readonly client?: OAuthClient
  /** Those that users may give for a parameter that is a host; left out, every public one. */
  readonly hosts?: readonly string[]
  /** Serialized origins of the URLs and hosts that the operator has configured. They may lie inside the operator's network. */
  readonly trustedOrigins: readonly string[]
  /** Names of parameters that the operator has set for everybody. The definition asks for them no more, and users must not give them. */
  readonly fixedParameters?: readonly string[]
}

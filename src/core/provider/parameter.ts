import type { GatewayRequest } from './request-template.ts'

/**
 * A value that differs between the users of one provider, such as the name of their shop. A user is asked for it before the sign-in or beside
 * the key; `<P>_PARAMETER_NAME` fixes it for everybody. The definition uses it as `{name}` (RFC 6570 §3.2.2) in URLs, headers and parameters.
 * A value is percent-encoded in a path or query, and in a host it can be nothing but one label, unless `isHost` is set.
 */
export type Parameter = {
  /** What forms and errors call it: `Shop`. */
  readonly title: string
  /** A value as a user may type it: `my-shop`. */
  readonly example: string
  /** Where a user finds it, in one sentence. */
  readonly hint?: string
  /** A regular expression (ECMA-262, flag `v`) that the whole value must match: `[a-z0-9\-]+`. */
  readonly pattern?: string
  /** The values to choose from, each with its words for the user: `{ eu: 'Europe', us: 'United States' }`. */
  readonly oneOf?: Readonly<Record<string, string>>
  /**
   * What follows the value in the vendor's addresses: `.myshopify.com`. A user may give the whole address too, as a host name or URL, and the
   * value is taken out of it.
   */
  readonly suffix?: string
  /**
   * The value is the host name of a server that the vendor does not run, such as one of the user's own. With OAuth it is refused unless the
   * operator lists the hosts in `<P>_HOSTS`: the client secret and the user's token would go to whatever host a link names.
   */
  readonly isHost?: boolean
  /** Never shown again. For `fields` of a key and for headers, not for addresses. */
  readonly secret?: boolean
  /** Taken exactly as it is typed, blanks included: a password. By default what was copied along with a value is removed. */
  readonly verbatim?: boolean
  /** Used when the user, or the operator for what `operator` leaves to him, gives none. */
  readonly default?: string
  /** Users are not asked: the operator sets `<P>_PARAMETER_NAME`. A provider without that and without `default` is not offered. */
  readonly operator?: boolean
}

/**
 * Parameters by name. A name is lower-case words joined by `_`. Those of a provider must not be called as what else a sign-in may begin with:
 * `return_to`, `account`, `login_hint`, `prompt`, `scopes`.
 */
export type Parameters = Readonly<Record<string, Parameter>>

/**
 * A value that is learnt with a new connection and used as `{name}`, as a parameter is. If it is missing or has another form than it must,
 * nothing is connected. A host that is made of it stays below `suffix`, or among the values of `oneOf`.
 */
export type LearntValue = {
  /** `token`: the token response, also that of a key's `tokenRequest`. `callback`: the query of the authorization response. `lookup`: the response to `lookup`. `key`: the key itself. */
  readonly from: 'token' | 'callback' | 'lookup' | 'key'
  /** JSON Pointer (RFC 6901) into the token response, or into the response to the look-up: with `choose`, into the chosen item. */
  readonly pointer?: string
  /** The name of the query's parameter. */
  readonly parameter?: string
  /** As in `Parameter`. If it has a group, the value is what the first group matches: `.*-([a-z]{2}\d+)`. */
  readonly pattern?: string
  readonly oneOf?: readonly string[]
  /** The value is an https URL or a host name, whose host ends with this, or one of these: `.salesforce.com`. */
  readonly suffix?: string | readonly string[]
  /** Never shown: a second token. */
  readonly secret?: boolean
  /** Used when the document has none. */
  readonly default?: string
  /** The connection is made without it when the document has none. A request that needs it is refused then: for a second token. */
  readonly optional?: boolean
  /** A value of the right form, for the sandbox and for `providers try`. */
  readonly example: string
}

export type LearntValues = Readonly<Record<string, LearntValue>>

/** One request after a sign-in or with a new key, whose response `values` and `account` read. */
export type Lookup = GatewayRequest & {
  /** The response lists what the credential reaches, and the connection uses one of them: the first, until the user chooses another. */
  readonly choose?: Choice
}

/** The JSON Pointers `id` and `name` are read in each item. */
export type Choice = {
  /** What the user chooses: `Site`. */
  readonly title: string
  /** JSON Pointer to the list in the response; empty for the response itself. */
  readonly items: string
  /** Text or a whole number, different for each item. */
  readonly id: string
  /** For people. */
  readonly name: string
}

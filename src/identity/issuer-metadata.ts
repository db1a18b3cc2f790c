import type { ServerMetadata } from 'openid-client'
import { toAccountName } from '../core/util/display-text.ts'
import { IssuerError } from './issuer-errors.ts'
import { fetchJson, type IssuerFetch } from './issuer-fetch.ts'
import { asymmetricAlgorithms } from './verification-keys.ts'

type MetadataOptions = {
  /** Without query and fragment. */
  readonly issuer: string
  /** Members that must be there. */
  readonly requiredEndpoints: readonly string[]
  readonly fetch: IssuerFetch
  readonly signal: AbortSignal
}

const what = 'the discovery document of the issuer'
const endpoints = ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'end_session_endpoint']
/** OpenID Connect Core §3.1.3.7: of issuers that announce none. */
const defaultAlgorithm = 'RS256'

/**
 * The issuer's metadata by OpenID Connect Discovery 1.0 §4; where that does not exist, by RFC 8414 §3. Endpoints that are not valid are left
 * out.
 * @throws {IssuerError} also when the document is of another issuer: whoever wrote it would decide whose tokens are accepted (§4.3)
 */
export async function fetchMetadata({ issuer, requiredEndpoints, fetch, signal }: MetadataOptions): Promise<ServerMetadata> {
  const options = { what, signal }
  const document = await fetchJson(fetch, openIdConfigurationUrl(issuer), options).catch(error => {
    if (error instanceof IssuerError && error.status === 404) return fetchJson(fetch, authorizationServerUrl(issuer), options)
    throw error
  })
  if (!isObject(document)) throw new IssuerError(`${what} is not a JSON object`)
  // Compared as a string: another spelling would be another user of the same subject.
  if (document.issuer !== issuer) {
    const named = toAccountName(document.issuer)
    throw new IssuerError(`${what} is of ${named === undefined ? 'no issuer' : `the issuer ${named}`}, not of ${issuer} to the letter`)
  }
  const isHttps = new URL(issuer).protocol === 'https:'
  for (const name of endpoints) if (!isEndpoint(document[name], isHttps)) delete document[name]
  const missing = requiredEndpoints.find(name => document[name] === undefined)
  if (missing !== undefined) throw new IssuerError(`${what} has no https URL in "${missing}"`)
  return document as ServerMetadata
}

/** What an issuer signs id tokens and logout tokens with (OpenID Connect Discovery 1.0 §3): asymmetric algorithms only. */
export const idTokenAlgorithms = ({ id_token_signing_alg_values_supported: announced = [defaultAlgorithm] }: ServerMetadata): string[] =>
  [announced].flat().filter(algorithm => asymmetricAlgorithms.includes(algorithm))

/** What an issuer on https names must be on https as well. */
function isEndpoint(value: unknown, isHttps: boolean): boolean {
  const url = typeof value === 'string' ? URL.parse(value) : null
  if (url === null || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && !isHttps)
}

/** Appended to the issuer, whose own slash at the end goes first (OpenID Connect Discovery 1.0 §4.1). */
const openIdConfigurationUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

/** Inserted between the host and the path of the issuer (RFC 8414 §3.1). */
function authorizationServerUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

import { toAccountName } from '../core/util/display-text.ts'
import { fetchJson, IssuerError } from './fetch-json.ts'

type MetadataOptions = Omit<Parameters<typeof fetchJson>[1], 'what'>

/**
 * The issuer's metadata by OpenID Connect Discovery 1.0 §4; where that does not exist, by RFC 8414 §3.
 * @param issuer without query and fragment
 * @throws {IssuerError} also when the document is of another issuer: whoever wrote it would decide whose tokens are accepted (§4.3)
 */
async function fetchMetadata(issuer: string, options: MetadataOptions): Promise<Record<string, unknown>> {
  const what = 'the discovery document of the issuer'
  const document = await fetchJson(openIdConfigurationUrl(issuer), { ...options, what }).catch(error => {
    if (error instanceof IssuerError && error.status === 404) return fetchJson(authorizationServerUrl(issuer), { ...options, what })
    throw error
  })
  if (!isObject(document)) throw new IssuerError(`${what} is not a JSON object`)
  if (document.issuer !== issuer) {
    const named = toAccountName(document.issuer)
    throw new IssuerError(`${what} is of ${named === undefined ? 'no issuer' : `the issuer ${named}`}, not of ${issuer} to the letter`)
  }
  return document
}

/**
 * The URL of the issuer's key set, from its metadata.
 * @throws {IssuerError}
 */
export async function discoverJwksUrl(issuer: string, options: MetadataOptions): Promise<string> {
  const { jwks_uri: jwksUri } = await fetchMetadata(issuer, options)
  const url = typeof jwksUri === 'string' ? URL.parse(jwksUri) : null
  const isAllowed = url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && new URL(issuer).protocol === 'http:'))
  if (!isAllowed || url.username !== '' || url.password !== '')
    throw new IssuerError('the discovery document of the issuer has no https URL in "jwks_uri"')
  return url.href
}

/** Appended to the issuer, whose own slash at the end goes first (OpenID Connect Discovery 1.0 §4.1). */
const openIdConfigurationUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`

/** Inserted between the host and the path of the issuer (RFC 8414 §3.1). */
function authorizationServerUrl(issuer: string): string {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

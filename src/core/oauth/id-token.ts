type Audience = {
  readonly clientId: string
  /** Not compared if it is `undefined`. */
  readonly issuer?: string | undefined
}

/** Compact serialization of a JWS (RFC 7515 §7.1), of which only the payload is read. An encrypted token has five parts. */
const signedToken = /^[\w-]+\.([\w-]+)\.[\w-]*$/
const maxLength = 16_384

/**
 * The claims of an ID token (OpenID Connect Core 1.0 §2) that came in a token response. The signature is not verified: the response came from
 * the token endpoint over TLS (§3.1.3.7, 6). So the claims must not be used for a token that came by any other way.
 * @returns `undefined` unless the token is for this client, and of this issuer
 */
export function readIdTokenClaims(idToken: unknown, { clientId, issuer }: Audience): object | undefined {
  const payload = typeof idToken === 'string' && idToken.length <= maxLength ? signedToken.exec(idToken)?.[1] : undefined
  const claims = payload === undefined ? undefined : parseJsonObject(Buffer.from(payload, 'base64url').toString())
  if (!claims) return undefined
  if (issuer !== undefined && claims.iss !== issuer) return undefined
  return [claims.aud].flat().includes(clientId) ? claims : undefined
}

function parseJsonObject(text: string): { readonly iss?: unknown; readonly aud?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

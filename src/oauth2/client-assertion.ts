import { TokenEndpointError } from '../core/oauth/token-response.ts'
import type { ClientAssertion, OAuthClient } from '../core/provider/definition.ts'
import { expand } from '../core/provider/template.ts'

/** In seconds. Long enough for a slow request and clocks that differ, since nothing else reads it. */
const lifetime = 300

/** RFC 7523 §2.2. */
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * Signs what proves the operator's client (RFC 7523 §3) with its secret, which is the private key.
 * @param audience the token endpoint's URL
 * @throws {TokenEndpointError} `invalid_client` when the secret is not a key for the algorithm
 */
export async function signAssertion(
  { algorithm, keyId, issuer = '{client_id}', audience: declared }: ClientAssertion,
  { id, secret }: OAuthClient,
  audience: string
): Promise<string> {
  const { importPKCS8, SignJWT } = await import('jose')
  const text = (template: string) => expand.text(template, { client_id: id })
  try {
    // A file of the environment has no line breaks in a value, so that some write them as \n.
    const key = await importPKCS8((secret?.reveal() ?? '').trim().replaceAll('\\n', '\n'), algorithm)
    return await new SignJWT()
      .setProtectedHeader({ alg: algorithm, ...(keyId !== undefined && { kid: text(keyId) }), typ: 'JWT' })
      .setIssuer(text(issuer))
      .setSubject(id)
      .setAudience(declared === undefined ? audience : text(declared))
      .setJti(crypto.randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${lifetime}s`)
      .sign(key)
  } catch {
    // In our words: jose's could repeat a part of the key.
    const message = `the client secret is not a private key in PEM (PKCS #8) for ${algorithm}`
    throw new TokenEndpointError('refused', message, 'invalid_client', { means: 'invalid_client' })
  }
}

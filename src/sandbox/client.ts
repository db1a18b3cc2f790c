import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import type { OAuth2Method } from '../core/provider/definition.ts'

/** The client that the operator would register at a vendor. */
export type SandboxClient = {
  readonly id: string
  /** In place of a secret a private key in PEM, where the client signs. */
  readonly secret: string | undefined
  readonly publicKey?: KeyObject
}

export function createClient(name: string, method: OAuth2Method | undefined): SandboxClient {
  const id = `grantkeeper-${name}`
  const secret = randomBytes(32).toString('base64url')
  switch (method?.clientAuthentication) {
    case 'none':
      return { id, secret: undefined }
    // What the percent-encoding of RFC 6749 §2.3.1 changes, so that only the declared form is right.
    case 'basic':
    case 'basic-raw':
      return { id, secret: `${secret}+/%=` }
    case 'private_key_jwt':
      return { id, ...newKeyPair(method.clientAssertion?.algorithm) }
    default:
      return { id, secret }
  }
}

function newKeyPair(algorithm = 'ES256'): { readonly secret: string; readonly publicKey: KeyObject } {
  const { privateKey, publicKey } = generate(algorithm)
  return { secret: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey }
}

function generate(algorithm: string) {
  const curve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm]
  if (curve !== undefined) return generateKeyPairSync('ec', { namedCurve: curve })
  return algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 })
}

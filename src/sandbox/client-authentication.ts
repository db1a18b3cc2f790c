import { constants, type KeyObject, verify } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { OAuth2Method } from '../core/provider/definition.ts'
import type { SandboxClient } from './client.ts'
import type { Facts } from './facts.ts'
import { parseJson } from './http.ts'
import { matchText } from './match-template.ts'

type Authenticated = { readonly params: URLSearchParams; readonly headers: IncomingHttpHeaders }

/**
 * Authenticates the client in the one way that the definition declares (RFC 6749 §2.3).
 * @returns what is wrong; `undefined` for the right client
 */
export function clientProblem(
  method: OAuth2Method,
  client: SandboxClient,
  facts: Facts,
  { params, headers }: Authenticated
): string | undefined {
  const { clientAuthentication, clientIdParameter: idName = 'client_id', clientSecretParameter: secretName = 'client_secret' } = method
  const id = params.get(idName)
  const secret = params.get(secretName)
  const otherNames = ['client_id', 'client_secret'].filter(name => ![idName, secretName].includes(name) && params.has(name))
  if (otherNames.length > 0) return `${otherNames[0]} has another name here: ${otherNames[0] === 'client_id' ? idName : secretName}`
  const isBasic = clientAuthentication === 'basic' || clientAuthentication === 'basic-raw'
  if (!isBasic && headers.authorization !== undefined) return 'the client must not authenticate by the Authorization header'
  // A client may name itself twice.
  if (id !== null ? id !== client.id : !isBasic) return `${idName} is not that of the client`
  switch (clientAuthentication) {
    case 'basic':
    case 'basic-raw':
      if (secret !== null) return `${secretName} must be in the Authorization header alone`
      return basicProblem(headers.authorization, client, clientAuthentication === 'basic')
    case 'none':
      return secret === null ? undefined : 'this client has no secret'
    case 'private_key_jwt':
      return signedProblem(method, client, facts, params, secretName)
    default:
      return secret === client.secret ? undefined : `${secretName} is not that of the client`
  }
}

function basicProblem(authorization: string | undefined, { id, secret = '' }: SandboxClient, isEncoded: boolean): string | undefined {
  const [, credentials] = /^Basic ([\w+/]+={0,2})$/i.exec(authorization ?? '') ?? []
  if (credentials === undefined) return 'the client must authenticate by the Authorization header'
  const expected = isEncoded ? [formEncode(id), formEncode(secret)] : [id, secret]
  return Buffer.from(credentials, 'base64').toString() === expected.join(':')
    ? undefined
    : `the Authorization header has not the client’s id and secret${isEncoded ? ', each form-encoded' : ' as they are'}`
}

/** RFC 6749 appendix B. What the client has is safe from the differences between form encoders. */
const formEncode = (text: string): string => encodeURIComponent(text)

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const maxLifetimeSeconds = 180 * 86_400

function signedProblem(method: OAuth2Method, client: SandboxClient, facts: Facts, params: URLSearchParams, secretName: string) {
  const { asSecret = false } = method.clientAssertion ?? {}
  if ((params.get('client_assertion_type') === assertionType) === asSecret)
    return `client_assertion_type must ${asSecret ? 'not be there' : `be ${assertionType}`}`
  const name = asSecret ? secretName : 'client_assertion'
  const problem = assertionProblem(method, client, facts, params.get(name) ?? '')
  return problem && `${name}: ${problem}`
}

/** RFC 7523 §3. @returns what is wrong with a client assertion */
export function assertionProblem(method: OAuth2Method, client: SandboxClient, facts: Pick<Facts, 'problemIn'>, assertion: string) {
  const { algorithm = 'ES256', keyId, issuer = '{client_id}', audience = method.tokenUrl } = method.clientAssertion ?? {}
  const [header = '', payload = '', signature = ''] = assertion.split('.')
  const [head, claims] = [header, payload].map(part => Object(parseJson(Buffer.from(part, 'base64url').toString())))
  const is = (template: string, value: unknown) => {
    const match = typeof value === 'string' ? matchText(template, value) : undefined
    return match !== undefined && facts.problemIn(match.variables, undefined) === undefined
  }
  const nowSeconds = Date.now() / 1000
  if (head.alg !== algorithm) return `its alg must be ${algorithm}`
  if (keyId !== undefined && !is(keyId, head.kid)) return `its kid must be ${keyId}`
  if (!is(issuer, claims.iss)) return `its iss must be ${issuer}`
  if (claims.sub !== client.id) return 'its sub must be the client’s id'
  if (![claims.aud].flat().some(aud => is(audience, aud))) return `its aud must be ${audience}`
  if (!(claims.exp > nowSeconds && claims.exp < nowSeconds + maxLifetimeSeconds)) return 'its exp has passed, or is too far'
  const signed = Buffer.from(`${header}.${payload}`)
  const isSigned = client.publicKey && verifySignature(algorithm, client.publicKey, signed, Buffer.from(signature, 'base64url'))
  return isSigned ? undefined : 'its signature is not by the client’s key'
}

/** RFC 7518 §3, RFC 8037 §3.1. */
function verifySignature(algorithm: string, key: KeyObject, signed: Buffer, signature: Buffer): boolean {
  if (algorithm === 'EdDSA') return verify(null, signed, key, signature)
  const hash = `sha${algorithm.slice(2)}`
  if (algorithm.startsWith('ES')) return verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
  const padding = algorithm.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
  return verify(hash, signed, { key, padding, saltLength: 32 }, signature)
}

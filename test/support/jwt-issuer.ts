import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import type { Test } from 'tap'
import { json } from './fake-provider.ts'

/** A key pair whose public half is a member of a key set. */
export type SigningKey = { readonly alg: string; readonly privateKey: KeyObject; readonly jwk: JWK }

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export type JwtIssuer = {
  /** Exactly as its tokens and its discovery document have it. */
  readonly issuer: string
  readonly origin: string
  readonly jwksUrl: string
  /** Members of the key set, which a test replaces or adds odd ones to. */
  keys: unknown[]
  /** Its discovery document. */
  document: Record<string, unknown>
  /** Replaces fields of the discovery document, or leaves out those that are `undefined`. */
  metadata: Record<string, unknown>
  /** While true, connections are closed without a response. */
  isDown: boolean
  /** Responds instead of the document at this path. */
  readonly handlers: Map<string, Handler>
  /** Paths requested so far. */
  readonly requests: string[]
  fetchesOfKeys(): number
}

type IssuerOptions = {
  /** Of the issuer: `/realms/main`. */
  readonly path?: string
  /** Serves https at `localhost`. */
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer }
}

type GeneratedKind = 'RS256' | 'PS256' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'

const generators: Readonly<Record<GeneratedKind, () => { publicKey: KeyObject; privateKey: KeyObject }>> = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: () => generateKeyPairSync('ed25519')
}

/** @param fields further members of the JWK, or replacements */
export function newSigningKey(kid: string | undefined, alg: GeneratedKind = 'ES256', fields: Record<string, unknown> = {}): SigningKey {
  const { publicKey, privateKey } = generators[alg]()
  return { alg, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), ...(kid !== undefined && { kid }), use: 'sig', ...fields } }
}

/** The key pair of a private key that is given as JWK. */
export const signingKeyOf = (jwk: JWK, alg: string): SigningKey => {
  const { d: _, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...publicJwk } = jwk
  return { alg, privateKey: createPrivateKey({ key: jwk, format: 'jwk' }), jwk: publicJwk }
}

/** A token of these claims and no others. */
export const sign = (claims: JWTPayload, key: SigningKey, header: Partial<JWTHeaderParameters> = {}): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, ...(key.jwk.kid !== undefined && { kid: String(key.jwk.kid) }), ...header })
    .sign(key.privateKey)

/** An issuer on a real socket. The test controls its keys, its discovery document and its failures. */
export async function startJwtIssuer(t: Test, { path = '', tls }: IssuerOptions = {}): Promise<JwtIssuer> {
  const respond: Handler = (request, response) => {
    const url = request.url ?? ''
    state.requests.push(url)
    if (state.isDown) return void request.socket.destroy()
    const handler = state.handlers.get(url)
    if (handler) return handler(request, response)
    if (url === `${path}/.well-known/openid-configuration`) return json(response, 200, { ...state.document, ...state.metadata })
    if (url === '/keys') return json(response, 200, { keys: state.keys })
    return json(response, 404, {})
  }
  const server = tls ? createTlsServer(tls, respond) : createServer(respond)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `${tls ? 'https://localhost' : 'http://127.0.0.1'}:${(server.address() as AddressInfo).port}`
  const issuer = `${origin}${path}`
  const jwksUrl = `${origin}/keys`
  const state: JwtIssuer = {
    issuer,
    origin,
    jwksUrl,
    keys: [],
    document: { issuer, jwks_uri: jwksUrl },
    metadata: {},
    isDown: false,
    handlers: new Map(),
    requests: [],
    fetchesOfKeys: () => state.requests.filter(url => url === '/keys').length
  }
  return state
}

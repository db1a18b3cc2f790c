import { lookup } from 'node:dns'
import type { JWTPayload } from 'jose'
import type { Test } from 'tap'
import { createEvents } from '../../src/core/events.ts'
import { Secret } from '../../src/core/secret.ts'
import type { LoginConfig } from '../../src/core/users/login-config.ts'
import { createLoginFlow, type LoginFlow } from '../../src/core/users/login-flow.ts'
import { createLoginClient, type LoginClient, type LoginClientOptions } from '../../src/identity/login-client.ts'
import { json } from '../support/fake-provider.ts'
import { TestClock } from '../support/gateway.ts'
import { type JwtIssuer, newSigningKey, sign, startJwtIssuer } from '../support/jwt-issuer.ts'
import { type OpenidIssuer, type OpenidIssuerOptions, startOpenidIssuer } from '../support/openid-issuer.ts'

export const redirectUri = 'http://localhost:3000/login/callback'

type ClientChange = Partial<LoginConfig> &
  Partial<Pick<LoginClientOptions, 'events' | 'lookupFor' | 'fetchTimeoutMs' | 'userInfoTimeoutMs'>>

/** A client of an issuer, and its clock. */
export function clientOf({ issuer, clientId, environment = {} }: ClientOfIssuer, change: ClientChange = {}) {
  const { events = createEvents(), lookupFor = () => lookup, fetchTimeoutMs, userInfoTimeoutMs, ...config } = change
  const clock = new TestClock()
  const client = createLoginClient({
    config: {
      issuer,
      clientId,
      ...(environment.LOGIN_CLIENT_SECRET !== undefined && { clientSecret: new Secret(environment.LOGIN_CLIENT_SECRET) }),
      scopes: ['openid', 'profile', 'email'],
      ...config
    },
    redirectUri,
    clock,
    events,
    lookupFor,
    fetchTimeoutMs,
    userInfoTimeoutMs
  })
  return { client, clock, newFlow: () => createLoginFlow('/', clock.now()) }
}

type ClientOfIssuer = Pick<OpenidIssuer, 'issuer' | 'clientId'> & Partial<Pick<OpenidIssuer, 'environment'>>

/** A real provider, and a client of it. */
export async function startIssuerAndClient(t: Test, options: Partial<OpenidIssuerOptions> = {}, change: ClientChange = {}) {
  const issuer = await startOpenidIssuer(t, { redirectUris: [redirectUri], ...options })
  return { issuer, ...clientOf(issuer, change) }
}

export const paramsOf = (callback: string): URLSearchParams => new URL(callback).searchParams

type Claims = Readonly<Record<string, unknown>>
/** An issuer that a test makes lie. */
export type LyingIssuer = JwtIssuer & {
  readonly clientId: string
  /** Signs an id token of its next token response. */
  idToken: (claims: JWTPayload) => Promise<string> | string
  sign(claims: JWTPayload, header?: Record<string, unknown>): Promise<string>
  /** The callback of a flow, and the claims of a correct id token for it with these changed. */
  callbackOf(flow: LoginFlow, claims?: Claims): URLSearchParams
}

const nowSeconds = () => Math.floor(Date.now() / 1000)

export async function startLyingIssuer(t: Test): Promise<LyingIssuer> {
  const key = newSigningKey('key-1')
  const jwtIssuer = await startJwtIssuer(t)
  const { issuer, document, handlers } = jwtIssuer
  jwtIssuer.keys = [key.jwk]
  Object.assign(document, {
    authorization_endpoint: `${issuer}/authorize?tenant=1`,
    token_endpoint: `${issuer}/token`,
    id_token_signing_alg_values_supported: ['ES256']
  })
  let claims: JWTPayload = {}
  const lying: LyingIssuer = Object.assign(jwtIssuer, {
    clientId: 'client-1',
    idToken: (payload: JWTPayload) => sign(payload, key),
    sign: (payload: JWTPayload, header?: Record<string, unknown>) => sign(payload, key, header),
    callbackOf(flow: LoginFlow, change: Claims = {}) {
      const iat = nowSeconds()
      const correct = { iss: issuer, aud: 'client-1', sub: 'ada-1', name: 'Ada', nonce: flow.nonce, iat, exp: iat + 300 }
      claims = { ...correct, ...change }
      return new URLSearchParams({ code: 'code-canary', state: flow.state })
    }
  })
  handlers.set('/token', async (_, response) => {
    const idToken = await lying.idToken(JSON.parse(JSON.stringify(claims)))
    json(response, 200, { access_token: 'access-canary', token_type: 'Bearer', id_token: idToken })
  })
  return lying
}

/** How a callback to a lying issuer ends. */
export const complete = (client: LoginClient, issuer: LyingIssuer, flow: LoginFlow, claims?: Claims) =>
  client.complete(issuer.callbackOf(flow, claims), flow)

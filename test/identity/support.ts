import type { JWTPayload } from 'jose'
import type { Test } from 'tap'
import { createEvents, type GatewayEvents } from '../../src/core/events.ts'
import type { JwtConfig } from '../../src/core/users/bearer-config.ts'
import { type BearerTokensOptions, createBearerTokens, type VerifiedToken } from '../../src/identity/bearer-tokens.ts'
import { createLookup } from '../../src/upstream/lookup.ts'
import { manualClock } from '../core/support.ts'
import { type JwtIssuer, newSigningKey, sign, startJwtIssuer } from '../support/jwt-issuer.ts'

export const audience = 'https://connect.example.com'

type SetupOptions = Partial<Omit<BearerTokensOptions, 'jwt' | 'issuer'>> & {
  readonly issuer?: JwtIssuer
  /** The configuration names the key set, so that no discovery document is read. */
  readonly hasJwksUrl?: boolean
  readonly jwt?: Partial<JwtConfig>
}

/** An issuer with one key, and a gateway's verifier of its tokens. */
export async function setUp(t: Test, { issuer: given, hasJwksUrl = false, jwt = {}, ...options }: SetupOptions = {}) {
  const issuer = given ?? (await startJwtIssuer(t))
  const key = newSigningKey('first')
  if (issuer.keys.length === 0) issuer.keys = [key.jwk]
  const clock = manualClock()
  const events = createEvents()
  const published: Array<[name: string, message: unknown]> = []
  for (const name of ['issuer.unavailable', 'issuer.available'] as const satisfies Array<keyof GatewayEvents>)
    events.subscribe(name, message => void published.push([name, message]))
  const bearerTokens = createBearerTokens({
    jwt: {
      issuer: issuer.issuer,
      audiences: [audience],
      userClaim: 'sub',
      keys: {
        kind: 'issuer',
        issuer: issuer.issuer,
        jwksUrl: hasJwksUrl ? issuer.jwksUrl : undefined,
        trustedOrigins: [issuer.origin]
      },
      ...jwt
    },
    clock,
    events,
    lookupFor: createLookup({ production: false, providers: new Map() }),
    ...options
  })
  t.teardown(() => bearerTokens.close())
  const nowSeconds = () => Math.floor(clock.now() / 1000)
  /** A good token's claims, with these in addition or instead. */
  const claims = (change: object = {}): JWTPayload => ({
    iss: issuer.issuer,
    aud: audience,
    sub: 'ada',
    iat: nowSeconds(),
    exp: nowSeconds() + 3600,
    ...change
  })
  return {
    issuer,
    key,
    clock,
    events,
    published,
    verify: async (token: string): Promise<VerifiedToken> => bearerTokens.verify(token),
    bearerTokens,
    nowSeconds,
    claims,
    token: (change?: object, header?: object, signingKey = key) => sign(claims(change), signingKey, header)
  }
}

export const invalid = (detail: RegExp) => ({ code: 'token_invalid', status: 401, message: detail })

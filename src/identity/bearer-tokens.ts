import { hash } from 'node:crypto'
import type { Events } from '../core/events.ts'
import type { Clock, LookupFor } from '../core/ports.ts'
import type { JwtConfig } from '../core/users/bearer-config.ts'
import { whyNoUserId } from '../core/users/user.ts'
import { BoundedMap } from '../core/util/bounded-map.ts'
import { toAccountName } from '../core/util/display-text.ts'
import { createIssuer, type Issuer } from './issuer.ts'
import { InvalidJwtError, type KindRules, leewaySeconds, tokenInvalid } from './jwt-rules.ts'
import { createSecretKeys, secretAlgorithms } from './key-source.ts'
import { asymmetricAlgorithms } from './verification-keys.ts'

/** The user whom a bearer token names. */
export type VerifiedToken = {
  readonly userId: string
  /** For pages: one line of at most 200 characters. */
  readonly name?: string
  /** Its `exp`, without leeway. */
  readonly expiresAtMs: number
}

export type BearerTokens = {
  /**
   * Verifies a JSON Web Token (RFC 7519, RFC 8725). One that was verified before costs a hash and returns at once.
   * @throws `token_invalid`, with a detail that repeats nothing of the token; `issuer_unavailable` while nobody can tell
   */
  verify(token: string): VerifiedToken | Promise<VerifiedToken>
  /** Fetches the issuer's keys, so that the first request need not wait and the log tells of a wrong issuer. Never rejects. */
  preload(): Promise<void>
  /** Ends a fetch of keys in flight, unless the issuer is shared. */
  close(): void
}

export type BearerTokensOptions = {
  readonly jwt: JwtConfig
  /** The OAuth client of the gateway's own sign-in: tokens for it are id tokens, and those are no access tokens. */
  readonly loginClientId?: string | undefined
  /** The one of the gateway's own sign-in, to share its keys. By default one is made of the options below. Without use for secrets. */
  readonly issuer?: Issuer | undefined
  readonly clock: Clock
  readonly events: Events
  /** Trusts `trustedOrigins` of the configuration. */
  readonly lookupFor: LookupFor
  /** For each request to the issuer; by default 5 s. */
  readonly fetchTimeoutMs?: number | undefined
}

/** Verified tokens that are remembered. */
const maxRemembered = 10_000

type Remembered = { readonly token: VerifiedToken; readonly untilMs: number }

/** RFC 9068 §2.1 types an access token `at+jwt`; many issuers do not type it. `logout+jwt`, `secevent+jwt` or `dpop+jwt` are something else. */
const accessTokens: KindRules = {
  kind: 'an access token',
  requiredClaims: ['exp'],
  isTypeAllowed: type => type === 'at+jwt' || !type?.endsWith('+jwt')
}

/** What verifies bearer tokens. Its cryptography is loaded with the first token. */
export function createBearerTokens(options: BearerTokensOptions): BearerTokens {
  const { jwt, loginClientId, clock } = options
  const { audiences, userClaim } = jwt
  const { keys: source, algorithms, preload, close } = createKeys(options)
  const settings = { issuer: 'JWT_ISSUER', audience: 'JWT_AUDIENCE' }
  const rules = { ...accessTokens, algorithms, issuer: jwt.issuer, audiences, settings }
  // An operator who lists it as an audience wants its id tokens.
  const foreignAudience = loginClientId !== undefined && !audiences.includes(loginClientId) ? loginClientId : undefined
  const remembered = new BoundedMap<string, Remembered>({ maxEntries: maxRemembered, order: 'lru' })
  const inFlight = new Map<string, Promise<VerifiedToken>>()
  let seenWithdrawals = 0

  /** Forgets all tokens when a key is withdrawn: it may have signed any of them. */
  function forgetWithdrawn(): void {
    if (source.withdrawals() === seenWithdrawals) return
    seenWithdrawals = source.withdrawals()
    remembered.clear()
  }

  async function verifyNew(token: string, id: string): Promise<VerifiedToken> {
    const { verifyJwt } = await import('./verify-jwt.ts')
    const withdrawals = source.withdrawals()
    const claims = await verifyJwt(token, { rules, keys: source, clock }).catch(error => {
      throw error instanceof InvalidJwtError ? tokenInvalid(error.message) : error
    })
    const verified = readClaims(claims)
    // Otherwise the key may be the one that has been withdrawn in the meantime.
    if (source.withdrawals() === withdrawals) {
      forgetWithdrawn()
      remembered.set(id, { token: verified, untilMs: verified.expiresAtMs + leewaySeconds * 1000 })
    }
    return verified
  }

  function readClaims(claims: Readonly<Record<string, unknown>>): VerifiedToken {
    if (claims.events !== undefined) throw tokenInvalid('is a security event or logout token, not an access token')
    if (foreignAudience !== undefined && [claims.aud].flat().includes(foreignAudience))
      throw tokenInvalid('is for LOGIN_CLIENT_ID, so that it is an id token, not an access token')
    const userId = readUserId(claims)
    const problem = userId === undefined ? 'is missing, or neither a text nor a whole number' : whyNoUserId(userId)
    if (userId === undefined || problem !== undefined) throw tokenInvalid(`names no user: the claim that JWT_USER_CLAIM names ${problem}`)
    if (userClaim === 'email' && (claims.email_verified === false || claims.email_verified === 'false'))
      throw tokenInvalid('has an e-mail address that its issuer has not verified')
    const name = [claims.name, claims.email, claims.preferred_username].map(toAccountName).find(text => text !== undefined)
    return Object.freeze({ userId, ...(name !== undefined && { name }), expiresAtMs: (claims.exp as number) * 1000 })
  }

  /** A whole number is a user's id too, and the same one as its digits: many applications number their users. */
  function readUserId(claims: Readonly<Record<string, unknown>>): string | undefined {
    const value = claims[userClaim]
    return typeof value === 'string' ? value : Number.isSafeInteger(value) ? String(value) : undefined
  }

  return {
    verify(token) {
      source.refreshIfOld()
      forgetWithdrawn()
      // Not the token itself as the key: it has up to 8 kB and is a secret.
      const id = hash('sha256', token, 'base64')
      const known = remembered.get(id)
      if (known) {
        if (clock.now() < known.untilMs) return known.token
        remembered.evict(id)
      }
      const pending = inFlight.get(id)
      if (pending) return pending
      const verification = verifyNew(token, id).finally(() => inFlight.delete(id))
      inFlight.set(id, verification)
      return verification
    },
    preload,
    close
  }
}

function createKeys({ jwt: { keys: config }, issuer: shared, clock, events, lookupFor, fetchTimeoutMs }: BearerTokensOptions) {
  if (config.kind === 'secrets')
    return { keys: createSecretKeys(config.secrets), algorithms: secretAlgorithms, preload: async () => {}, close: () => {} }
  const { issuer, jwksUrl } = config
  const { keys, preload, close } = shared ?? createIssuer({ issuer, jwksUrl, isForLogin: false, clock, events, lookupFor, fetchTimeoutMs })
  return { keys, algorithms: asymmetricAlgorithms, preload, close: shared ? () => {} : close }
}

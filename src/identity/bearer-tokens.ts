import { hash } from 'node:crypto'
import type { Events } from '../core/events.ts'
import type { Clock, LookupFor } from '../core/ports.ts'
import type { JwtConfig } from '../core/users/bearer-config.ts'
import { whyNoUserId } from '../core/users/user.ts'
import { BoundedMap } from '../core/util/bounded-map.ts'
import { toAccountName } from '../core/util/display-text.ts'
import { createIssuerKeys, type KeySource } from './issuer-keys.ts'
import { keysFor, readJwtHeader } from './jwt-header.ts'
import { leewayMs, signatureInvalid, tokenInvalid } from './jwt-rules.ts'
import { asymmetricAlgorithms, type VerificationKey } from './verification-keys.ts'

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
  /** Ends a fetch of keys in flight. */
  close(): void
}

export type BearerTokensOptions = {
  readonly jwt: JwtConfig
  /** The OAuth client of the gateway's own sign-in: tokens for it are id tokens, and those are no access tokens. */
  readonly loginClientId?: string | undefined
  readonly clock: Clock
  readonly events: Events
  /** Trusts `trustedOrigins` of the configuration. */
  readonly lookupFor: LookupFor
  readonly fetchTimeoutMs?: number | undefined
}

/** Verified tokens that are remembered. */
const maxRemembered = 10_000

type Remembered = { readonly token: VerifiedToken; readonly untilMs: number }

/** What verifies bearer tokens. Its cryptography is loaded with the first token. */
export function createBearerTokens({ jwt, loginClientId, clock, ...issuerOptions }: BearerTokensOptions): BearerTokens {
  const { keys: config, issuer, audiences, userClaim } = jwt
  const source = config.kind === 'issuer' ? createIssuerKeys({ config, clock, ...issuerOptions }) : createSecretKeys(config.secrets)
  const rules = { algorithms: config.kind === 'issuer' ? asymmetricAlgorithms : secretAlgorithms, issuer, audiences }
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
    const header = readJwtHeader(token, rules)
    const { verifyJwt } = await import('./verify-jwt.ts')
    let keys: readonly VerificationKey[] | undefined = await source.current()
    while (keys) {
      const { candidates, isNamed } = keysFor(header, keys)
      const withdrawals = source.withdrawals()
      const claims = await verifyJwt(token, candidates, rules, clock.now())
      if (claims) {
        const verified = readClaims(claims)
        if (source.withdrawals() === withdrawals) {
          forgetWithdrawn()
          remembered.set(id, { token: verified, untilMs: verified.expiresAtMs + leewayMs })
        }
        return verified
      }
      if (isNamed) break
      keys = await source.newerThan(keys)
    }
    throw signatureInvalid()
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
    preload: () =>
      source.current().then(
        () => {},
        () => {}
      ),
    close: () => source.close()
  }
}

const secretAlgorithms = ['HS256']

/** Secrets do not change while the gateway runs. A token's `kid` says nothing about them. */
function createSecretKeys(secrets: readonly VerificationKey['key'][]): KeySource {
  const keys = secrets.map((key, i) => ({ id: String(i), kid: undefined, algorithms: secretAlgorithms, key }))
  return {
    current: async () => keys,
    newerThan: async () => undefined,
    refreshIfOld: () => {},
    withdrawals: () => 0,
    close: () => {}
  }
}

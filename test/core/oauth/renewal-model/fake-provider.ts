import type { Grant } from '../../../../src/core/connections/connection.ts'
import type { TokenEndpoint } from '../../../../src/core/oauth/token-endpoint.ts'
import { TokenEndpointError } from '../../../../src/core/oauth/token-response.ts'
import { grantOf } from '../../support.ts'
import type { Process } from './process.ts'
import type { Time } from './time.ts'

export type ProviderPlan = {
  /** How long a rotated refresh token still returns the tokens that it was exchanged for. */
  readonly graceMs: number
  /** The token requests in order. All later ones succeed at once. */
  readonly tokenCalls: ReadonlyArray<{
    readonly tookMs: number
    /**
     * `lost`: the token was rotated, and the response did not arrive. `garbled`: it was rotated, and the response is unreadable.
     * `failed`: it was not rotated, and the response says so.
     */
    readonly fault: 'lost' | 'garbled' | 'failed' | undefined
  }>
}

/** All token pairs of one sign-in. Each refresh issues the next pair and rotates the one before. */
type Family = { newest: number; rotatedAtMs: number; end?: 'reuse' | 'revocation' }

/** Family and number of a token pair. Comparing them orders all pairs by age. */
export type TokenPosition = readonly [family: number, number: number]

/** One use of a refresh token: the provider's decision and what the sender saw of it. */
export type RefreshRequest = {
  readonly family: number
  readonly number: number
  readonly by: Process
  readonly atMs: number
  /** How often the record had been written by then. */
  readonly atWrite: number
  /** The number of the pair that was issued for it. */
  granted?: number
  /** The earlier successful use of the same token. */
  earlierUse?: RefreshRequest
  outcome?: 'lost' | 'failed' | 'refused' | 'granted'
  outcomeAtMs?: number
}

export type FakeProvider = {
  endpointOf(process: Process): TokenEndpoint
  signIn(): Grant
  /** Revokes every family. */
  revokeAll(): void
  readonly requests: readonly RefreshRequest[]
  readonly families: readonly Family[]
}

const grant = (family: number, number: number) => grantOf(`access-${family}-${number}`, `refresh-${family}-${number}`)

export function positionOf(token: string): TokenPosition {
  const [, family = Number.NaN, number = Number.NaN] = token.split('-').map(Number)
  return [family, number]
}

/** A token endpoint that rotates refresh tokens and revokes the grant when one is reused (RFC 9700 §4.14.2). */
export function createFakeProvider(time: Time, plan: ProviderPlan, writes: () => number): FakeProvider {
  const families: Family[] = []
  const requests: RefreshRequest[] = []

  function redeem(one: RefreshRequest): void {
    const family = families[one.family]
    if (!family || family.end) return
    const earlierUse = requests.findLast(
      ({ family, number, granted }) => family === one.family && number === one.number && granted !== undefined
    )
    if (earlierUse) one.earlierUse = earlierUse
    if (one.number === family.newest) {
      family.newest++
      family.rotatedAtMs = time.now()
    } else if (one.number < family.newest - 1 || time.now() - family.rotatedAtMs >= plan.graceMs) {
      family.end = 'reuse'
      return
    }
    one.granted = family.newest
  }

  async function refresh(process: Process, token: string): Promise<Grant> {
    const [family, number] = positionOf(token)
    const one: RefreshRequest = { family, number, by: process, atMs: time.now(), atWrite: writes() }
    const { tookMs, fault } = plan.tokenCalls[requests.push(one) - 1] ?? { tookMs: 0, fault: undefined }
    await time.step(`${process.name} sends ${token}`)
    if (fault !== 'failed') redeem(one)
    await time.sleep(tookMs)
    await process.receive(time.step(`${process.name} sees the response to ${token}`))
    one.outcome = (fault === 'garbled' ? 'lost' : fault) ?? (one.granted === undefined ? 'refused' : 'granted')
    one.outcomeAtMs = time.now()
    if (fault === 'lost') throw new TokenEndpointError('timeout', 'no response')
    if (fault === 'garbled') throw new TokenEndpointError('invalid_response', 'unreadable')
    if (fault === 'failed') throw new TokenEndpointError('unavailable', 'the token endpoint responded with 503')
    if (one.granted === undefined) throw new TokenEndpointError('refused', 'the token endpoint responded with 400', 'invalid_grant')
    return grant(family, one.granted)
  }

  return {
    endpointOf: process => ({
      refresh: ({ refreshToken }) => refresh(process, refreshToken?.reveal() ?? ''),
      exchange: () => Promise.reject(new Error('a renewal exchanges no code')),
      revoke: () => Promise.reject(new Error('a renewal revokes nothing itself'))
    }),
    signIn: () => grant(families.push({ newest: 1, rotatedAtMs: time.now() }) - 1, 1),
    revokeAll: () => {
      for (const family of families) family.end ??= 'revocation'
    },
    requests,
    families
  }
}

import type { Grant } from '../../../../src/core/connections/connection.ts'
import type { TokenEndpoint } from '../../../../src/core/oauth/token-endpoint.ts'
import { TokenEndpointError } from '../../../../src/core/oauth/token-response.ts'
import { grantOf } from '../../support.ts'
import type { Process } from './process.ts'
import type { Time } from './time.ts'

export type ProviderPlan = {
  /** For how long a refresh token that is used up buys once more what it has bought. */
  readonly graceMs: number
  /** The token calls in their order; those after them are answered soon and well. */
  readonly tokenCalls: ReadonlyArray<{
    readonly tookMs: number
    /** `lost`: it was used up, and the answer did not arrive; `garbled`: or cannot be read. `failed`: it was not used up, as the answer says. */
    readonly fault: 'lost' | 'garbled' | 'failed' | undefined
  }>
}

/** A sign-in begins a family. Each refresh makes its next pair, and uses up the one before. */
type Family = { newest: number; rotatedAtMs: number; end?: 'reuse' | 'withdrawal' }

/** Family and number of a pair: how old it is, among all. */
export type TokenPosition = readonly [family: number, number: number]

/** A refresh token that was sent, what the provider made of it, and what its sender saw of that. */
export type RefreshRequest = {
  readonly family: number
  readonly number: number
  readonly by: Process
  readonly atMs: number
  /** How many times the record had been written then. */
  readonly atWrite: number
  /** The number of the pair that it bought. */
  granted?: number
  /** Who had bought that with it before. */
  earlierUse?: RefreshRequest
  outcome?: 'lost' | 'failed' | 'refused' | 'granted'
  outcomeAtMs?: number
}

export type FakeProvider = {
  endpointOf(process: Process): TokenEndpoint
  signIn(): Grant
  /** Ends every family. */
  revokeAll(): void
  readonly requests: readonly RefreshRequest[]
  readonly families: readonly Family[]
}

const grant = (family: number, number: number) => grantOf(`access-${family}-${number}`, `refresh-${family}-${number}`)

export function positionOf(token: string): TokenPosition {
  const [, family = Number.NaN, number = Number.NaN] = token.split('-').map(Number)
  return [family, number]
}

/** A token endpoint that rotates, and takes whoever comes with a used-up refresh token for a thief (RFC 9700 §4.14.2). */
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
    await process.receive(time.step(`${process.name} sees the answer to ${token}`))
    one.outcome = (fault === 'garbled' ? 'lost' : fault) ?? (one.granted === undefined ? 'refused' : 'granted')
    one.outcomeAtMs = time.now()
    if (fault === 'lost') throw new TokenEndpointError('timeout', 'no answer')
    if (fault === 'garbled') throw new TokenEndpointError('invalid_response', 'cannot be read')
    if (fault === 'failed') throw new TokenEndpointError('unavailable', 'the token endpoint answered 503')
    if (one.granted === undefined) throw new TokenEndpointError('refused', 'the token endpoint answered 400', 'invalid_grant')
    return grant(family, one.granted)
  }

  return {
    endpointOf: process => ({
      refresh: secret => refresh(process, secret.reveal()),
      exchange: () => Promise.reject(new Error('a renewal exchanges no code')),
      revoke: () => Promise.reject(new Error('a renewal revokes nothing by itself'))
    }),
    signIn: () => grant(families.push({ newest: 1, rotatedAtMs: time.now() }) - 1, 1),
    revokeAll: () => {
      for (const family of families) family.end ??= 'withdrawal'
    },
    requests,
    families
  }
}

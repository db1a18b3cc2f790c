import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { networkOf } from '../src/core/client-network.ts'
import { createCounts } from '../src/core/counts.ts'
import { GatewayError } from '../src/core/errors.ts'
import type { Clock, Store } from '../src/core/ports.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Counts one try against what a minute allows, by address and by session.
     * @throws {GatewayError} `rate_limited`
     */
    spend(what: Limited): Promise<void>
  }
}

type Limited = 'sign-in' | 'refresh' | 'key-check' | 'invitation'
type Allowed = {
  readonly address?: number
  readonly session: number
  /** All who have no session yet together: what they ask for is a record in the store. */
  readonly strangers?: number
}

type RateLimitsOptions = {
  store: Store
  clock: Clock
  /** Sign-ins that one address may begin in a minute. */
  signInsPerAddress: number
}

const windowMs = 60_000

/**
 * Limits on what a stranger could have us do for them, counted in the store that all instances share. Each try costs a provider a
 * call, or this gateway a record.
 */
async function rateLimits(app: FastifyInstance, { store, clock, signInsPerAddress }: RateLimitsOptions) {
  /** How often in a minute, by whatever instance. */
  const mostAMinute: Readonly<Record<Limited, Allowed>> = {
    'sign-in': { address: signInsPerAddress, session: 60 },
    // Needs a session with a grant, which an address has no number of.
    refresh: { session: 60 },
    'key-check': { address: 30, session: 30 },
    invitation: { address: 30, session: 30, strangers: 600 }
  }
  await app.register(rateLimit, { global: false, timeWindow: windowMs, store: countsIn(store, clock) as never })

  const checksFor = ([what, { address, session, strangers }]: [string, Allowed]) =>
    [
      what,
      {
        byAddress: address && app.createRateLimit({ max: address, keyGenerator: ({ ip }) => `${what} address ${networkOf(ip ?? '')}` }),
        bySession: app.createRateLimit({ max: session, keyGenerator: ({ ticket }) => `${what} owner ${ticket?.owner}` }),
        ofStrangers: strangers && app.createRateLimit({ max: strangers, keyGenerator: () => `${what} strangers` })
      }
    ] as const
  const checks = new Map(Object.entries(mostAMinute).map(checksFor))

  app.decorateRequest('spend', async function (this: FastifyRequest, what: Limited) {
    const { byAddress, bySession, ofStrangers } = checks.get(what) ?? {}
    for (const check of [byAddress, this.ticket ? bySession : ofStrangers]) {
      const state = check && (await check(this))
      if (!state || state.isAllowed || !state.isExceeded) continue
      throw new GatewayError(
        'rate_limited',
        `That is more than ${state.max} tries in a minute. Wait ${state.ttlInSeconds} s and try again.`,
        { retryAfter: state.ttlInSeconds }
      )
    }
  })
}

/** The plugin makes its store itself, one for each limit; they differ by their keys alone. */
function countsIn(store: Store, clock: Clock) {
  const count = createCounts(store, clock)

  return class Counts implements FastifyRateLimitStore {
    incr(
      key: string,
      done: (error: Error | null, result?: { current: number; ttl: number }) => void,
      withinMs = windowMs,
      most = Number.POSITIVE_INFINITY
    ): void {
      count(key, withinMs, most).then(({ current, endsInMs }) => done(null, { current, ttl: endsInMs }), done)
    }

    child(): FastifyRateLimitStore {
      return this
    }
  }
}

export default fp(rateLimits, { name: 'rate-limits', dependencies: ['session'] })

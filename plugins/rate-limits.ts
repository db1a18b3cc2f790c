import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../src/core/errors.ts'
import type { Store } from '../src/core/ports.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Counts one try against what a minute allows, by address and by session.
     * @throws {GatewayError} `rate_limited`
     */
    spend(what: Limited): Promise<void>
  }
}

/** How often in a minute, by whatever instance. Each costs a provider a call, or this gateway a record. */
const mostAMinute = { 'key-check': 30, invitation: 30 }

type Limited = keyof typeof mostAMinute

const windowMs = 60_000

/** Limits on what a stranger could have us do for them, counted in the store that all instances share. */
async function rateLimits(app: FastifyInstance) {
  await app.register(rateLimit, { global: false, timeWindow: windowMs, store: countsIn(app.store) as never })

  const whats = Object.keys(mostAMinute) as Limited[]
  const checks = new Map(
    whats.map(what => [
      what,
      [
        app.createRateLimit({ max: mostAMinute[what], keyGenerator: ({ ip }) => `${what} address ${ip}` }),
        app.createRateLimit({ max: mostAMinute[what], keyGenerator: ({ ticket }) => `${what} owner ${ticket?.owner}` })
      ] as const
    ])
  )

  app.decorateRequest('spend', async function (this: FastifyRequest, what: Limited) {
    const [byAddress, byOwner] = checks.get(what) ?? []
    for (const check of [byAddress, this.ticket && byOwner]) {
      const state = await check?.(this)
      if (!state || state.isAllowed || !state.isExceeded) continue
      throw new GatewayError(
        'rate_limited',
        `That is more than ${state.max} tries in a minute. Wait ${state.ttlInSeconds} s and try again.`,
        {
          retryAfter: state.ttlInSeconds
        }
      )
    }
  })
}

/** The plugin makes its store itself, one for each limit; they differ by their keys alone. */
const countsIn = (store: Store) =>
  class Counts implements FastifyRateLimitStore {
    incr(key: string, done: (error: Error | null, result?: { current: number; ttl: number }) => void, window?: number): void {
      store.count(key, window ?? windowMs).then(({ count, endsInMs }) => done(null, { current: count, ttl: endsInMs }), done)
    }

    child(): FastifyRateLimitStore {
      return this
    }
  }

export default fp(rateLimits, { name: 'rate-limits', dependencies: ['session', 'vault'] })

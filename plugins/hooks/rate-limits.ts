import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError, hasCode } from '../../src/core/errors.ts'
import { clientNetwork, clientSite } from '../../src/core/guards/client-network.ts'
import { createRateCounter } from '../../src/core/guards/rate-counter.ts'
import type { Clock, Store } from '../../src/core/ports.ts'
import { isUserOwner } from '../../src/core/users/owner.ts'
import type { Services } from '../../src/services.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Counts one attempt against the limits of a minute.
     * @throws {GatewayError} `rate_limited`
     */
    consumeRateLimit(action: 'sign-in' | 'refresh' | 'invitation'): Promise<void>
    /**
     * The same for an API key that a provider checks.
     * @param check throws `api_key_rejected` when the provider rejects it, which counts as several attempts
     */
    consumeKeyRateLimit<T>(provider: string, check: () => Promise<T>): Promise<T>
    /** The limit that is being consumed, for @fastify/rate-limit. */
    consumedLimit: Limit | null
  }
}

type Limit = { readonly key: string; readonly max: number }

type Options = Pick<Services, 'store' | 'clock' | 'vault'> & {
  /** Sign-ins per minute and IP address. */
  readonly signInsPerAddress: number
}

const windowMs = 60_000

/** Per minute, for all instances together. A client without a connection is unknown: everybody can get a session. */
const maxPerMinute = {
  signInsOfSession: 60,
  refreshesOfSession: 60,
  ofSession: 30,
  /** All sessions of one network. They are not counted with its unknown clients, who could lock them out. */
  ofSessionsOfNetwork: 60,
  ofUnknownOfNetwork: 30
} as const

/**
 * All unknown clients together: each attempt costs a record in the store or a request to a provider. The first attempt of a network in a
 * minute is counted apart, so that a few networks that exhaust the rest cannot keep others out.
 */
const maxOfUnknown = {
  invitation: { first: 500, further: 100 },
  /** By provider. */
  'key-check': { first: 240, further: 60 }
} as const

/** First attempts of one IPv6 site, which has 65,536 networks. */
const maxFirstOfSite = 50
/** A rejected key counts double: guesses are nearly always wrong, and pasted keys nearly never. */
const rejectedKeyCost = 2

/**
 * Limits what an unknown client can make the gateway do, counted in the store that all instances share.
 */
async function rateLimits(app: FastifyInstance, { store, clock, vault, signInsPerAddress }: Options) {
  await app.register(rateLimit, { global: false, timeWindow: windowMs, store: createLimitStore(store, clock) })
  app.decorateRequest('consumedLimit', null)
  const check = app.createRateLimit({
    keyGenerator: ({ consumedLimit }) => consumedLimit?.key ?? '',
    max: ({ consumedLimit }) => consumedLimit?.max ?? 0
  })

  /** @returns attempts used, this one included; `exceeded` when that is more than the limit */
  async function count(request: FastifyRequest, key: string, max: number) {
    request.consumedLimit = { key, max }
    const state = await check(request)
    if (state.isAllowed) return { used: 0 }
    return { used: max - state.remaining, ...(state.isExceeded && { exceeded: { retryAfter: state.ttlInSeconds } }) }
  }

  async function consume(request: FastifyRequest, key: string, max: number): Promise<number> {
    const { used, exceeded } = await count(request, key, max)
    if (exceeded) throw tooMany(`That is more than ${max} tries in a minute`, exceeded.retryAfter)
    return used
  }

  /**
   * The user, or the owner of the session if it is live and has a connection. A cookie alone proves neither. Nobody has to be signed in:
   * whoever opens another user's link is not.
   */
  async function knownOwner(request: FastifyRequest): Promise<string | undefined> {
    const principal = (await request.userPrincipal()) ?? request.sessionRef
    const opened = principal && (await vault.openAll(principal))
    return opened && (isUserOwner(opened.owner) || opened.connections.size > 0) ? opened.owner : undefined
  }

  async function consumeUnknown(request: FastifyRequest, action: keyof typeof maxOfUnknown, subject: string): Promise<void> {
    const [network, site] = [clientNetwork(request.clientIp), clientSite(request.clientIp)]
    const { first, further } = maxOfUnknown[action]
    const isFirst = (await consume(request, `${action} address ${network}`, maxPerMinute.ofUnknownOfNetwork)) === 1
    const isFirstOfSite = isFirst && (site === network || !(await count(request, `${action} site ${site}`, maxFirstOfSite)).exceeded)
    if (isFirstOfSite && !(await count(request, `${action}${subject} first`, first)).exceeded) return
    const { exceeded } = await count(request, `${action}${subject} unknown`, further)
    if (exceeded) throw tooMany('Just now too many people who have connected nothing yet ask for this', exceeded.retryAfter)
  }

  /** @returns the limit that a rejected key is counted against once more */
  async function consumeFor(request: FastifyRequest, action: keyof typeof maxOfUnknown, subject = ''): Promise<Limit> {
    const network = clientNetwork(request.clientIp)
    const owner = await knownOwner(request)
    if (owner === undefined) {
      await consumeUnknown(request, action, subject)
      return { key: `${action} address ${network}`, max: maxPerMinute.ofUnknownOfNetwork }
    }
    // A backend acts for many users from one network.
    if (!request.hasBearer) await consume(request, `${action} sessions of ${network}`, maxPerMinute.ofSessionsOfNetwork)
    const own = { key: `${action} owner ${owner}`, max: maxPerMinute.ofSession }
    await consume(request, own.key, own.max)
    return own
  }

  app.decorateRequest('consumeRateLimit', async function (this: FastifyRequest, action: 'sign-in' | 'refresh' | 'invitation') {
    if (action === 'invitation') {
      await consumeFor(this, action)
      return
    }
    if (action === 'sign-in' && !this.hasBearer) await consume(this, `${action} address ${clientNetwork(this.clientIp)}`, signInsPerAddress)
    const owner = ((await this.userPrincipal()) ?? (await this.findSession()))?.owner
    const max = action === 'sign-in' ? maxPerMinute.signInsOfSession : maxPerMinute.refreshesOfSession
    if (owner !== undefined) await consume(this, `${action} owner ${owner}`, max)
  })

  app.decorateRequest('consumeKeyRateLimit', async function <
    T
  >(this: FastifyRequest, provider: string, check: () => Promise<T>): Promise<T> {
    const { key, max } = await consumeFor(this, 'key-check', ` ${provider}`)
    try {
      return await check()
    } catch (error) {
      if (hasCode(error, 'api_key_rejected')) for (let i = 1; i < rejectedKeyCost; i++) await count(this, key, max)
      throw error
    }
  })
}

const tooMany = (what: string, retryAfter: number) =>
  new GatewayError('rate_limited', `${what}. Wait ${retryAfter} s and try again.`, { retryAfter })

/** The plugin creates its stores itself, one for each limit. They differ by their keys alone. */
function createLimitStore(store: Store, clock: Clock) {
  const count = createRateCounter(store, clock)

  return class LimitStore implements FastifyRateLimitStore {
    incr(
      key: string,
      done: (error: Error | null, result?: { current: number; ttl: number }) => void,
      timeWindowMs = windowMs,
      max = Number.POSITIVE_INFINITY
    ): void {
      count(key, timeWindowMs, max).then(({ current, endsInMs }) => done(null, { current, ttl: endsInMs }), done)
    }

    child(): FastifyRateLimitStore {
      return this
    }
  }
}

export default fp(rateLimits, { name: 'rate-limits', dependencies: ['host', 'principal', 'session'] })

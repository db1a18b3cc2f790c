import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError, hasCode } from '../../src/core/errors.ts'
import { clientNetwork, clientSite } from '../../src/core/guards/client-network.ts'
import { createRateCounter } from '../../src/core/guards/rate-counter.ts'
import type { Clock, Store } from '../../src/core/ports.ts'
import type { Services } from '../../src/services.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Counts one try against what a minute allows.
     * @throws {GatewayError} `rate_limited`
     */
    consumeRateLimit(what: 'sign-in' | 'refresh' | 'invitation'): Promise<void>
    /**
     * The same for a key that is shown to a provider.
     * @param check throws `api_key_rejected` when the provider refuses it, which counts as several tries
     */
    consumeKeyRateLimit<T>(provider: string, check: () => Promise<T>): Promise<T>
    /** What is being counted, for the plugin that counts. */
    counted: Counted | null
  }
}

type Counted = { readonly key: string; readonly most: number }

type Options = Pick<Services, 'store' | 'clock' | 'vault' | 'providers'> & {
  /** Sign-ins per minute and IP address. */
  readonly signInsPerAddress: number
}

const windowMs = 60_000

/** How often in a minute, by whatever instance. Whoever has no connection is a stranger: a session alone is free for the asking. */
const maxAMinute = {
  signInsOfSession: 60,
  refreshesOfSession: 60,
  ofSession: 30,
  /** Sessions of one network together. They are not counted with its strangers, who could lock them out. */
  ofSessionsOfNetwork: 60,
  ofStrangersOfNetwork: 30
} as const

/**
 * All strangers together: what they ask for is a record in the store, or a call to a provider. The first try of a network in a minute
 * is counted apart, so that a few networks that use up the rest keep nobody else out.
 */
const maxOfStrangers = {
  invitation: { first: 500, further: 100 },
  /** By provider. */
  'key-check': { first: 240, further: 60 }
} as const

/** Of the first tries, those of one IPv6 site, which has 65,536 networks. */
const maxFirstOfSite = 50
/** Whoever guesses keys is wrong nearly always, whoever pastes theirs nearly never. */
const wrongKeyCounts = 2

/**
 * Limits on what a stranger could have us do for them, counted in the store that all instances share. Each try costs a provider a
 * call, or this gateway a record.
 */
async function rateLimits(app: FastifyInstance, { store, clock, vault, providers, signInsPerAddress }: Options) {
  await app.register(rateLimit, { global: false, timeWindow: windowMs, store: countsIn(store, clock) as never })
  app.decorateRequest('counted', null)
  const check = app.createRateLimit({
    keyGenerator: ({ counted }) => counted?.key ?? '',
    max: ({ counted }) => counted?.most ?? 0
  })

  /** @returns how much of it is used, this time included; `refused` when that is more than there is. */
  async function count(request: FastifyRequest, key: string, most: number) {
    request.counted = { key, most }
    const state = await check(request)
    if (state.isAllowed) return { used: 0 }
    return { used: most - state.remaining, ...(state.isExceeded && { refused: { most, retryAfter: state.ttlInSeconds } }) }
  }

  async function take(request: FastifyRequest, key: string, most: number): Promise<number> {
    const { used, refused } = await count(request, key, most)
    if (refused) throw tooMany(`That is more than ${most} tries in a minute`, refused.retryAfter)
    return used
  }

  /** The session that its cookie names, if it lives and holds a connection. A ticket alone proves neither. */
  async function holderOf({ sessionRef }: FastifyRequest): Promise<string | undefined> {
    const held = sessionRef && (await vault.open(sessionRef, [...providers.keys()]))
    return held && held.connections.size > 0 ? held.session.value.owner : undefined
  }

  async function takeOfStrangers(request: FastifyRequest, what: keyof typeof maxOfStrangers, about: string): Promise<void> {
    const [network, site] = [clientNetwork(request.ip ?? ''), clientSite(request.ip ?? '')]
    const { first, further } = maxOfStrangers[what]
    const isFirst = (await take(request, `${what} address ${network}`, maxAMinute.ofStrangersOfNetwork)) === 1
    const isFirstOfSite = isFirst && (site === network || !(await count(request, `${what} site ${site}`, maxFirstOfSite)).refused)
    if (isFirstOfSite && !(await count(request, `${what}${about} first`, first)).refused) return
    const { refused } = await count(request, `${what}${about} strangers`, further)
    if (refused) throw tooMany('Just now too many people who have connected nothing yet ask for this', refused.retryAfter)
  }

  /** @returns what a wrong key is counted by as well */
  async function takeOfHolderOrStranger(request: FastifyRequest, what: keyof typeof maxOfStrangers, about = ''): Promise<Counted> {
    const network = clientNetwork(request.ip ?? '')
    const owner = await holderOf(request)
    if (owner === undefined) {
      await takeOfStrangers(request, what, about)
      return { key: `${what} address ${network}`, most: maxAMinute.ofStrangersOfNetwork }
    }
    await take(request, `${what} sessions of ${network}`, maxAMinute.ofSessionsOfNetwork)
    const own = { key: `${what} owner ${owner}`, most: maxAMinute.ofSession }
    await take(request, own.key, own.most)
    return own
  }

  app.decorateRequest('consumeRateLimit', async function (this: FastifyRequest, what: 'sign-in' | 'refresh' | 'invitation') {
    if (what === 'invitation') {
      await takeOfHolderOrStranger(this, what)
      return
    }
    if (what === 'sign-in') await take(this, `${what} address ${clientNetwork(this.ip ?? '')}`, signInsPerAddress)
    const session = await this.findSession()
    const most = what === 'sign-in' ? maxAMinute.signInsOfSession : maxAMinute.refreshesOfSession
    if (session) await take(this, `${what} owner ${session.owner}`, most)
  })

  app.decorateRequest('consumeKeyRateLimit', async function <
    T
  >(this: FastifyRequest, provider: string, check: () => Promise<T>): Promise<T> {
    const { key, most } = await takeOfHolderOrStranger(this, 'key-check', ` ${provider}`)
    try {
      return await check()
    } catch (error) {
      if (hasCode(error, 'api_key_rejected')) for (let i = 1; i < wrongKeyCounts; i++) await count(this, key, most)
      throw error
    }
  })
}

const tooMany = (what: string, retryAfter: number) =>
  new GatewayError('rate_limited', `${what}. Wait ${retryAfter} s and try again.`, { retryAfter })

/** The plugin makes its store itself, one for each limit; they differ by their keys alone. */
function countsIn(store: Store, clock: Clock) {
  const count = createRateCounter(store, clock)

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

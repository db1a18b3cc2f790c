import { GatewayError } from '../core/errors.ts'
import type { Events } from '../core/events.ts'
import type { Clock, LookupFor } from '../core/ports.ts'
import type { IssuerKeysConfig } from '../core/users/bearer-config.ts'
import { Timeout } from '../core/util/timeout.ts'
import { fetchJson, IssuerError } from './fetch-json.ts'
import { discoverJwksUrl } from './issuer-metadata.ts'
import { parseKeySet, type VerificationKey } from './verification-keys.ts'

/** Where the keys that verify tokens come from. */
export type KeySource = {
  /**
   * The keys that are known, else those that the issuer publishes.
   * @throws `issuer_unavailable` while no keys are known and they cannot be fetched
   */
  current(): Promise<readonly VerificationKey[]>
  /**
   * Keys that may include one that `seen` does not.
   * @param seen what `current` returned
   * @returns `undefined` if there are none, or if it is too early to ask again
   * @throws `issuer_unavailable` if they cannot be fetched
   */
  newerThan(seen: readonly VerificationKey[]): Promise<readonly VerificationKey[] | undefined>
  /** Fetches the keys in the background when those known are old. Costs next to nothing when they are not. */
  refreshIfOld(): void
  /** How often a key that was known has been withdrawn. */
  withdrawals(): number
  /** Ends a fetch in flight. */
  close(): void
}

export type IssuerKeysOptions = {
  readonly config: IssuerKeysConfig
  readonly clock: Clock
  readonly events: Events
  readonly lookupFor: LookupFor
  /** For all documents of one fetch, in milliseconds. */
  readonly fetchTimeoutMs?: number | undefined
}

const maxAgeMs = 10 * 60_000
/** Between two fetches for tokens with an unknown key, and after a failed refresh. */
const minIntervalMs = 30_000
/** After a failed fetch while no keys are known, in which case every request with a token waits for the next. */
const pauseMs = 5_000
const defaultFetchTimeoutMs = 5_000

/**
 * The keys that an issuer publishes. They are kept for as long as the issuer is down: it can only have published more of them. Fetches are
 * shared, and their number does not depend on that of tokens.
 */
export function createIssuerKeys(options: IssuerKeysOptions): KeySource {
  const { config, clock, events, lookupFor, fetchTimeoutMs = defaultFetchTimeoutMs } = options
  const { issuer } = config
  const closing = new AbortController()
  let known: readonly VerificationKey[] | undefined
  let inFlight: Promise<readonly VerificationKey[]> | undefined
  let isDown = false
  let refreshAtMs = 0
  /** Before it, a request without known keys gets an error at once. */
  let retryAtMs = 0
  /** Before it, a token with an unknown key fetches nothing. */
  let nextForUnknownAtMs = 0
  let withdrawals = 0

  const load = (): Promise<readonly VerificationKey[]> => {
    inFlight ??= fetchKeys()
      .then(accept, fail)
      .finally(() => {
        inFlight = undefined
      })
    return inFlight
  }

  async function fetchKeys(): Promise<readonly VerificationKey[]> {
    const timer = new AbortController()
    const timeout = new Timeout(fetchTimeoutMs, () => timer.abort())
    const fetchOptions = { lookupFor, signal: AbortSignal.any([timer.signal, closing.signal]) }
    try {
      const url = config.jwksUrl ?? (await discoverJwksUrl(issuer, fetchOptions))
      const keys = parseKeySet(await fetchJson(url, { ...fetchOptions, what: 'the key set of the issuer' }))
      // Not taken as a withdrawal of all keys: a server that has just started may not have loaded them yet.
      if (!keys?.length) throw new IssuerError('the key set of the issuer has no key that can verify signatures')
      return keys
    } finally {
      timeout.clear()
    }
  }

  function accept(keys: readonly VerificationKey[]): readonly VerificationKey[] {
    const ids = new Set(keys.map(({ id }) => id))
    if (known?.some(({ id }) => !ids.has(id))) withdrawals++
    known = keys
    refreshAtMs = clock.now() + maxAgeMs
    if (isDown) events.publish('issuer.available', { issuer })
    isDown = false
    return keys
  }

  function fail(error: unknown): never {
    const nowMs = clock.now()
    refreshAtMs = nowMs + minIntervalMs
    retryAtMs = nowMs + pauseMs
    if (!isDown && !closing.signal.aborted) {
      const isOurs = error instanceof IssuerError
      const message = isOurs ? error.message : 'the keys of the issuer could not be fetched'
      events.publish('issuer.unavailable', { issuer, message, code: isOurs ? error.code : undefined, hasKeys: known !== undefined })
    }
    isDown = true
    throw unavailable(known ? minIntervalMs : pauseMs)
  }

  function refreshIfOld(): void {
    // What fails is published as an event, and the keys that are known stay in use.
    if (known && !inFlight && clock.now() >= refreshAtMs) load().catch(() => {})
  }

  async function newerThan(seen: readonly VerificationKey[]): Promise<readonly VerificationKey[] | undefined> {
    if (inFlight) await inFlight
    if (known !== seen) return known
    const waitMs = nextForUnknownAtMs - clock.now()
    if (waitMs > 0) {
      // Nobody knows: the issuer may have published the key in the meantime.
      if (isDown) throw unavailable(waitMs)
      return undefined
    }
    nextForUnknownAtMs = clock.now() + minIntervalMs
    return load()
  }

  return {
    async current() {
      if (known) {
        refreshIfOld()
        return known
      }
      const waitMs = retryAtMs - clock.now()
      if (!inFlight && waitMs > 0) throw unavailable(waitMs)
      return load()
    },
    newerThan,
    refreshIfOld,
    withdrawals: () => withdrawals,
    close: () => closing.abort()
  }
}

const unavailable = (waitMs: number) =>
  new GatewayError(
    'issuer_unavailable',
    'The bearer token cannot be verified now, because the keys of its issuer cannot be fetched. Send the request again.',
    { retryAfter: Math.max(1, Math.ceil(waitMs / 1000)) }
  )

import { GatewayError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import { IssuerError, issuerUnavailable } from './issuer-errors.ts'

export type CachedDocument<T> = {
  /**
   * The document that is known, else one that is loaded now.
   * @throws `issuer_unavailable` while none is known and none can be loaded
   */
  current(): Promise<T>
  /**
   * The document, if it was loaded after `seen` was or can be loaded again now.
   * @param seen what `current` returned
   * @returns `undefined` if it is too early to load it again
   * @throws `issuer_unavailable` if it cannot be loaded
   */
  newerThan(seen: T): Promise<T | undefined>
  /**
   * Loads the document again in the background when the known one is old. Costs next to nothing when it is not.
   * @returns what ends with the load and never rejects; `undefined` if there is none
   */
  refreshIfOld(): Promise<void> | undefined
  isKnown(): boolean
}

type CachedDocumentOptions<T> = {
  /** Rejects with an `IssuerError`, or with the `issuer_unavailable` of a document that it needs. */
  readonly load: () => Promise<T>
  readonly clock: Clock
  readonly onLoad?: (document: T, previous: T | undefined) => void
  /** Called for every failure. The known document stays in use. */
  readonly onFailure?: (error: IssuerError) => void
}

const maxAgeMs = 10 * 60_000
/** Between two loads for `newerThan`, and after a failed refresh: whoever sends tokens with unknown keys must not cause as many requests. */
const minIntervalMs = 30_000
/** After a failed load while no document is known, in which case every caller waits for the next. */
const pauseMs = 5_000

/**
 * A document of the issuer, loaded at its first use and kept for as long as it cannot be loaded again. Loads are shared, and their number
 * does not depend on that of callers.
 */
export function createCachedDocument<T>({ load, clock, onLoad, onFailure }: CachedDocumentOptions<T>): CachedDocument<T> {
  let known: { readonly document: T; readonly loadedAtMs: number } | undefined
  /** Of the last load. */
  let failure: { readonly error: IssuerError; readonly atMs: number } | undefined
  let loadedForNewerAtMs = Number.NEGATIVE_INFINITY
  let inFlight: Promise<T> | undefined

  // The clock may be set back.
  const remainingMs = (sinceMs: number, ms: number): number => ms - Math.abs(clock.now() - sinceMs)

  function reload(): Promise<T> {
    inFlight ??= load()
      .then(accept, fail)
      .finally(() => {
        inFlight = undefined
      })
    return inFlight
  }

  function accept(document: T): T {
    const previous = known?.document
    known = { document, loadedAtMs: clock.now() }
    failure = undefined
    onLoad?.(document, previous)
    return document
  }

  function fail(error: unknown): never {
    failure = { error: toIssuerError(error), atMs: clock.now() }
    onFailure?.(failure.error)
    throw unavailable(failure.error, known ? minIntervalMs : pauseMs)
  }

  function refreshIfOld(): Promise<void> | undefined {
    if (!known) return undefined
    const isDue = failure ? remainingMs(failure.atMs, minIntervalMs) <= 0 : remainingMs(known.loadedAtMs, maxAgeMs) <= 0
    // What fails is told to `onFailure`.
    return isDue ? reload().then(ignore, ignore) : undefined
  }

  return {
    async current() {
      if (known) {
        refreshIfOld()
        return known.document
      }
      const waitMs = failure ? remainingMs(failure.atMs, pauseMs) : 0
      if (failure && !inFlight && waitMs > 0) throw unavailable(failure.error, waitMs)
      return reload()
    },

    async newerThan(seen) {
      if (inFlight) await inFlight
      if (known && known.document !== seen) return known.document
      const waitMs = remainingMs(loadedForNewerAtMs, minIntervalMs)
      if (waitMs > 0) {
        // Nobody knows: there may be a newer document in the meantime.
        if (failure) throw unavailable(failure.error, waitMs)
        return undefined
      }
      loadedForNewerAtMs = clock.now()
      return reload()
    },

    refreshIfOld,
    isKnown: () => known !== undefined
  }
}

function ignore(): void {}

const unavailable = (error: IssuerError, waitMs: number): GatewayError => issuerUnavailable(error, Math.max(1, Math.ceil(waitMs / 1000)))

function toIssuerError(error: unknown): IssuerError {
  if (error instanceof IssuerError) return error
  if (error instanceof GatewayError && error.cause instanceof IssuerError) return error.cause
  return new IssuerError('a document of the issuer cannot be read')
}

import type { Connection } from '../../../../src/core/connections/connection.ts'
import { type ErrorCode, GatewayError } from '../../../../src/core/errors.ts'
import { positionOf, type RefreshRequest, type TokenPosition } from './fake-provider.ts'
import type { Call, History } from './world.ts'

/** How long the core waits for a renewal, and how long its last steps may take on top. */
const waitMs = 10_000
const slackMs = 2_000

/** @returns a description of each violation */
export type Invariant = (history: History) => string[]

const positionIn = ({ credential }: Connection): TokenPosition => positionOf(credential.reveal())
const isOlder = ([family, number]: TokenPosition, than: TokenPosition) => family < than[0] || (family === than[0] && number < than[1])
const nameOf = ({ family, number }: RefreshRequest) => `refresh-${family}-${number}`
const codeOf = ({ outcome }: Call): ErrorCode | undefined => (outcome instanceof GatewayError ? outcome.code : undefined)

/** Whether one of the first `writes` writes stored the pair issued for this token, or a later one. */
const wasSaved = ({ records }: History, { family, granted = Number.POSITIVE_INFINITY }: RefreshRequest, writes = records.length) =>
  records.slice(0, writes).some(record => {
    const [savedFamily, number] = record ? positionIn(record) : []
    return savedFamily === family && number !== undefined && number >= granted
  })

/** Its response never arrived, or its sender was frozen meanwhile, or died before the store had the new pair. */
const wasLost = (history: History, one: RefreshRequest, writes?: number) =>
  one.outcome === 'lost' || one.by.frozeSince(one.atMs) || (one.by.isDead() && !wasSaved(history, one, writes))

const earlier = (all: readonly RefreshRequest[], { family, number }: RefreshRequest, i: number) =>
  all.slice(0, i).filter(one => one.family === family && one.number === number)

/** No refresh token is sent again after a use whose result was not lost. */
export const noRefreshTokenIsReused: Invariant = history =>
  history.provider.requests
    .filter(({ earlierUse, atWrite }) => earlierUse && !wasLost(history, earlierUse, atWrite))
    .map(one => `${one.by.name} reused ${nameOf(one)}`)

/** While a live, unfrozen process waits for the response to a refresh token, no other process sends that token. */
export const noRefreshTokenIsInFlightTwice: Invariant = ({ provider }) =>
  provider.requests
    .filter((one, i, all) =>
      earlier(all, one, i).some(
        ({ by, atMs, outcomeAtMs = Number.POSITIVE_INFINITY }) => one.atMs < outcomeAtMs && !by.isDead() && !by.frozeSince(atMs)
      )
    )
    .map(one => `${one.by.name} sent ${nameOf(one)} while it was in flight`)

/** No caller waits longer than the core's limit, however slow the provider is. */
export const waitsAreBounded: Invariant = ({ calls }) =>
  calls
    .filter(({ by, atMs, outcomeAtMs = 0 }) => outcomeAtMs - atMs > waitMs + slackMs && !by.frozeSince(atMs))
    .map(({ by, atMs, outcomeAtMs = 0 }) => `${by.name} waited for ${outcomeAtMs - atMs} ms`)

/** The provider never detects a reuse. */
export const grantIsNeverLost: Invariant = ({ provider }) =>
  provider.families.flatMap(({ end }, family) => (end === 'reuse' ? [`the grant of family ${family} was lost`] : []))

/** There is at most one token request for each call of `renew`. */
export const tokenRequestsAreBounded: Invariant = ({ provider, calls }) =>
  provider.requests.length > calls.length ? [`${calls.length} calls of renew made ${provider.requests.length} token requests`] : []

export const noNewerRecordIsOverwritten: Invariant = ({ records }) =>
  records
    .filter((record, i) => record && records.slice(0, i).some(before => before && isOlder(positionIn(record), positionIn(before))))
    .map(record => `${record?.credential.reveal()} overwrote a newer record`)

/** After an acknowledged disconnect or logout, no record of an older family is written. */
export const endedConnectionsStayEnded: Invariant = ({ records, acknowledgedEnds }) =>
  acknowledgedEnds.flatMap(({ families, writes }) =>
    records
      .slice(writes)
      .filter(record => record && positionIn(record)[0] < families)
      .map(record => `${record?.credential.reveal()} was written after its end`)
  )

export const everyCallSettles: Invariant = ({ calls, unfinished }) => [
  ...unfinished.map(what => `still pending: ${what}`),
  ...calls.filter(({ by, outcome }) => outcome === undefined && !by.isDead()).map(({ by }) => `a call of ${by.name} never settled`)
]

/** Each call returns a newer credential, or an error that an event of the run explains. */
export const everyOutcomeIsJustified: Invariant = ({ calls, provider, store, records }) => {
  const { requests } = provider
  const reasons: Partial<Record<ErrorCode, boolean>> = {
    reconnect_required: records.some(record => record?.status === 'reconnect_required'),
    connection_required: records.includes(undefined),
    store_unavailable: store.hasFailed(),
    provider_timeout: requests.some(({ outcome }) => outcome === 'lost'),
    // During the backoff after a failure, and at once for an instance that has lost the lease.
    provider_unavailable:
      requests.some(({ outcome }) => outcome === 'lost' || outcome === 'failed') || calls.some(({ by }) => by.frozeSince(0))
  }
  return calls.flatMap(call => {
    const { by, failed, outcome } = call
    if (outcome === undefined) return []
    const code = codeOf(call)
    const waitedMs = (call.outcomeAtMs ?? 0) - call.atMs
    if (code) return reasons[code] || (code === 'provider_timeout' && waitedMs >= waitMs) ? [] : [`${by.name} got ${code} without a cause`]
    if (outcome instanceof Error) return [`${by.name} got ${outcome.stack}`]
    const fresh = outcome as Connection
    if (isOlder(positionIn(failed), positionIn(fresh))) return []
    return [`${by.name} had ${failed.credential.reveal()} and got ${fresh.credential.reveal()}`]
  })
}

/** Every granted pair is stored or handed over for revocation, unless the user has signed in again since. */
export const everyGrantIsStoredOrRevoked: Invariant = history =>
  history.provider.requests.flatMap(one => {
    if (one.outcome !== 'granted' || one.by.isDead() || wasSaved(history, one)) return []
    if (history.records.some(record => record && positionIn(record)[0] > one.family)) return []
    const isSurrendered = history.surrendered.some(connection => `${positionIn(connection)}` === `${[one.family, one.granted]}`)
    return isSurrendered ? [] : [`${one.by.name} dropped the pair issued for ${nameOf(one)}`]
  })

/** The stored pair is the newest that was granted, unless a response was lost. */
export const storedTokenIsCurrent: Invariant = history => {
  const stored = history.records.at(-1)
  if (stored?.status !== 'connected') return []
  const [name, number] = positionIn(stored)
  const family = history.provider.families[name]
  if (!family || family.end || family.newest === number) return []
  const isExcused = history.provider.requests.some(one => one.family === name && wasLost(history, one))
  return isExcused ? [] : [`the store has pair ${number}, the provider ${family.newest}`]
}

export const noLeaseLeaks: Invariant = ({ store }) =>
  store
    .holders()
    .filter(holder => !holder.isDead())
    .map(holder => `${holder.name} still holds a lease`)

/** After a transient failure no process sends the token again for a second, unless the store failed to record it. */
export const failuresBackOff: Invariant = ({ provider, store }) =>
  provider.requests
    .filter((one, i, all) => {
      const failures = earlier(all, one, i).filter(({ outcome }) => outcome !== 'refused')
      return !store.hasFailed() && failures.some(({ outcomeAtMs = 0 }) => one.atMs < outcomeAtMs + 1_000)
    })
    .map(one => `${one.by.name} sent ${nameOf(one)} again too early`)

/** After `invalid_grant` the token is never sent again, unless the store failed to record it. */
export const invalidGrantIsFinal: Invariant = ({ provider, store }) =>
  provider.requests
    .filter((one, i, all) => !store.hasFailed() && earlier(all, one, i).some(({ outcome }) => outcome === 'refused'))
    .map(one => `${one.by.name} sent ${nameOf(one)} after it was refused`)

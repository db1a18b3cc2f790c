import type { Connection } from '../../../../src/core/connections/connection.ts'
import { type ErrorCode, GatewayError } from '../../../../src/core/errors.ts'
import { positionOf, type RefreshRequest, type TokenPosition } from './fake-provider.ts'
import type { Call, History } from './world.ts'

/** How long the core waits, and what the last steps of it may take more. */
const waitMs = 10_000
const slackMs = 2_000

/** What every run must keep to. @returns what went wrong, for each time that it did. */
export type Invariant = (history: History) => string[]

const positionIn = ({ credential }: Connection): TokenPosition => positionOf(credential.reveal())
const isOlder = ([family, number]: TokenPosition, than: TokenPosition) => family < than[0] || (family === than[0] && number < than[1])
const nameOf = ({ family, number }: RefreshRequest) => `refresh-${family}-${number}`
const codeOf = ({ outcome }: Call): ErrorCode | undefined => (outcome instanceof GatewayError ? outcome.code : undefined)

/** Whether the store had what this token bought, or what that bought in turn, within its first writes. */
const wasSaved = ({ records }: History, { family, granted = Number.POSITIVE_INFINITY }: RefreshRequest, writes = records.length) =>
  records.slice(0, writes).some(record => {
    const [savedFamily, number] = record ? positionIn(record) : []
    return savedFamily === family && number !== undefined && number >= granted
  })

/** Its answer never came, or came to an instance that stood still meanwhile, or that died before the store had it. */
const wasLost = (history: History, one: RefreshRequest, writes?: number) =>
  one.outcome === 'lost' || one.by.frozeSince(one.atMs) || (one.by.isDead() && !wasSaved(history, one, writes))

const earlier = (all: readonly RefreshRequest[], { family, number }: RefreshRequest, i: number) =>
  all.slice(0, i).filter(one => one.family === family && one.number === number)

/** Used again although it had bought something that was not lost. */
export const noRefreshTokenIsReused: Invariant = history =>
  history.provider.requests
    .filter(({ earlierUse, atWrite }) => earlierUse && !wasLost(history, earlierUse, atWrite))
    .map(one => `${one.by.name} spent ${nameOf(one)} again`)

/** While one who lives and is awake waits for what a refresh token buys, nobody else sends it. */
export const noRefreshTokenIsInFlightTwice: Invariant = ({ provider }) =>
  provider.requests
    .filter((one, i, all) =>
      earlier(all, one, i).some(
        ({ by, atMs, outcomeAtMs = Number.POSITIVE_INFINITY }) => one.atMs < outcomeAtMs && !by.isDead() && !by.frozeSince(atMs)
      )
    )
    .map(one => `${one.by.name} sent ${nameOf(one)} while it was on its way`)

/** However slow the provider is. */
export const waitsAreBounded: Invariant = ({ calls }) =>
  calls
    .filter(({ by, atMs, outcomeAtMs = 0 }) => outcomeAtMs - atMs > waitMs + slackMs && !by.frozeSince(atMs))
    .map(({ by, atMs, outcomeAtMs = 0 }) => `${by.name} waited for ${outcomeAtMs - atMs} ms`)

/** The provider took nobody for a thief. */
export const grantIsNeverLost: Invariant = ({ provider }) =>
  provider.families.flatMap(({ end }, family) => (end === 'reuse' ? [`the grant of family ${family} was lost`] : []))

/** One token call for each call of `renew` is the most there may be. */
export const tokenRequestsAreBounded: Invariant = ({ provider, calls }) =>
  provider.requests.length > calls.length ? [`${calls.length} calls made ${provider.requests.length} token calls`] : []

export const noNewerRecordIsOverwritten: Invariant = ({ records }) =>
  records
    .filter((record, i) => record && records.slice(0, i).some(before => before && isOlder(positionIn(record), positionIn(before))))
    .map(record => `${record?.credential.reveal()} was put back`)

/** Once it was acknowledged. */
export const endedConnectionsStayEnded: Invariant = ({ records, acknowledgedEnds }) =>
  acknowledgedEnds.flatMap(({ families, writes }) =>
    records
      .slice(writes)
      .filter(record => record && positionIn(record)[0] < families)
      .map(record => `${record?.credential.reveal()} came back after its end`)
  )

export const everyCallSettles: Invariant = ({ calls, unfinished }) => [
  ...unfinished.map(what => `has not come to its end: ${what}`),
  ...calls.filter(({ by, outcome }) => outcome === undefined && !by.isDead()).map(({ by }) => `${by.name} got no answer`)
]

/** The new credential, or an error for which the run holds a reason. */
export const everyOutcomeIsJustified: Invariant = ({ calls, provider, store, records }) => {
  const { requests } = provider
  const reasons: Partial<Record<ErrorCode, boolean>> = {
    reconnect_required: records.some(record => record?.status === 'reconnect_required'),
    connection_required: records.includes(undefined),
    store_unavailable: store.hasFailed(),
    provider_timeout: requests.some(({ outcome }) => outcome === 'lost'),
    // Later, for those who come while it holds; and at once, for who has lost the lease.
    provider_unavailable:
      requests.some(({ outcome }) => outcome === 'lost' || outcome === 'failed') || calls.some(({ by }) => by.frozeSince(0))
  }
  return calls.flatMap(call => {
    const { by, failed, outcome } = call
    if (outcome === undefined) return []
    const code = codeOf(call)
    const waitedMs = (call.outcomeAtMs ?? 0) - call.atMs
    if (code)
      return reasons[code] || (code === 'provider_timeout' && waitedMs >= waitMs) ? [] : [`${by.name} was told ${code} for no reason`]
    if (outcome instanceof Error) return [`${by.name} was told ${outcome.stack}`]
    const fresh = outcome as Connection
    if (isOlder(positionIn(failed), positionIn(fresh))) return []
    return [`${by.name} had ${failed.credential.reveal()} and was given ${fresh.credential.reveal()}`]
  })
}

/** What was granted is kept, or handed over to be revoked; or the person has begun anew in the meantime. */
export const everyGrantIsStoredOrRevoked: Invariant = history =>
  history.provider.requests.flatMap(one => {
    if (one.outcome !== 'granted' || one.by.isDead() || wasSaved(history, one)) return []
    if (history.records.some(record => record && positionIn(record)[0] > one.family)) return []
    const isSurrendered = history.surrendered.some(connection => `${positionIn(connection)}` === `${[one.family, one.granted]}`)
    return isSurrendered ? [] : [`${one.by.name} forgot what ${nameOf(one)} had bought`]
  })

/** What stands in the end is the newest that was granted. */
export const storedTokenIsCurrent: Invariant = history => {
  const stored = history.records.at(-1)
  if (stored?.status !== 'connected') return []
  const [name, number] = positionIn(stored)
  const family = history.provider.families[name]
  if (!family || family.end || family.newest === number) return []
  const isExcused = history.provider.requests.some(one => one.family === name && wasLost(history, one))
  return isExcused ? [] : [`what is kept ends at ${number}, the grant at ${family.newest}`]
}

export const noLeaseLeaks: Invariant = ({ store }) =>
  store
    .holders()
    .filter(holder => !holder.isDead())
    .map(holder => `${holder.name} still holds a lease`)

/** After a failure that may pass, nobody asks for a second; unless the store could not be told of it. */
export const failuresBackOff: Invariant = ({ provider, store }) =>
  provider.requests
    .filter((one, i, all) => {
      const failures = earlier(all, one, i).filter(({ outcome }) => outcome !== 'refused')
      return !store.hasFailed() && failures.some(({ outcomeAtMs = 0 }) => one.atMs < outcomeAtMs + 1_000)
    })
    .map(one => `${one.by.name} sent ${nameOf(one)} again too early`)

/** After `invalid_grant` it is the person's turn; unless the store could not be told of it. */
export const invalidGrantIsFinal: Invariant = ({ provider, store }) =>
  provider.requests
    .filter((one, i, all) => !store.hasFailed() && earlier(all, one, i).some(({ outcome }) => outcome === 'refused'))
    .map(one => `${one.by.name} sent ${nameOf(one)} after it was refused`)

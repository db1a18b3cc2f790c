import { randomBytes } from 'node:crypto'
import { type Flow, flowId } from './flow.ts'

/** The content of the session cookie: two opaque ids. Everything else about a session is in the store. */
export type SessionRef = {
  /** Identifies the user's records. It stays when the id is rotated. */
  readonly owner: string
  /** Rotated at every sign-in. */
  readonly id: string
}

export type Session = SessionRef & {
  readonly createdAtMs: number
  readonly lastSeenAtMs: number
  /** Until then the idle limit does not end the session: an invitation is open, or one was accepted and the session has not been seen since. */
  readonly extendedUntilMs?: number
  /** Owner of what this browser had connected before its user signed in, which is offered to them once. */
  readonly takeover?: string
  /** The callback of the first sign-in, which started the session. */
  readonly startedBy?: Callback
  /** Set until a request presents the session's cookie. */
  readonly undelivered?: Undelivered
  /** Set when a sign-in has rotated the session's id. */
  readonly superseded?: Superseded
}

/** A session whose cookie no request has presented yet: the response that carries it may have been lost. */
type Undelivered = {
  /** Id of the flow whose callback made it. A pasted key has none. */
  readonly flow?: string
  /** Id of the session that it replaces, which stays valid until this one is presented. */
  readonly predecessor?: string
  /** How many responses carry its cookie. The loss of one that is not the latest says nothing about the others. */
  readonly sendCount: number
}

/** A session whose id was rotated, for requests that were sent without knowing the new id. */
export type Superseded = {
  /** Id of the successor. */
  readonly by: string
  readonly untilMs: number
  /** Id of the flow whose callback rotated it. A pasted key has none. */
  readonly flow?: string
  /** Providers that were connected since. */
  readonly hiddenProviders: readonly string[]
  /** The successor was presented: only the browser's own requests from before that are still served. */
  readonly isConfirmed?: true
}

export type SessionLimits = {
  /** A session expires this long after it was last seen. */
  readonly idleMs: number
  /** A session expires this long after it was created, however it is used. */
  readonly maxMs: number
}

type Callback = {
  /** Id of the flow. */
  readonly flow: string
  /** Ids of all flows that the request presented. */
  readonly presentedFlows: readonly string[]
}

/** The request of a sign-in's callback. */
export type CallbackRequest = Callback & {
  /** When the request began, in milliseconds since the epoch. */
  readonly startedAtMs: number
}

/** The browser that sent a request, known by the flows whose cookies it presented. */
export type PresentedFlows = { readonly flows: readonly Flow[] }

/** How long a superseded session stays valid when no request presents its successor. */
const supersededTtlMs = 60_000

/** How long a request may be in flight that was sent before the new cookie arrived. */
const maxRequestInFlightMs = 10_000

/** 192 random bits, base64url. */
export const newId = (): string => randomBytes(24).toString('base64url')

export const expiresAtMs = ({ lastSeenAtMs, extendedUntilMs = 0, createdAtMs, superseded }: Session, limits: SessionLimits): number =>
  Math.min(
    Math.max(lastSeenAtMs + limits.idleMs, extendedUntilMs),
    createdAtMs + limits.maxMs,
    superseded?.untilMs ?? Number.POSITIVE_INFINITY
  )

export const isLive = (session: Session, limits: SessionLimits, nowMs: number): boolean => expiresAtMs(session, limits) > nowMs

/**
 * How long records stay in the store after the last session of their owner has expired, so that their grants can be found and revoked.
 * They are not served in that time: whether a session is live depends on its times, not on whether its record exists.
 */
export const recordRetentionMs = 24 * 60 * 60_000

/** The idle limit does not end the returned session before `untilMs`. */
export const extendSession = (session: Session, untilMs: number): Session => ({
  ...session,
  extendedUntilMs: Math.max(session.extendedUntilMs ?? 0, untilMs)
})

/**
 * Rotates the session's id at a sign-in. The successor has the same owner and the same absolute limit.
 * @param flow id of the sign-in's flow. A pasted key has none.
 */
export function rotateSession(
  session: Session,
  nowMs: number,
  provider: string,
  flow?: string
): { successor: Session; predecessor: Session } {
  const { undelivered: _, ...rest } = session
  const byFlow = flow !== undefined && { flow }
  const successor = { ...rest, id: newId(), lastSeenAtMs: nowMs, undelivered: { ...byFlow, predecessor: session.id, sendCount: 1 } }
  return {
    successor,
    predecessor: { ...rest, superseded: { by: successor.id, untilMs: nowMs + supersededTtlMs, ...byFlow, hiddenProviders: [provider] } }
  }
}

/**
 * The superseded session once its successor was presented. Requests overtake each other: one that the same browser sent before it had the
 * new cookie may arrive after one that presents it. Such a request also presents the flow that rotated the id; if no flow did, it cannot
 * be told from a copy of the cookie.
 * @returns `undefined` when the session ends at once
 */
export function expireSuperseded(session: Session, nowMs: number): Session | undefined {
  const { superseded } = session
  if (superseded?.flow === undefined) return undefined
  const untilMs = Math.min(superseded.untilMs, nowMs + maxRequestInFlightMs)
  return { ...session, superseded: { ...superseded, untilMs, isConfirmed: true } }
}

export const newSession = (owner: string, nowMs: number): Session => ({
  owner,
  id: newId(),
  createdAtMs: nowMs,
  lastSeenAtMs: nowMs
})

/** A session that starts with a connection. @param callback of the sign-in that made it. A pasted key has none. */
export const firstSession = (owner: string, nowMs: number, callback?: CallbackRequest): Session => ({
  ...newSession(owner, nowMs),
  ...(callback && { startedBy: { flow: callback.flow, presentedFlows: callback.presentedFlows } }),
  undelivered: { ...(callback && { flow: callback.flow }), sendCount: 1 }
})

/** How often a use is recorded at most: once a minute, or ten times in an idle time of less than ten minutes. */
export const touchIntervalMs = (idleMs: number): number => Math.min(60_000, idleMs / 10)

/** Whether the session was last seen long enough ago for a write. Nothing extends a superseded one. */
export const isTouchDue = ({ superseded, lastSeenAtMs }: Session, limits: SessionLimits, nowMs: number): boolean =>
  !superseded && lastSeenAtMs <= nowMs - touchIntervalMs(limits.idleMs)

/**
 * Whether the browser of a callback that did not present the session is the one that started it: each of the two sign-ins was in flight at
 * the callback of the other. An attacker who leaves a sign-in in a victim's browser, to finish it elsewhere, cannot present flows that
 * started there later.
 */
export const isOfSameBrowser = ({ startedBy }: Session, { flow, presentedFlows }: Callback): boolean =>
  startedBy?.presentedFlows.includes(flow) === true && presentedFlows.includes(startedBy.flow)

/** How long a response may be in flight before it counts as lost. */
const maxResponseInFlightMs = 2_000

/** Whether the first response with the session's cookie may have been in flight when the callback was sent, which then lacks the cookie. */
export const mayHaveOverlapped = ({ createdAtMs }: Session, { startedAtMs }: CallbackRequest): boolean =>
  createdAtMs > startedAtMs - maxResponseInFlightMs

/**
 * Whether the browser has not received the response to this flow's callback: that response clears the flow's cookie and sets the session's,
 * both or neither. The flow's cookie therefore tells the browser that signed in from one that has only an older copy of the session's.
 */
export const isAwaitingResponse = (flow: string | undefined, browser: PresentedFlows | undefined): boolean =>
  flow !== undefined && browser?.flows.some(one => flowId(one) === flow) === true

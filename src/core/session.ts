import { randomBytes } from 'node:crypto'
import { type Flow, flowId } from './flow.ts'

/** What the cookie holds: two opaque ids. The truth is in the store. */
export type SessionRef = {
  /** Names the person's records. Stays for as long as their sessions follow each other. */
  readonly owner: string
  /** Turns at every sign-in. */
  readonly id: string
}

export type Session = SessionRef & {
  readonly createdAtMs: number
  readonly lastSeenAtMs: number
  /** It does not end by idleness before: somebody else has been asked to connect for it, or has done so and it was not seen since. */
  readonly extendedUntilMs?: number
  /** Provider name -> when a call last went to it. Kept to the precision of `touchEveryMs`. */
  readonly lastUsedMs: Readonly<Record<string, number>>
  /** The first sign-in, in whose callback the session began. */
  readonly startedBy?: Callback
  /** Until a request first shows its cookie. */
  readonly undelivered?: Undelivered
  /** From when a sign-in has turned its id. */
  readonly superseded?: Superseded
}

/** A session whose cookie nobody has shown yet: the response that carries it may have been lost. */
type Undelivered = {
  /** The sign-in whose callback made it, by its id. A pasted key has none. */
  readonly flow?: string
  /** The session whose id was turned. It stays good until this one is shown. */
  readonly predecessor?: string
  /** How many responses carry its cookie: each may be lost, and only of the last is it known that nobody has it. */
  readonly sendCount: number
}

/** A session whose id has turned, for those who cannot know yet. */
export type Superseded = {
  readonly by: string
  readonly untilMs: number
  /** The sign-in that turned it, by its id. */
  readonly flow?: string
  /** Providers that were connected since. */
  readonly hiddenProviders: readonly string[]
  /** The new one has been shown: only what the browser sent before it arrived, and what is on its way yet, is served. */
  readonly isConfirmed?: true
}

export type SessionLimits = {
  /** Ends this long after it was last seen. */
  readonly idleMs: number
  /** Ends this long after it began, whatever happens in it. */
  readonly maxMs: number
}

type Callback = {
  /** The sign-in, by its id, and all that the request of its callback showed. */
  readonly flow: string
  readonly presentedFlows: readonly string[]
}

/** How a sign-in comes back. */
export type CallbackRequest = Callback & {
  /** When the request of its callback began, in milliseconds since the epoch. */
  readonly startedAtMs: number
}

/** The browser that sent a request, by the sign-ins under way that it shows. */
export type PresentedFlows = { readonly flows: readonly Flow[] }

/** How long a session whose id has turned stays good, when nobody shows the new one. */
const turnGraceMs = 60_000

/** A request that was sent before the new cookie arrived is on its way for no longer. */
const lateMs = 10_000

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
 * How long records outlast the last of their owner's sessions, so that the grants among them can be found and revoked. Nothing in them is
 * served by then: whether a session lives is said by its own times, never by its record being there.
 */
export const recordRetentionMs = 24 * 60 * 60_000

/** The session, not to end by idleness before that time. */
export const extendSession = (session: Session, untilMs: number): Session => ({
  ...session,
  extendedUntilMs: Math.max(session.extendedUntilMs ?? 0, untilMs)
})

/**
 * The session that follows at a sign-in: a new id, the same owner. It ends no later than the first would have.
 * @returns both, as they are from now on
 */
export function rotateSession(
  session: Session,
  nowMs: number,
  provider: string,
  flow?: string
): { successor: Session; predecessor: Session } {
  const { undelivered: _, ...before } = session
  const by = flow !== undefined && { flow }
  const successor = { ...before, id: newId(), lastSeenAtMs: nowMs, undelivered: { ...by, predecessor: session.id, sendCount: 1 } }
  return {
    successor,
    predecessor: { ...before, superseded: { by: successor.id, untilMs: nowMs + turnGraceMs, ...by, hiddenProviders: [provider] } }
  }
}

/**
 * The session whose successor has been shown. Requests overtake each other: one that the same browser sent before it had the new cookie may
 * come after one that shows it. It shows the sign-in that turned the id as well; where that was none, nothing tells it from a copy.
 * @returns `undefined` when nothing is left of it
 */
export function expireSuperseded(session: Session, nowMs: number): Session | undefined {
  const { superseded } = session
  if (superseded?.flow === undefined) return undefined
  return { ...session, superseded: { ...superseded, untilMs: Math.min(superseded.untilMs, nowMs + lateMs), isConfirmed: true } }
}

export const newSession = (owner: string, nowMs: number): Session => ({
  owner,
  id: newId(),
  createdAtMs: nowMs,
  lastSeenAtMs: nowMs,
  lastUsedMs: {}
})

/** A session that begins with a connection: at the callback of a sign-in, or with a pasted key. */
export const firstSession = (owner: string, nowMs: number, arrival?: CallbackRequest): Session => ({
  ...newSession(owner, nowMs),
  ...(arrival && { startedBy: { flow: arrival.flow, presentedFlows: arrival.presentedFlows } }),
  undelivered: { ...(arrival && { flow: arrival.flow }), sendCount: 1 }
})

/** Writing at every call would make each a write; so a session is written at most this often, and 10 times in its idle time. */
const touchEveryMs = (limits: SessionLimits): number => Math.min(60_000, limits.idleMs / 10)

/**
 * @returns the session as seen now and, with `provider`, used for it; `undefined` while the stored one is recent enough, and for one
 * whose id has turned: nothing makes that live longer.
 */
export function touchSession(session: Session, limits: SessionLimits, nowMs: number, provider?: string): Session | undefined {
  if (session.superseded) return undefined
  const stale = nowMs - touchEveryMs(limits)
  const unseen = session.lastSeenAtMs <= stale
  const unused = provider !== undefined && (session.lastUsedMs[provider] ?? 0) <= stale
  if (!unseen && !unused) return undefined
  return {
    ...session,
    lastSeenAtMs: nowMs,
    lastUsedMs: provider === undefined ? session.lastUsedMs : { ...session.lastUsedMs, [provider]: nowMs }
  }
}

/**
 * Whether a session that the request of a callback did not show is this browser's all the same: each of the two sign-ins was under way
 * when the other came back. Whoever left one in this browser, to finish it elsewhere, cannot show what was begun after.
 */
export const isOfSameBrowser = ({ startedBy }: Session, { flow, presentedFlows }: Callback): boolean =>
  startedBy?.presentedFlows.includes(flow) === true && presentedFlows.includes(startedBy.flow)

/** A response is on its way for no longer, or it is lost. */
const inFlightMs = 2_000

/** Whether its first response may have been on its way when the request of this callback was sent, which then could not show it. */
export const mayHaveOverlapped = ({ createdAtMs }: Session, { startedAtMs }: CallbackRequest): boolean =>
  createdAtMs > startedAtMs - inFlightMs

/**
 * Whether the browser still waits for the response of this sign-in: that takes the sign-in's cookie away and gives the session's, both or
 * neither. So it tells the browser in which the id has turned from whoever has an older copy of the session's cookie alone.
 */
export const isAwaitingResponse = (flow: string | undefined, browser: PresentedFlows | undefined): boolean =>
  flow !== undefined && browser?.flows.some(one => flowId(one) === flow) === true

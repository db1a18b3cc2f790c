import { randomBytes } from 'node:crypto'

/** What the cookie holds: two opaque ids. The truth is in the store. */
export type Ticket = {
  /** Names the person's records. Stays for as long as their sessions follow each other. */
  readonly owner: string
  /** Turns at every sign-in. */
  readonly id: string
}

export type Session = Ticket & {
  readonly createdAtMs: number
  readonly seenAtMs: number
  /** It does not end by idleness before: somebody else has been asked to connect for it, or has done so and it was not seen since. */
  readonly keptUntilMs?: number
  /** Provider name -> when a call last went to it. Kept to the precision of `touchEveryMs`. */
  readonly lastUsedMs: Readonly<Record<string, number>>
  /** Ids of the sign-ins that were under way in the browser when it began. */
  readonly begunWith?: readonly string[]
}

export type SessionLimits = {
  /** Ends this long after it was last seen. */
  readonly idleMs: number
  /** Ends this long after it began, whatever happens in it. */
  readonly maxMs: number
}

/** 192 random bits, base64url. */
export const newId = (): string => randomBytes(24).toString('base64url')

export const endsAtMs = ({ seenAtMs, keptUntilMs = 0, createdAtMs }: Session, limits: SessionLimits): number =>
  Math.min(Math.max(seenAtMs + limits.idleMs, keptUntilMs), createdAtMs + limits.maxMs)

export const isLive = (session: Session, limits: SessionLimits, nowMs: number): boolean => endsAtMs(session, limits) > nowMs

/**
 * How long records outlast the last of their owner's sessions, so that the grants among them can be found and revoked. Nothing in them is
 * served by then: whether a session lives is said by its own times, never by its record being there.
 */
export const afterlifeMs = 24 * 60 * 60_000

/** The session, not to end by idleness before that time. */
export const keptUntil = (session: Session, untilMs: number): Session => ({
  ...session,
  keptUntilMs: Math.max(session.keptUntilMs ?? 0, untilMs)
})

/** The session that follows at a sign-in: a new id, the same owner. It ends no later than the first would have. */
export const turned = (session: Session, nowMs: number): Session => ({ ...session, id: newId(), seenAtMs: nowMs })

export const newSession = (owner: string, nowMs: number, begunWith: readonly string[] = []): Session => ({
  owner,
  id: newId(),
  createdAtMs: nowMs,
  seenAtMs: nowMs,
  lastUsedMs: {},
  ...(begunWith.length > 0 && { begunWith })
})

/** Writing at every call would make each a write; so a session is written at most this often, and 10 times in its idle time. */
const touchEveryMs = (limits: SessionLimits): number => Math.min(60_000, limits.idleMs / 10)

/** @returns the session as seen now and, with `provider`, used for it; `undefined` while the stored one is recent enough. */
export function touched(session: Session, limits: SessionLimits, nowMs: number, provider?: string): Session | undefined {
  const stale = nowMs - touchEveryMs(limits)
  const unseen = session.seenAtMs <= stale
  const unused = provider !== undefined && (session.lastUsedMs[provider] ?? 0) <= stale
  if (!unseen && !unused) return undefined
  return {
    ...session,
    seenAtMs: nowMs,
    lastUsedMs: provider === undefined ? session.lastUsedMs : { ...session.lastUsedMs, [provider]: nowMs }
  }
}

/** How a first sign-in came back. */
export type Arrival = {
  /** When its request began, in milliseconds since the epoch. */
  readonly begunAtMs: number
  /** Its id, and those of all that the browser showed. */
  readonly flow: string
  readonly shown: readonly string[]
}

/** How long before a request a session may have begun that the browser does not show yet: its cookie was on the way. */
const answersCrossMs = 1_000

/**
 * Whether a session that the request did not show is this browser's all the same, begun in another tab at the same moment: that tab's
 * request showed this sign-in. Whoever left one under way in this browser, to finish it elsewhere, could not show what was begun after.
 */
export const isOfSameBrowser = ({ createdAtMs, begunWith }: Session, { begunAtMs, flow }: Arrival): boolean =>
  createdAtMs >= begunAtMs - answersCrossMs && begunWith?.includes(flow) === true

import { createHash, randomBytes } from 'node:crypto'

/** A sign-in under way. It lives in the browser's sealed cookie until its callback, or for ten minutes. */
export type Flow = {
  readonly state: string
  readonly provider: string
  /** PKCE `code_verifier` (RFC 7636 §4.1). */
  readonly verifier: string
  readonly returnTo: string
  /** Whose connection it will be. */
  readonly owner: string
  /** The browser had no session when it began: the callback may begin one. */
  readonly first: boolean
  readonly startedAtMs: number
}

export const flowLifetimeMs = 10 * 60_000

const mostFlows = 5
/** JSON characters that the sealed cookie holds while it stays below the 4096 bytes that browsers take (RFC 6265 §6.1). */
const mostCharacters = 2600

export function beginFlow(of: Pick<Flow, 'provider' | 'returnTo' | 'owner' | 'first'>, nowMs: number): Flow {
  // 192 bits of state (RFC 9700 asks for 128); 43 characters of verifier, the least that RFC 7636 allows, from 256 bits.
  return { ...of, state: randomBytes(24).toString('base64url'), verifier: randomBytes(32).toString('base64url'), startedAtMs: nowMs }
}

/** RFC 7636 §4.2, method S256. */
export const challengeOf = (flow: Flow): string => createHash('sha256').update(flow.verifier).digest('base64url')

export const liveFlows = (flows: readonly Flow[], nowMs: number): Flow[] => flows.filter(flow => flow.startedAtMs + flowLifetimeMs > nowMs)

/** Adds one; the oldest go when there are too many, or too long ones, for a cookie. */
export function addFlow(flows: readonly Flow[], flow: Flow): Flow[] {
  const kept = [...flows.slice(1 - mostFlows), flow]
  while (kept.length > 1 && JSON.stringify(kept).length > mostCharacters) kept.shift()
  return kept
}

/** The store's key under which a state is used up. The state itself stays out of the store. */
export const usedUpKey = (flow: Flow): string => `flow:${createHash('sha256').update(flow.state).digest('base64url')}`

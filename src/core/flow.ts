import { createHash, randomBytes } from 'node:crypto'

/** A sign-in under way. It lives in a sealed cookie of its own until its callback, or for ten minutes. */
export type Flow = {
  readonly state: string
  readonly provider: string
  /** PKCE `code_verifier` (RFC 7636 §4.1). */
  readonly codeVerifier: string
  readonly returnTo: string
  /** Whose connection it will be. */
  readonly owner: string
  /** The browser had no session when it began: the callback may begin one. */
  readonly startsSession: boolean
  /** The connection is made for somebody else, who gave this invitation: `owner` is theirs, and this browser gets no session. */
  readonly invitation?: string
  readonly startedAtMs: number
}

export const flowLifetimeMs = 10 * 60_000

const maxFlows = 5
/**
 * JSON characters of all flows together. One stays below the 4096 bytes that browsers take as a cookie (RFC 6265 §6.1), and
 * five of them, with a frontend's own cookies, below the 8 KiB that balancers commonly take as a header line.
 */
const maxCharacters = 2600

export function createFlow(of: Pick<Flow, 'provider' | 'returnTo' | 'owner' | 'startsSession' | 'invitation'>, nowMs: number): Flow {
  // 192 bits of state (RFC 9700 asks for 128); 43 characters of verifier, the least that RFC 7636 allows, from 256 bits.
  return { ...of, state: randomBytes(24).toString('base64url'), codeVerifier: randomBytes(32).toString('base64url'), startedAtMs: nowMs }
}

/** RFC 7636 §4.2, method S256. */
export const codeChallenge = (flow: Flow): string => createHash('sha256').update(flow.codeVerifier).digest('base64url')

/** Those that have not ended, oldest first; of one millisecond in the order given, which is the browser's (RFC 6265 §5.4: by creation). */
export const unexpiredFlows = (flows: readonly Flow[], nowMs: number): Flow[] =>
  flows.filter(flow => flow.startedAtMs + flowLifetimeMs > nowMs).sort((a, b) => a.startedAtMs - b.startedAtMs)

/** @returns the flows, oldest first, that must go so that there is room for one more. */
export function evictedFlows(flows: readonly Flow[], flow: Flow): Flow[] {
  const kept = [...flows.slice(1 - maxFlows), flow]
  while (kept.length > 1 && JSON.stringify(kept).length > maxCharacters) kept.shift()
  return flows.filter(f => !kept.includes(f))
}

/**
 * Whose session a browser without one will get. Tabs that began in the same moment knew nothing of each other; when they come
 * back the browser shows the flows of all, and each of them finds the same owner.
 */
export const newSessionOwner = (flows: readonly Flow[]): string | undefined => flows.find(flow => flow.startsSession)?.owner

/** Names a flow where its state, which proves the sign-in, must not stand: the cookie's name, and the store's key of used-up states. */
export const flowId = ({ state }: Pick<Flow, 'state'>): string => createHash('sha256').update(state).digest('base64url')

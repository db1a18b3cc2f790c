import { createHash, randomBytes } from 'node:crypto'
import { GatewayError } from './errors.ts'

/** A sign-in in flight. It is stored in a sealed cookie of its own until its callback, for at most ten minutes. */
export type Flow = {
  readonly state: string
  readonly provider: string
  /** PKCE `code_verifier` (RFC 7636 §4.1). */
  readonly codeVerifier: string
  readonly returnTo: string
  /** The owner of the connection. */
  readonly owner: string
  /** `add` for one more account, or the id of the connection to make anew. */
  readonly account?: string
  /** The browser had no session when the flow started: the callback may start one. */
  readonly startsSession: boolean
  /** Id of the invitation whose inviter is `owner`: the connection is made for them, and this browser gets no session. */
  readonly invitation?: string
  /** The invited user's name, in their own words. */
  readonly connectedBy?: string
  /** A bearer of `owner` began it: this browser gets a code with which that bearer takes the connection, and no session. */
  readonly endsWithCode?: true
  /** What the user has given for the definition's parameters. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Requested in place of the operator's scopes. */
  readonly scopes?: readonly string[]
  readonly startedAtMs: number
}

export const flowLifetimeMs = 10 * 60_000

const maxFlows = 5
/**
 * Limit for all flows of a browser together, in characters of JSON. One flow fits into the 4096 bytes of a cookie that browsers support
 * (RFC 6265 §6.1), and five, with a frontend's own cookies, into the 8 KiB that load balancers commonly allow for a header line.
 */
const maxCharacters = 2600

/** @throws {GatewayError} `parameters_invalid` when what the user gives for parameters does not fit into the cookie */
export function createFlow(fields: Omit<Flow, 'state' | 'codeVerifier' | 'startedAtMs'>, nowMs: number): Flow {
  // State: 192 bits (RFC 9700 requires 128). Verifier: 256 bits, as 43 characters, the minimum of RFC 7636.
  const flow = {
    ...fields,
    state: randomBytes(24).toString('base64url'),
    codeVerifier: randomBytes(32).toString('base64url'),
    startedAtMs: nowMs
  }
  if (fields.parameters && Buffer.byteLength(JSON.stringify(flow)) > maxCharacters)
    throw new GatewayError(
      'parameters_invalid',
      'return_to and what is given for the provider are too long together: a sign-in keeps both in a cookie. Shorten return_to.',
      { provider: fields.provider }
    )
  return flow
}

/** RFC 7636 §4.2, method S256. */
export const codeChallenge = ({ codeVerifier }: Pick<Flow, 'codeVerifier'>): string =>
  createHash('sha256').update(codeVerifier).digest('base64url')

/** Oldest first. Flows of the same millisecond keep the order of the cookies, which is by creation (RFC 6265 §5.4). */
export const unexpiredFlows = <F extends Pick<Flow, 'startedAtMs'>>(flows: readonly F[], nowMs: number): F[] =>
  flows.filter(flow => flow.startedAtMs + flowLifetimeMs > nowMs).sort((a, b) => a.startedAtMs - b.startedAtMs)

/**
 * @param flows oldest first
 * @returns those of `flows` that must be evicted to make room for `flow`
 */
export function evictedFlows<F>(flows: readonly F[], flow: F): F[] {
  const remaining = [...flows.slice(1 - maxFlows), flow]
  while (remaining.length > 1 && JSON.stringify(remaining).length > maxCharacters) remaining.shift()
  return flows.filter(one => !remaining.includes(one))
}

/**
 * The owner of the session that a browser without one gets. Tabs that start sign-ins at the same moment do not know of each other; at
 * their callbacks the browser presents all flows, and each callback chooses the same owner.
 */
export const newSessionOwner = (flows: readonly Flow[]): string | undefined => flows.find(flow => flow.startsSession)?.owner

/** Identifies a flow without revealing its state, which proves the sign-in: in the cookie's name and in the keys of the store. */
export const flowId = ({ state }: Pick<Flow, 'state'>): string => createHash('sha256').update(state).digest('base64url')

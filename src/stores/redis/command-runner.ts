import type { Cluster, Redis } from 'ioredis'
import { withTimeout } from '../../core/util/timeout.ts'
import { storeUnavailable } from '../errors.ts'
import { commandTimeoutMs, isCluster, isReplyError } from './client.ts'
import { createOutageDeadlines } from './outage-deadlines.ts'
import { createReadyWait } from './ready.ts'

/** How long a command waits for a connection, unless the store is opened with another value. */
const defaultConnectionTimeoutMs = 400
/** When this process was late, and not Redis, the reply comes at once. */
const minTimeoutMs = 100

/**
 * @param hashTag the text in the braces of the key, by which a Cluster chooses the node; '' for a command to any node
 * @throws {GatewayError} `store_unavailable`
 */
type RunCommand = <T>(hashTag: string, command: () => Promise<T>) => Promise<T>

export type CommandRunner = {
  readonly run: RunCommand
  /** For idempotent commands: one whose reply is late is sent once more, within the time that is left. */
  readonly runIdempotent: RunCommand
  readonly deadlineMs: number
}

/** Runs commands with a deadline: whatever goes wrong is `store_unavailable` within a second. */
export function createCommandRunner(
  client: Redis | Cluster,
  description: string,
  connectionTimeoutMs = defaultConnectionTimeoutMs
): CommandRunner {
  // Waiting for a connection and then for the command's own 500 ms stays below this, and this stays, as a rule, below the port's second.
  const deadlineMs = connectionTimeoutMs + commandTimeoutMs + 50
  const untilReady = createReadyWait(client, connectionTimeoutMs)
  const outageDeadlines = createOutageDeadlines(deadlineMs, minTimeoutMs)
  client.on('ready', outageDeadlines.reset)
  // In a Cluster one node may be silent while the others reply.
  const nodeOf = isCluster(client) ? (hashTag: string) => hashTag : () => ''

  async function run<T>(hashTag: string, command: () => Promise<T>, timeoutMs = deadlineMs): Promise<T> {
    try {
      return await withTimeout(
        Math.min(timeoutMs, outageDeadlines.remainingMs(nodeOf(hashTag))),
        untilReady().then(() => withTimeout(commandTimeoutMs, observed(hashTag, command())))
      )
    } catch (error) {
      throw storeUnavailable(new Error(`${description}: ${reasonOf(error)}`))
    }
  }

  /** A reply that comes after the timeout of its command ends the outage too. */
  async function observed<T>(hashTag: string, reply: Promise<T>): Promise<T> {
    try {
      const value = await reply
      outageDeadlines.markAlive(nodeOf(hashTag))
      return value
    } catch (error) {
      if (isReplyError(error)) outageDeadlines.markAlive(nodeOf(hashTag))
      throw error
    }
  }

  return {
    deadlineMs,

    run: (hashTag, command) => run(hashTag, command),

    runIdempotent: async (hashTag, command) => {
      const startMs = performance.now()
      try {
        return await run(hashTag, command)
      } catch (error) {
        const elapsedMs = performance.now() - startMs
        if (elapsedMs < commandTimeoutMs) throw error
        return run(hashTag, command, Math.max(deadlineMs - elapsedMs, minTimeoutMs))
      }
    }
  }
}

/**
 * The error as text that may be logged. ioredis attaches the command with its arguments to an error (the password of HELLO, the records
 * of a commit), and Redis repeats the arguments of an unknown command.
 */
export function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  const cause = (error as { lastNodeError?: unknown }).lastNodeError
  const reason = (message || code || 'unknown').split(', with args beginning with')[0] ?? ''
  return cause === undefined || cause === null ? reason : `${reason} ${reasonOf(cause)}`
}

import { Cluster, type Redis, ReplyError } from 'ioredis'
import { withTimeout } from '../../core/util/timeout.ts'
import { storeUnavailable } from '../errors.ts'
import { commandTimeoutMs } from './client.ts'
import { createOutageDeadlines } from './outage-deadline.ts'
import { redisReady } from './ready.ts'

/** How long a call waits for a connection, unless a store is opened with another patience. */
const defaultConnectionPatienceMs = 400
/** When it was this process that was late, and not Redis, the next answer comes at once. */
const minTryMs = 100

/** @param tag what stands in the braces of the key, by which a Cluster chooses the node */
type AskRedis = <T>(tag: string, work: () => Promise<T>) => Promise<T>

/** Asks with patience, but not for long: whatever goes wrong is `store_unavailable` within a second. */
export function createCommandRunner(
  client: Redis | Cluster,
  description: string,
  connectionPatienceMs = defaultConnectionPatienceMs
): { ask: AskRedis; askTwice: AskRedis; deadlineMs: number } {
  // Waiting for a connection and then for a command's own 500 ms stay below this, and this, as a rule, below the port's second.
  const deadlineMs = connectionPatienceMs + commandTimeoutMs + 50
  const ready = redisReady(client, connectionPatienceMs)
  const patience = createOutageDeadlines(deadlineMs, minTryMs)
  client.on('ready', patience.reset)
  // In a Cluster one node may be silent while the others speak.
  const whom = client instanceof Cluster ? (tag: string) => tag : () => ''

  async function ask<T>(tag: string, work: () => Promise<T>, withinMs = deadlineMs): Promise<T> {
    try {
      return await withTimeout(
        Math.min(withinMs, patience.remainingMs(whom(tag))),
        ready().then(() => withTimeout(commandTimeoutMs, listened(tag, work())))
      )
    } catch (error) {
      throw storeUnavailable(new Error(`${description}: ${reasonOf(error)}`))
    }
  }

  /** An answer that comes too late for its call still ends the silence. */
  async function listened<T>(tag: string, answer: Promise<T>): Promise<T> {
    try {
      const value = await answer
      patience.markAlive(whom(tag))
      return value
    } catch (error) {
      if (error instanceof ReplyError) patience.markAlive(whom(tag))
      throw error
    }
  }

  return {
    deadlineMs,

    ask: (tag, work) => ask(tag, work),

    /** For what may be asked twice: an answer that is late is asked for once more, in the time that is left. */
    askTwice: async (tag, work) => {
      const start = performance.now()
      try {
        return await ask(tag, work)
      } catch (error) {
        const tookMs = performance.now() - start
        if (tookMs < commandTimeoutMs) throw error
        return ask(tag, work, Math.max(deadlineMs - tookMs, minTryMs))
      }
    }
  }
}

/**
 * What went wrong, as text: ioredis hangs the command with its arguments on an error (the password of HELLO, the records of a
 * commit), and Redis repeats those of a command it does not know. Neither may reach a log.
 */
function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  const cause = (error as { lastNodeError?: unknown }).lastNodeError
  const reason = (message || code || 'unknown').split(', with args beginning with')[0] ?? ''
  return cause === undefined || cause === null ? reason : `${reason} ${reasonOf(cause)}`
}

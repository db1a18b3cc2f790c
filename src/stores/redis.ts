import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../core/ports.ts'
import { commandTimeoutMs, connectRedis } from './redis-client.ts'
import { claimKey, leaseKey, ownerKey } from './redis-keys.ts'
import { redisReady } from './redis-ready.ts'
import { commitArguments, wholeMs } from './redis-scripts.ts'
import { parseRedisUrl } from './redis-url.ts'
import { openRedisWatch } from './redis-watch.ts'
import { storeUnavailable } from './unavailable.ts'

/** Waiting for a connection and then for a command's own 500 ms stay below this, and this below the port's second. */
const connectionPatienceMs = 400
const deadlineMs = 950
/** When it was this process that was late, and not Redis, the second answer comes at once. */
const leastTryMs = 100

/** A holder that has said nothing for so long may be looked at, whether it still lives. It extends several times in that time. */
const silenceMs = 750

/**
 * One Redis, a Sentinel set or a Cluster. An owner is one hash: one slot, one trip, one end. The process starts and goes on when
 * Redis is down, and works again without a restart when it is back.
 *
 * A call that ran out of time has an unknown outcome: Redis may carry it out later. It is rejected as `store_unavailable`; callers
 * make that safe by expectations, and a lease that nobody knows of ends by itself.
 *
 * @throws TypeError when the address is malformed.
 */
export function openRedisStore({ url }: { url: string }): Store {
  const target = parseRedisUrl(url)
  const description = `Redis at ${target.address}`
  const client = connectRedis(target)
  const ready = redisReady(client, connectionPatienceMs)
  const instance = randomUUID()
  const watch = openRedisWatch(client, target, instance)

  const ask = async <T>(work: () => Promise<T>, withinMs = deadlineMs): Promise<T> => {
    try {
      return await before(withinMs, ready().then(work))
    } catch (error) {
      throw storeUnavailable(new Error(`${description}: ${reasonOf(error)}`))
    }
  }

  /** For what may be asked twice: an answer that is late is asked for once more, in the time that is left. */
  const askTwice = async <T>(work: () => Promise<T>): Promise<T> => {
    const start = performance.now()
    try {
      return await ask(work)
    } catch (error) {
      const tookMs = performance.now() - start
      if (tookMs < commandTimeoutMs) throw error
      return ask(work, Math.max(deadlineMs - tookMs, leastTryMs))
    }
  }

  return {
    description,
    watch,

    read: async (owner, fields) => {
      if (fields.length === 0) return []
      const records = await askTwice(() => client.hmgetBuffer(ownerKey(owner), ...fields))
      return records.map(record => record ?? undefined)
    },

    readAll: async owner => new Map(Object.entries(await askTwice(() => client.hgetallBuffer(ownerKey(owner))))),

    commit: async (owner, change) => (await ask(() => client.latchkeyCommit(ownerKey(owner), ...commitArguments(change)))) === 1,

    erase: async owner => {
      await ask(() => client.del(ownerKey(owner)))
    },

    claim: async (key, ttlMs) => (await ask(() => client.set(claimKey(key), '', 'PX', wholeMs(ttlMs), 'NX'))) === 'OK',

    acquire: async (owner, name, ttlMs, waitedMs = 0) => {
      const key = leaseKey(owner, name)
      // Without the connection that shows its life, a holder has no name by which it could be taken for dead.
      const holder = `${watch.isComplete() ? instance : ''}:${randomUUID()}`
      const release = async () => void (await ask(() => client.latchkeyRelease(key, holder)))
      try {
        const acquired = await askTwice(() => client.latchkeyAcquire(key, holder, wholeMs(ttlMs), Math.floor(waitedMs), silenceMs))
        if (acquired !== 1) return undefined
      } catch (error) {
        // Redis may have given it, or may do so yet.
        void retried(release)
        throw error
      }
      return { extend: async ttlMs => (await ask(() => client.latchkeyExtend(key, holder, wholeMs(ttlMs)))) === 1, release }
    },

    // A write, not PING: a full Redis or a read-only replica answers that.
    ping: async () => {
      await ask(() => client.set('latchkey:ping', '', 'PX', 1000))
    },

    close: async () => {
      // QUIT lets calls under way finish; a server that is gone does not answer it.
      watch.close()
      await before(deadlineMs, client.quit()).catch(() => undefined)
      client.disconnect()
    }
  }
}

/** Tries for some seconds, in the background: what fails to the end ends by its own time. */
async function retried(work: () => Promise<void>): Promise<void> {
  for (const delayMs of [100, 500, 2000, 5000]) {
    await sleep(delayMs, undefined, { ref: false })
    try {
      await work()
      return
    } catch {}
  }
}

async function before<T>(limitMs: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
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

import { randomUUID } from 'node:crypto'
import type { Store } from '../core/ports.ts'
import { connectRedis } from './redis-client.ts'
import { redisReady } from './redis-ready.ts'
import { commitArguments, wholeMs } from './redis-scripts.ts'
import { parseRedisUrl } from './redis-url.ts'
import { storeUnavailable } from './unavailable.ts'

/** Waiting for a connection and then for a command's own 500 ms stay below this, and this below the port's second. */
const connectionPatienceMs = 400
const deadlineMs = 950

// The braces are the hash tag by which Cluster finds the slot.
const ownerKey = (owner: string) => `latchkey:{${owner}}`
const claimKey = (key: string) => `latchkey:{${key}}:claim`
const leaseKey = (key: string) => `latchkey:{${key}}:lease`

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

  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await before(deadlineMs, ready().then(work))
    } catch (error) {
      throw storeUnavailable(new Error(`${description}: ${reasonOf(error)}`))
    }
  }

  return {
    description,

    read: async (owner, fields) => {
      if (fields.length === 0) return []
      const records = await ask(() => client.hmgetBuffer(ownerKey(owner), ...fields))
      return records.map(record => record ?? undefined)
    },

    readAll: async owner => new Map(Object.entries(await ask(() => client.hgetallBuffer(ownerKey(owner))))),

    commit: async (owner, change) => (await ask(() => client.latchkeyCommit(ownerKey(owner), ...commitArguments(change)))) === 1,

    erase: async owner => {
      await ask(() => client.del(ownerKey(owner)))
    },

    claim: async (key, ttlMs) => (await ask(() => client.set(claimKey(key), '', 'PX', wholeMs(ttlMs), 'NX'))) === 'OK',

    acquire: async (key, ttlMs) => {
      const token = randomUUID()
      const acquired = await ask(() => client.set(leaseKey(key), token, 'PX', wholeMs(ttlMs), 'NX'))
      if (acquired !== 'OK') return undefined
      return async () => {
        await ask(() => client.latchkeyRelease(leaseKey(key), token))
      }
    },

    // A write, not PING: a full Redis or a read-only replica answers that.
    ping: async () => {
      await ask(() => client.set('latchkey:ping', '', 'PX', 1000))
    },

    close: async () => {
      // QUIT lets calls under way finish; a server that is gone does not answer it.
      await before(deadlineMs, client.quit()).catch(() => undefined)
      client.disconnect()
    }
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

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import type { Store } from '../../core/ports.ts'
import { Timeout, withTimeout } from '../../core/util/timeout.ts'
import { openRedisChangeFeed } from './change-feed.ts'
import { connectRedis, isCluster } from './client.ts'
import { createCommandRunner } from './command-runner.ts'
import { claimKey, countKey, leaseKey, ownerKey, ownerOf, valueKey } from './keys.ts'
import { openRedisReplicas } from './replicas.ts'
import { commitArguments, wholeMs } from './scripts.ts'
import type { RedisClient, RedisTarget } from './target.ts'

/** A holder that has not extended its lease for this long is checked for being dead. A living one extends it several times in this time. */
const minSilenceMs = 500
/** A holder that looks dead is checked again after this time: a living one has reconnected by then. */
const recheckDelayMs = 250

export type RedisStoreOptions = {
  target: RedisTarget | RedisClient
  /** How long a command waits for a connection. */
  connectionTimeoutMs?: number
}

/**
 * A single Redis, a Sentinel set or a Cluster. An owner is one hash: one slot, one round trip, one TTL. The process starts and goes on
 * while Redis is down, and works again without a restart when Redis is back.
 *
 * The outcome of a command that timed out is unknown: Redis may execute it later. It is rejected as `store_unavailable`; callers make
 * it safe to repeat with expectations, and a lease that nobody knows of expires.
 */
export function openRedisStore({ target, connectionTimeoutMs }: RedisStoreOptions): Store {
  const description = 'displayUrl' in target ? `Redis at ${target.displayUrl}` : "the application's Redis"
  const client = connectRedis(target)
  const instance = randomUUID()
  const changes = openRedisChangeFeed(client, target, instance)
  const replicas = openRedisReplicas(client, target, description)
  const { run, runIdempotent, deadlineMs } = createCommandRunner(client, description, connectionTimeoutMs)

  /** @param node the Redis that has these keys: in a Cluster each node is asked for its own */
  async function expiringKeys(node: Redis, keys: readonly string[], withinMs: number): Promise<string[]> {
    if (keys.length === 0) return []
    const pipeline = node.pipeline()
    for (const key of keys) pipeline.pttl(key)
    const replies = (await runIdempotent('', () => pipeline.exec())) ?? []
    return keys.filter((_, i) => {
      const [error, ttlMs] = replies[i] ?? []
      // -2: the key is gone. An error: the slot has moved; the key is found on its new node, or by the next scan.
      return !error && Number(ttlMs) >= 0 && Number(ttlMs) <= withinMs
    })
  }

  return {
    description,
    changes,

    read: async (owner, fields) => {
      if (fields.length === 0) return []
      const records = await runIdempotent(owner, () => client.hmgetBuffer(ownerKey(owner), ...fields))
      return records.map(record => record ?? undefined)
    },

    readAll: async owner => new Map(Object.entries(await runIdempotent(owner, () => client.hgetallBuffer(ownerKey(owner))))),

    commit: async (owner, change) => (await run(owner, () => client.grantkeeperCommit(ownerKey(owner), ...commitArguments(change)))) === 1,

    deleteOwner: async owner => {
      await run(owner, () => client.del(ownerKey(owner)))
    },

    confirmReplicated: replicas.confirm,

    scanOwners: async function* (expiringWithinMs) {
      // The nodes are known only once there is a connection.
      await run('', async () => undefined)
      const nodes = isCluster(client) ? client.nodes('master') : [client]
      for (const node of nodes) {
        let cursor = '0'
        do {
          const [next, keys] = await runIdempotent('', () => node.scan(cursor, 'MATCH', ownerKey('*'), 'COUNT', scanCount, 'TYPE', 'hash'))
          const found = expiringWithinMs === undefined ? keys : await expiringKeys(node, keys, expiringWithinMs)
          yield found.map(key => ownerOf(key)).filter(owner => owner !== undefined)
          cursor = next
        } while (cursor !== '0')
      }
    },

    claim: async (key, ttlMs) => (await run(key, () => client.set(claimKey(key), '', 'PX', wholeMs(ttlMs), 'NX'))) === 'OK',

    setValue: async (key, value, ttlMs) => {
      await run(key, () => client.set(valueKey(key), value, 'PX', wholeMs(ttlMs)))
    },

    getValue: async key => (await runIdempotent(key, () => client.getBuffer(valueKey(key)))) ?? undefined,

    acquire: async (owner, name, ttlMs, waitedMs = 0) => {
      const key = leaseKey(owner, name)
      // Without the subscription that shows that it lives, this process must not look dead: its lease names no instance. Nor does it
      // check other holders: an ACL user who may not subscribe may not read the number of subscribers.
      const isSubscribed = changes.isReliable()
      const holder = `${isSubscribed ? instance : ''}:${randomUUID()}`
      const refusedForMs = isSubscribed ? Math.floor(waitedMs) : 0
      const release = async () => void (await run(owner, () => client.grantkeeperRelease(key, holder)))
      const tryAcquire = (presumedDead = '') =>
        runIdempotent(owner, () => client.grantkeeperAcquire(key, holder, wholeMs(ttlMs), refusedForMs, minSilenceMs, presumedDead))
      try {
        let acquired = await tryAcquire()
        if (typeof acquired === 'string') {
          await new Promise<void>(resolve => void new Timeout(recheckDelayMs, resolve))
          acquired = await tryAcquire(acquired)
        }
        if (acquired !== 1) return undefined
      } catch (error) {
        // Redis may have granted the lease, or may still do so.
        void retryInBackground(release)
        throw error
      }
      return { extend: async ttlMs => (await run(owner, () => client.grantkeeperExtend(key, holder, wholeMs(ttlMs)))) === 1, release }
    },

    increment: async (key, windowMs) => {
      const [count, endsInMs] = await run(key, () => client.grantkeeperCount(countKey(key), wholeMs(windowMs)))
      return { count, endsInMs }
    },

    // A write: a full Redis and a read-only replica reply to PING.
    ping: async () => {
      await run('', () => client.set('grantkeeper:ping', '', 'PX', 1000))
    },

    close: async () => {
      changes.close()
      replicas.close()
      // QUIT lets commands in flight finish; a server that is gone does not reply to it.
      await withTimeout(deadlineMs, client.quit()).catch(() => undefined)
      client.disconnect()
    }
  }
}

/** Keys that one SCAN step looks at; Redis serves no other client meanwhile. */
const scanCount = 500

/** Retries for some seconds. A lease that cannot be released expires. */
async function retryInBackground(work: () => Promise<void>): Promise<void> {
  for (const delayMs of [100, 500, 2000, 5000]) {
    await sleep(delayMs, undefined, { ref: false })
    try {
      await work()
      return
    } catch {}
  }
}

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, type Redis } from 'ioredis'
import type { Store } from '../../core/ports.ts'
import { Timeout, withTimeout } from '../../core/util/timeout.ts'
import { openRedisChangeFeed } from './change-feed.ts'
import { connectRedis } from './client.ts'
import { createCommandRunner } from './deadline.ts'
import { claimKey, countKey, leaseKey, ownerKey, ownerOf, valueKey } from './keys.ts'
import { openRedisReplicas } from './replicas.ts'
import { commitArguments, wholeMs } from './scripts.ts'
import type { RedisTarget } from './target.ts'

/** A holder that has said nothing for so long may be looked at, whether it still lives. It extends several times in that time. */
const silenceMs = 500
/** And after so long it is looked at once more: by then one that lives has made its connection anew. */
const secondLookMs = 250

/**
 * One Redis, a Sentinel set or a Cluster. An owner is one hash: one slot, one trip, one end. The process starts and goes on when
 * Redis is down, and works again without a restart when it is back.
 *
 * A call that ran out of time has an unknown outcome: Redis may carry it out later. It is rejected as `store_unavailable`; callers
 * make that safe by expectations, and a lease that nobody knows of ends by itself.
 *
 * @param connectionPatienceMs how long a call waits for a connection that is being made; for tests of that waiting.
 */
export function openRedisStore({ target, connectionPatienceMs }: { target: RedisTarget; connectionPatienceMs?: number }): Store {
  const description = `Redis at ${target.address}`
  const client = connectRedis(target)
  const instance = randomUUID()
  const changes = openRedisChangeFeed(client, target, instance)
  const replicas = openRedisReplicas(client, target, description)
  const { ask, askTwice, deadlineMs } = createCommandRunner(client, description, connectionPatienceMs)

  /** @param node where these keys are: in a Cluster each is asked of its own */
  async function endingWithin(node: Redis, keys: readonly string[], withinMs: number): Promise<string[]> {
    if (keys.length === 0) return []
    const asked = node.pipeline()
    for (const key of keys) asked.pttl(key)
    const ends = (await askTwice('', () => asked.exec())) ?? []
    return keys.filter((_, i) => {
      const [error, ttlMs] = ends[i] ?? []
      // What has gone meanwhile says -2; what has moved to another node is found there, or next time.
      return !error && Number(ttlMs) >= 0 && Number(ttlMs) <= withinMs
    })
  }

  return {
    description,
    changes,

    read: async (owner, fields) => {
      if (fields.length === 0) return []
      const records = await askTwice(owner, () => client.hmgetBuffer(ownerKey(owner), ...fields))
      return records.map(record => record ?? undefined)
    },

    readAll: async owner => new Map(Object.entries(await askTwice(owner, () => client.hgetallBuffer(ownerKey(owner))))),

    commit: async (owner, change) => (await ask(owner, () => client.grantkeeperCommit(ownerKey(owner), ...commitArguments(change)))) === 1,

    deleteOwner: async owner => {
      await ask(owner, () => client.del(ownerKey(owner)))
    },

    confirmReplicated: replicas.confirm,

    scanOwners: async function* (endWithinMs) {
      // Once there is a connection it is known which nodes there are.
      await ask('', async () => undefined)
      const nodes = client instanceof Cluster ? client.nodes('master') : [client]
      for (const node of nodes) {
        let cursor = '0'
        do {
          const [next, keys] = await askTwice('', () => node.scan(cursor, 'MATCH', ownerKey('*'), 'COUNT', namesAtOnce, 'TYPE', 'hash'))
          const found = endWithinMs === undefined ? keys : await endingWithin(node, keys, endWithinMs)
          yield found.map(key => ownerOf(key)).filter(owner => owner !== undefined)
          cursor = next
        } while (cursor !== '0')
      }
    },

    claim: async (key, ttlMs) => (await ask(key, () => client.set(claimKey(key), '', 'PX', wholeMs(ttlMs), 'NX'))) === 'OK',

    setValue: async (key, record, ttlMs) => {
      await ask(key, () => client.set(valueKey(key), record, 'PX', wholeMs(ttlMs)))
    },

    getValue: async key => (await askTwice(key, () => client.getBuffer(valueKey(key)))) ?? undefined,

    acquire: async (owner, name, ttlMs, waitedMs = 0) => {
      const key = leaseKey(owner, name)
      // Without the connection that shows its life, a holder has no name by which it could be taken for dead. Nor does it judge others:
      // who may not subscribe may not ask who does.
      const isSeen = changes.isReliable()
      const holder = `${isSeen ? instance : ''}:${randomUUID()}`
      const refusedForMs = isSeen ? Math.floor(waitedMs) : 0
      const release = async () => void (await ask(owner, () => client.grantkeeperRelease(key, holder)))
      const acquire = (lookedDead = '') =>
        askTwice(owner, () => client.grantkeeperAcquire(key, holder, wholeMs(ttlMs), refusedForMs, silenceMs, lookedDead))
      try {
        let acquired = await acquire()
        if (typeof acquired === 'string') {
          await new Promise<void>(resolve => void new Timeout(secondLookMs, resolve))
          acquired = await acquire(acquired)
        }
        if (acquired !== 1) return undefined
      } catch (error) {
        // Redis may have given it, or may do so yet.
        void retried(release)
        throw error
      }
      return { extend: async ttlMs => (await ask(owner, () => client.grantkeeperExtend(key, holder, wholeMs(ttlMs)))) === 1, release }
    },

    increment: async (key, windowMs) => {
      const [count, endsInMs] = await ask(key, () => client.grantkeeperCount(countKey(key), wholeMs(windowMs)))
      return { count, endsInMs }
    },

    // A write, not PING: a full Redis or a read-only replica answers that.
    ping: async () => {
      await ask('', () => client.set('grantkeeper:ping', '', 'PX', 1000))
    },

    close: async () => {
      // QUIT lets calls under way finish; a server that is gone does not answer it.
      changes.close()
      replicas.close()
      await withTimeout(deadlineMs, client.quit()).catch(() => undefined)
      client.disconnect()
    }
  }
}

/** How many keys Redis looks at before it answers; others wait meanwhile. */
const namesAtOnce = 500

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

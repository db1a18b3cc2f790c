import { Cluster, type Redis, ReplyError } from 'ioredis'
import type { ChangeFeed } from '../../core/ports.ts'
import { withTimeout } from '../../core/util/timeout.ts'
import { type ChangeListeners, createChangeListeners } from '../listeners.ts'
import { commandTimeoutMs, connectRedis, reconnectDelayMs } from './client.ts'
import { aliveChannel, keyPrefix } from './keys.ts'
import type { RedisTarget } from './target.ts'

export type RedisChangeFeed = ChangeFeed & { close(): void }

/** Where Redis tells of changed keys to connections that speak RESP2 (redis.io/docs/latest/develop/reference/client-side-caching). */
const invalidations = '__redis__:invalidate'
/** A connection that is told nothing looks like one that nothing can be told on: it is tried this often. */
const heartbeatMs = 500
/**
 * Heartbeats without an answer, one after the other, until it is given up. One says little on a machine that stalls; and while the
 * connection is made anew, a living holder of a lease looks dead.
 */
const maxMissed = 2

/**
 * Redis tells of every key that anybody changes, deletes, or lets end: client-side caching in broadcasting mode, on a connection of its
 * own to each node. The same connection shows that this process lives: when it dies, Redis counts one subscriber less.
 *
 * A server or user that allows no tracking is no fault: then no change is told, and every call asks.
 */
export function openRedisChangeFeed(client: Redis | Cluster, target: RedisTarget, instance: string): RedisChangeFeed {
  const watchers = createChangeListeners()
  const trackers = new Map<Redis | 'only', Tracker>()
  /** Each call asks: so it is found out when it changes. */
  let isComplete = false
  const look = (leftMs = 0) => {
    isComplete = trackers.size > 0 && trackers.values().every(tracker => tracker.isTold())
    watchers.publish(undefined, Math.max(leftMs, ...trackers.values().map(tracker => tracker.silentMs())))
  }

  if (client instanceof Cluster) {
    // Replicas too: one of them may be the next master.
    const follow = () => {
      const nodes = new Set(client.nodes('all'))
      let leftMs = 0
      for (const [node, tracker] of trackers) {
        if (node === 'only' || nodes.has(node)) continue
        leftMs = Math.max(leftMs, tracker.silentMs())
        tracker.close()
        trackers.delete(node)
      }
      for (const node of nodes) {
        if (!trackers.has(node)) trackers.set(node, track(node.duplicate({ ...tracking, ...ofNode }), instance, watchers, look))
      }
      look(leftMs)
    }
    for (const event of ['ready', '+node', '-node']) client.on(event, follow)
  } else {
    trackers.set('only', track(connectRedis(target, tracking) as Redis, instance, watchers, look))
  }

  return {
    isReliable: () => isComplete,
    subscribe: watchers.subscribe,
    waitForChange: watchers.waitForChange,
    close: () => {
      for (const tracker of trackers.values()) tracker.close()
    }
  }
}

/** Subscriptions are made anew by us, after the tracking that they belong to; and heartbeats say when a socket is to be given up. */
const tracking = { protocol: 2, autoResubscribe: false, enableReadyCheck: false, readOnly: false, socketTimeout: undefined } as const

/** A node's own connection begins at its first command and is not restored by itself. */
const ofNode = { lazyConnect: false, retryStrategy: reconnectDelayMs } as const

type Tracker = {
  isTold(): boolean
  /** For how long it is not known whether changes would have been told; 0 for one that has never been told any. */
  silentMs(): number
  close(): void
}

/** @param onTurn called when it is told of changes from now on, and when it is not any more */
function track(connection: Redis, instance: string, { publish, wakeWaiters }: ChangeListeners, onTurn: () => void): Tracker {
  let told = false
  let missed = 0
  let heardAtMs: number | undefined

  const begin = async () => {
    const id = await connection.client('ID')
    // To itself: RESP2 takes messages on subscribed connections only, and tracking ends with the connection that it is redirected to.
    await connection.client('TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', keyPrefix)
    const askedAtMs = performance.now()
    await connection.subscribe(invalidations, aliveChannel(instance))
    told = true
    missed = 0
    heardAtMs = askedAtMs
    onTurn()
  }
  connection.on('ready', () => {
    withTimeout(commandTimeoutMs, begin()).catch(error => {
      // Redis says no: so it stays. Without an answer in time, from one that was frozen, nothing would ever begin again.
      if (!(error instanceof ReplyError)) connection.disconnect(true)
    })
  })
  connection.on('error', () => {})
  connection.on('close', () => {
    if (!told) return
    told = false
    onTurn()
  })
  connection.on('messageBuffer', (channel: Buffer, keys: Buffer[] | null) => {
    if (channel.toString() !== invalidations) return
    // FLUSHALL names no key.
    if (keys === null) publish()
    else for (const key of keys) passOn(key.toString(), publish, wakeWaiters)
  })
  const unheard = () => {
    if (++missed >= maxMissed) connection.disconnect(true)
  }
  const heartbeat = setInterval(() => {
    if (!told) return
    const askedAtMs = performance.now()
    const heard = () => {
      missed = 0
      heardAtMs = askedAtMs
    }
    withTimeout(commandTimeoutMs, connection.ping()).then(heard, unheard)
  }, heartbeatMs).unref()

  return {
    isTold: () => told,
    silentMs: () => (heardAtMs === undefined ? 0 : performance.now() - heardAtMs),
    close: () => {
      clearInterval(heartbeat)
      connection.disconnect()
    }
  }
}

/** An owner's records are the key that ends with its name; what follows the name is a lease, a claim, or what is kept beside them. */
function passOn(key: string, tell: (owner?: string) => void, wake: (owner: string) => void): void {
  const [owner = '', rest, ...more] = key.slice(keyPrefix.length).split('}')
  // A name with a brace in it cannot be told from what follows: then it may be anybody.
  if (more.length > 0) tell()
  else if (rest === '') tell(owner)
  else wake(owner)
}

import type { Cluster, Redis } from 'ioredis'
import type { ChangeFeed } from '../../core/ports.ts'
import { withTimeout } from '../../core/util/timeout.ts'
import { type ChangeListeners, createChangeListeners } from '../change-listeners.ts'
import { commandTimeoutMs, connectRedis, isCluster, isReplyError, reconnectDelayMs } from './client.ts'
import { aliveChannel, keyPrefix } from './keys.ts'
import type { RedisClient, RedisTarget } from './target.ts'

export type RedisChangeFeed = ChangeFeed & { close(): void }

/** The channel of invalidation messages for RESP2 connections (redis.io/docs/latest/develop/reference/client-side-caching). */
const invalidationChannel = '__redis__:invalidate'
/** A quiet connection looks like a broken one, so it is pinged this often. */
const heartbeatMs = 500
/**
 * Consecutive heartbeats without a reply after which the connection is closed. One says little on a machine that stalls; and while the
 * connection is restored, a living holder of a lease looks dead.
 */
const maxMissedHeartbeats = 2

/**
 * Redis reports every key that is changed, deleted or expired, by whichever client: client-side caching in broadcasting mode, on a
 * dedicated connection to each node. The same connection shows that this process lives: when it dies, the channel loses a subscriber.
 *
 * Where the server or the ACL user does not allow tracking, no change is reported, `isReliable` stays false and every read goes to Redis.
 */
export function openRedisChangeFeed(client: Redis | Cluster, target: RedisTarget | RedisClient, instance: string): RedisChangeFeed {
  const listeners = createChangeListeners()
  const trackers = new Map<Redis | 'only', Tracker>()
  /** Read by every request, so it is computed when it changes. */
  let isReliable = false
  const onStatusChange = (removedSilenceMs = 0) => {
    isReliable = trackers.size > 0 && trackers.values().every(tracker => tracker.isTracking())
    listeners.publish(undefined, Math.max(removedSilenceMs, ...trackers.values().map(tracker => tracker.silenceMs())))
  }

  if (isCluster(client)) {
    // Replicas too: one of them may be the next master.
    const trackNodes = () => {
      const nodes = new Set(client.nodes('all'))
      let removedSilenceMs = 0
      for (const [node, tracker] of trackers) {
        if (node === 'only' || nodes.has(node)) continue
        removedSilenceMs = Math.max(removedSilenceMs, tracker.silenceMs())
        tracker.close()
        trackers.delete(node)
      }
      for (const node of nodes) {
        if (!trackers.has(node))
          trackers.set(node, track(node.duplicate({ ...trackingOptions, ...nodeOptions }), instance, listeners, onStatusChange))
      }
      onStatusChange(removedSilenceMs)
    }
    for (const event of ['ready', '+node', '-node']) client.on(event, trackNodes)
  } else {
    trackers.set('only', track(connectRedis(target, trackingOptions) as Redis, instance, listeners, onStatusChange))
  }

  return {
    isReliable: () => isReliable,
    subscribe: listeners.subscribe,
    waitForChange: listeners.waitForChange,
    close: () => {
      for (const tracker of trackers.values()) tracker.close()
    }
  }
}

/** We subscribe again ourselves, after the tracking that the subscription belongs to; and heartbeats replace the socket timeout. */
const trackingOptions = { protocol: 2, autoResubscribe: false, enableReadyCheck: false, readOnly: false, socketTimeout: undefined } as const

/** ioredis connects a duplicated cluster node at its first command, and does not reconnect it. */
const nodeOptions = { lazyConnect: false, retryStrategy: reconnectDelayMs } as const

type Tracker = {
  isTracking(): boolean
  /** Milliseconds since Redis last replied: changes in that time may not have been reported. 0 when it has never tracked. */
  silenceMs(): number
  close(): void
}

/** @param onStatusChange called when tracking starts, and when it ends */
function track(connection: Redis, instance: string, { publish, wakeWaiters }: ChangeListeners, onStatusChange: () => void): Tracker {
  let isTracking = false
  let missedHeartbeats = 0
  let lastReplyAtMs: number | undefined

  const startTracking = async () => {
    const id = await connection.client('ID')
    // Redirected to itself: RESP2 receives messages on subscribed connections only, and tracking ends with the connection it redirects to.
    await connection.client('TRACKING', 'ON', 'REDIRECT', id, 'BCAST', 'PREFIX', keyPrefix)
    const sentAtMs = performance.now()
    await connection.subscribe(invalidationChannel, aliveChannel(instance))
    isTracking = true
    missedHeartbeats = 0
    lastReplyAtMs = sentAtMs
    onStatusChange()
  }
  connection.on('ready', () => {
    withTimeout(commandTimeoutMs, startTracking()).catch(error => {
      // An error reply is final. A timeout, as of a frozen server, is not: without a reconnect nothing would start tracking again.
      if (!isReplyError(error)) connection.disconnect(true)
    })
  })
  connection.on('error', () => {})
  connection.on('close', () => {
    if (!isTracking) return
    isTracking = false
    onStatusChange()
  })
  connection.on('messageBuffer', (channel: Buffer, keys: Buffer[] | null) => {
    if (channel.toString() !== invalidationChannel) return
    // FLUSHALL names no key.
    if (keys === null) publish()
    else for (const key of keys) reportKey(key.toString(), publish, wakeWaiters)
  })
  const heartbeat = setInterval(() => {
    if (!isTracking) return
    const sentAtMs = performance.now()
    const onPong = () => {
      missedHeartbeats = 0
      lastReplyAtMs = sentAtMs
    }
    const onMissed = () => {
      if (++missedHeartbeats >= maxMissedHeartbeats) connection.disconnect(true)
    }
    withTimeout(commandTimeoutMs, connection.ping()).then(onPong, onMissed)
  }, heartbeatMs).unref()

  return {
    isTracking: () => isTracking,
    silenceMs: () => (lastReplyAtMs === undefined ? 0 : performance.now() - lastReplyAtMs),
    close: () => {
      clearInterval(heartbeat)
      connection.disconnect()
    }
  }
}

/** The key of an owner's records ends with the hash tag; a suffix after it names a lease, claim or value. */
function reportKey(key: string, publish: (owner?: string) => void, wakeWaiters: (owner: string) => void): void {
  const [owner = '', suffix, ...more] = key.slice(keyPrefix.length).split('}')
  // A brace in the name makes it ambiguous where the suffix begins: the change may be any owner's.
  if (more.length > 0) publish()
  else if (suffix === '') publish(owner)
  else wakeWaiters(owner)
}

import { type Cluster, Command, type Redis } from 'ioredis'
import { withTimeout } from '../../core/util/timeout.ts'
import { replicationUnconfirmed } from '../errors.ts'
import { connectRedis, isCluster, isReplyError, reconnectDelayMs } from './client.ts'
import { ownerKey, replicationMarkerKey } from './keys.ts'
import type { RedisClient, RedisTarget } from './target.ts'

export type RedisReplicas = {
  /** See `Store.confirmReplicated`. */
  confirm(owner: string): Promise<void>
  close(): void
}

/** How long WAIT blocks for a replica to acknowledge. A replica that follows does so in a round trip. */
const waitTimeoutMs = 400
/** For all of it, including a new connection: below the port's second. */
const deadlineMs = 900
const checkIntervalMs = 10_000
/**
 * A replica seen within this time may still be promoted: neither Sentinel nor Cluster promotes one that was disconnected from its master
 * for much longer than they need to detect that the master is gone (redis.io/docs/latest/operate/oss_and_stack/management/sentinel).
 */
const replicaExpectedMs = 10 * 60_000

/**
 * Waits until a replica has a write, where there is a replica. On connections of its own: WAIT blocks all later commands of its
 * connection. A user who has no right to WAIT or INFO does not wait.
 */
export function openRedisReplicas(client: Redis | Cluster, target: RedisTarget | RedisClient, description: string): RedisReplicas {
  /** When each master last had a replica, by its replication id: a promoted replica has a new id. */
  const replicaSeenAtMs = new Map<string, number>()
  const waiters = new Map<Redis | 'only', ReplicationWaiter>()

  const masters = (): Redis[] => (isCluster(client) ? client.nodes('master') : [client])

  /** @returns whether the master has a replica, or had one recently */
  async function hasReplica(master: Redis): Promise<boolean> {
    const info = await master.info('replication')
    const id = /master_replid:(\w+)/.exec(info)?.[1] ?? ''
    const nowMs = performance.now()
    if (Number(/connected_slaves:(\d+)/.exec(info)?.[1]) > 0) replicaSeenAtMs.set(id, nowMs)
    for (const [seenId, seenAtMs] of replicaSeenAtMs) if (nowMs - seenAtMs > replicaExpectedMs) replicaSeenAtMs.delete(seenId)
    return replicaSeenAtMs.has(id)
  }

  const checkMasters = () => {
    for (const master of masters()) if (master.status === 'ready') hasReplica(master).catch(() => {})
  }
  client.on('ready', checkMasters)
  const checks = setInterval(checkMasters, checkIntervalMs).unref()

  /** The waiter of the master that has the owner's records; opens its connection at first use. */
  function waiterFor(owner: string): ReplicationWaiter {
    const master = isCluster(client) ? masterOf(client, ownerKey(owner)) : 'only'
    if (master === undefined) throw replicationUnconfirmed(new Error(`${description}: no node has the slot`))
    for (const [other, waiter] of waiters) {
      if (other === 'only' || masters().includes(other)) continue
      waiter.close()
      waiters.delete(other)
    }
    const known = waiters.get(master)
    if (known) return known
    const connection =
      master === 'only' ? (connectRedis(target) as Redis) : master.duplicate({ lazyConnect: false, retryStrategy: reconnectDelayMs })
    const waiter = openReplicationWaiter(connection, hasReplica)
    waiters.set(master, waiter)
    return waiter
  }

  return {
    async confirm(owner) {
      let reason = 'no replica has confirmed a write'
      const isConfirmed = await withTimeout(deadlineMs, waiterFor(owner).wait(owner)).catch((error: Error) => {
        reason = error.message
        return isReplyError(error)
      })
      if (!isConfirmed) throw replicationUnconfirmed(new Error(`${description}: ${reason}`))
    },

    close() {
      clearInterval(checks)
      for (const waiter of waiters.values()) waiter.close()
    }
  }
}

type ReplicationWaiter = {
  /** @returns whether a replica has the writes of this owner up to now, or there is no replica */
  wait(owner: string): Promise<boolean>
  close(): void
}

function openReplicationWaiter(connection: Redis, hasReplica: (master: Redis) => Promise<boolean>): ReplicationWaiter {
  connection.on('error', () => {})
  const untilReady = () =>
    new Promise<void>(resolve => (connection.status === 'ready' ? resolve() : void connection.once('ready', () => resolve())))
  let running: Promise<boolean> | undefined
  let next: Promise<boolean> | undefined

  async function writeAndWait(owner: string): Promise<boolean> {
    await untilReady()
    if (!(await hasReplica(connection))) return true
    // WAIT covers the writes of its own connection only. Replication is ordered: a write here comes after the writes to be confirmed.
    await connection.set(replicationMarkerKey(owner), '', 'PX', 1000)
    return (await connection.wait(1, waitTimeoutMs)) > 0
  }

  /** Callers that come while a wait is running share the next one: its marker comes after all their writes. */
  function wait(owner: string): Promise<boolean> {
    if (!running) {
      running = writeAndWait(owner).finally(() => {
        running = undefined
      })
      return running
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined
        return wait(owner)
      })
    return next
  }

  return { wait, close: () => connection.disconnect() }
}

/** The master of the key's slot. */
function masterOf(cluster: Cluster, key: string): Redis | undefined {
  const [address] = cluster.slots[new Command('get', [key]).getSlot()] ?? []
  return cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address)
}

import { Cluster, Command, type Redis, ReplyError } from 'ioredis'
import { withTimeout } from '../../core/util/timeout.ts'
import { replicationUnconfirmed } from '../errors.ts'
import { connectRedis, reconnectDelayMs } from './client.ts'
import { ownerKey, replicationMarkerKey } from './keys.ts'
import type { RedisTarget } from './target.ts'

export type RedisReplicas = {
  /** See `Store.confirmReplicated`. */
  confirm(owner: string): Promise<void>
  close(): void
}

/** How long a replica has to say that it has a write. One that follows does so in a round trip. */
const patienceMs = 400
/** For all of it, a new connection included: below the port's second. */
const deadlineMs = 900
const lookEveryMs = 10_000
/**
 * A replica that was there so short a time ago may be made the master: neither Sentinel nor Cluster takes one that was without its master
 * for much longer than they need to find out that it is gone (redis.io/docs/latest/operate/oss_and_stack/management/sentinel).
 */
const expectedForMs = 10 * 60_000

/**
 * Waits until a replica has a write, where there is one. On a connection of its own: WAIT holds up whatever is said on its connection
 * after it. Who may not say WAIT or INFO goes on without.
 */
export function openRedisReplicas(client: Redis | Cluster, target: RedisTarget, description: string): RedisReplicas {
  /** When a master was last seen to have a replica, by its replication id: one that has become the master has another. */
  const seenAtMs = new Map<string, number>()
  const waiters = new Map<Redis | 'only', Waiter>()

  const masters = (): Redis[] => (client instanceof Cluster ? client.nodes('master') : [client])

  /** @returns whether there is a replica, or should be. */
  async function isFollowed(node: Redis): Promise<boolean> {
    const info = await node.info('replication')
    const id = /master_replid:(\w+)/.exec(info)?.[1] ?? ''
    const nowMs = performance.now()
    if (Number(/connected_slaves:(\d+)/.exec(info)?.[1]) > 0) seenAtMs.set(id, nowMs)
    for (const [old, atMs] of seenAtMs) if (nowMs - atMs > expectedForMs) seenAtMs.delete(old)
    return seenAtMs.has(id)
  }

  const look = () => {
    for (const node of masters()) if (node.status === 'ready') isFollowed(node).catch(() => {})
  }
  client.on('ready', look)
  const looking = setInterval(look, lookEveryMs).unref()

  /** The server that has the owner's records, by a connection for this alone, from the first time on. */
  function waiterFor(owner: string): Waiter {
    const node = client instanceof Cluster ? nodeOf(client, ownerKey(owner)) : 'only'
    if (node === undefined) throw replicationUnconfirmed(new Error(`${description}: no node has the slot`))
    for (const [other, waiter] of waiters) {
      if (other === 'only' || masters().includes(other)) continue
      waiter.close()
      waiters.delete(other)
    }
    const known = waiters.get(node)
    if (known) return known
    const connection =
      node === 'only' ? (connectRedis(target) as Redis) : node.duplicate({ lazyConnect: false, retryStrategy: reconnectDelayMs })
    const waiter = openWaiter(connection, isFollowed)
    waiters.set(node, waiter)
    return waiter
  }

  return {
    // What was written stands, whatever this comes to.
    async confirm(owner) {
      let reason = 'no replica has confirmed a write'
      const isConfirmed = await withTimeout(deadlineMs, waiterFor(owner).wait(owner)).catch((error: Error) => {
        reason = error.message
        return error instanceof ReplyError
      })
      if (!isConfirmed) throw replicationUnconfirmed(new Error(`${description}: ${reason}`))
    },

    close() {
      clearInterval(looking)
      for (const waiter of waiters.values()) waiter.close()
    }
  }
}

type Waiter = { wait(owner: string): Promise<boolean>; close(): void }

function openWaiter(connection: Redis, isFollowed: (node: Redis) => Promise<boolean>): Waiter {
  connection.on('error', () => {})
  const ready = () =>
    new Promise<void>(resolve => (connection.status === 'ready' ? resolve() : void connection.once('ready', () => resolve())))
  let running: Promise<boolean> | undefined
  let next: Promise<boolean> | undefined

  async function ask(owner: string): Promise<boolean> {
    await ready()
    if (!(await isFollowed(connection))) return true
    // WAIT speaks of what its own connection has written, and replicas take all writes in one order: one of ours, behind the others.
    await connection.set(replicationMarkerKey(owner), '', 'PX', 1000)
    return (await connection.wait(1, patienceMs)) > 0
  }

  /** Of those that come while one is waited for, one waits for all: what it writes is behind what they have written. */
  function wait(owner: string): Promise<boolean> {
    if (!running) {
      running = ask(owner).finally(() => {
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

/** The master of the slot that the key is in. */
function nodeOf(cluster: Cluster, key: string): Redis | undefined {
  const [address] = cluster.slots[new Command('get', [key]).getSlot()] ?? []
  return cluster.nodes('master').find(({ options: { host, port } }) => `${host}:${port}` === address)
}

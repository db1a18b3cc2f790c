import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { Store } from '../../src/core/ports.ts'
import { freePort, type RedisServer, startRedis } from '../support/redis.ts'

/** Tries again until the check is true, for state that other processes reach in their own time and announce to nobody. */
export async function eventually(what: string, check: () => Promise<boolean>, withinMs = 8000): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`)
    await sleep(10)
  }
}

/** For `eventually`: whether the store works by now. */
export const works = (store: Store) => (): Promise<boolean> =>
  store.ping().then(
    () => true,
    () => false
  )

/** Says commands to one server, as an administrator would. */
export async function administer<T>({ port, ca }: { port: number; ca?: Buffer }, work: (say: Redis['call']) => Promise<T>): Promise<T> {
  const client = new Redis(port, '127.0.0.1', { enableReadyCheck: false, ...(ca === undefined ? {} : { tls: { ca } }) })
  try {
    return await work(client.call.bind(client))
  } finally {
    client.disconnect()
  }
}

/** Three masters that share the slots. */
export async function startCluster(t: Test): Promise<{ url: string; nodes: RedisServer[] }> {
  const busPorts = await Promise.all([freePort(), freePort(), freePort()])
  const nodes = await Promise.all(
    busPorts.map(bus => startRedis(t, ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-node-timeout', '2000']))
  )
  const slots = [0, 5461, 10_923, 16_384]
  for (const [i, node] of nodes.entries()) {
    await administer(node, async say => {
      await say('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      await say('CLUSTER', 'ADDSLOTSRANGE', slots[i] ?? 0, (slots[i + 1] ?? 0) - 1)
      for (const [j, other] of nodes.entries()) if (j < i) await say('CLUSTER', 'MEET', '127.0.0.1', other.port, busPorts[j] ?? 0)
    })
  }
  for (const node of nodes) {
    await administer(node, say =>
      eventually('the cluster has formed', async () => /state:ok[\s\S]*assigned:16384/.test(String(await say('CLUSTER', 'INFO'))))
    )
  }
  return { url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, nodes }
}

/** Waits until the replica has all that was written to its master so far; replication is asynchronous. */
export const replicated = (master: RedisServer): Promise<void> =>
  administer(master, say =>
    eventually('the replica follows', async () => {
      await say('SET', 'latest', 'write')
      return (await say('WAIT', 1, 100)) === 1
    })
  )

/** A master, a replica of it, and a sentinel that makes the replica the master soon after the master is gone. */
export async function startSentinel(t: Test): Promise<{ url: string; master: RedisServer; sentinel: RedisServer }> {
  const [master, replica, sentinel] = await Promise.all([
    startRedis(t, ['--repl-diskless-sync-delay', '0']),
    startRedis(t),
    startRedis(t, ['--sentinel'])
  ])
  // Said to a running server it happens at once; on the command line it would wait for the next turn of a slow clock.
  await administer(replica, say => say('REPLICAOF', '127.0.0.1', master.port))
  await replicated(master)
  await administer(sentinel, async say => {
    await say('SENTINEL', 'MONITOR', 'main', '127.0.0.1', master.port, 1)
    await say('SENTINEL', 'SET', 'main', 'down-after-milliseconds', 300)
    await eventually('the sentinel knows the replica', async () => ((await say('SENTINEL', 'REPLICAS', 'main')) as unknown[]).length === 1)
  })
  return { url: `redis+sentinel://127.0.0.1:${sentinel.port}/main`, master, sentinel }
}

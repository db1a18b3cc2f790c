import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { GatewayError } from '../../../src/core/errors.ts'
import type { Store } from '../../../src/core/ports.ts'
import { freePort } from '../../support/free-port.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'

const patienceMs = 60_000

/**
 * Tries again until the check is true, for state that other processes reach in their own time and announce to nobody. It fails
 * when that is never; how soon is not what it asserts, and depends on the machine.
 */
export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${patienceMs} ms: ${what}`)
    await sleep(10)
  }
}

/** For `eventually`: whether the store works by now. */
export const works = (store: Store) => (): Promise<boolean> =>
  store.ping().then(
    () => true,
    () => false
  )

/**
 * What a call is rejected with, as soon as that is for this cause: while a first connection is under way, the cause is that there is
 * none yet. An answer is an error.
 */
export async function unavailable(cause: RegExp, call: () => Promise<unknown>): Promise<GatewayError> {
  let error: unknown
  await eventually(`it is unavailable for the cause ${cause}`, async () => {
    error = await call().catch((error: unknown) => error)
    if (!(error instanceof GatewayError)) throw new Error('it is not unavailable', { cause: error })
    return cause.test(String(error.cause))
  })
  return error as GatewayError
}

export const isMaster = (server: RedisServer): Promise<boolean> =>
  administer(server, async say => ((await say('ROLE')) as string[])[0] === 'master')

/** Says commands to one server, as an administrator would. */
export async function administer<T>(
  { port, ca, password }: { port: number; ca?: Buffer; password?: string },
  work: (say: Redis['call']) => Promise<T>
): Promise<T> {
  const signIn = password === undefined ? {} : { password }
  const client = new Redis(port, '127.0.0.1', { enableReadyCheck: false, ...signIn, ...(ca === undefined ? {} : { tls: { ca } }) })
  try {
    return await work(client.call.bind(client))
  } finally {
    client.disconnect()
  }
}

type RedisCluster = {
  url: string
  nodes: RedisServer[]
  /** From now on, how long a node is silent until these take it for gone. */
  nodeTimeout(ms: number, of?: readonly RedisServer[]): Promise<void>
}

/**
 * Three masters that share the slots, and replicas of each behind them in `nodes`.
 *
 * @param nodeTimeoutMs how long a node is silent until it is taken for gone. One that a busy machine does not let run for so long is as
 * well, and without replicas the whole Cluster then refuses every call.
 */
export async function startCluster(t: Test, { replicas = 0, nodeTimeoutMs = 30_000 } = {}): Promise<RedisCluster> {
  const busPorts = await Promise.all(Array.from({ length: 3 + 3 * replicas }, freePort))
  const flags = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeoutMs}`, '--repl-diskless-sync-delay', '0']
  const nodes = await Promise.all(busPorts.map(bus => startRedis(t, [...flags, '--cluster-port', `${bus}`])))
  const [masters, others] = [nodes.slice(0, 3), nodes.slice(3)]
  const slots = [0, 5461, 10_923, 16_384]
  for (const [i, node] of nodes.entries()) {
    await administer(node, async say => {
      await say('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      if (masters.includes(node)) await say('CLUSTER', 'ADDSLOTSRANGE', slots[i] ?? 0, (slots[i + 1] ?? 0) - 1)
      for (const [j, other] of nodes.entries()) if (j < i) await say('CLUSTER', 'MEET', '127.0.0.1', other.port, busPorts[j] ?? 0)
    })
  }
  const formed = new RegExp(`state:ok[^]*assigned:16384[^]*known_nodes:${nodes.length}`)
  for (const node of nodes) {
    await administer(node, say => eventually('the cluster has formed', async () => formed.test(String(await say('CLUSTER', 'INFO')))))
  }
  const ids = await Promise.all(masters.map(master => administer(master, say => say('CLUSTER', 'MYID'))))
  await Promise.all(others.map((node, i) => administer(node, say => say('CLUSTER', 'REPLICATE', String(ids[i % 3])))))
  for (const master of masters) {
    await administer(master, say => eventually('the replicas follow', async () => Number(await say('WAIT', replicas, 100)) >= replicas))
  }
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    nodeTimeout: async (ms, of = nodes) => {
      for (const node of of) await administer(node, say => say('CONFIG', 'SET', 'cluster-node-timeout', ms))
    }
  }
}

/** Waits until the replicas have all that was written to their master so far; replication is asynchronous. */
export const replicated = (master: RedisServer, replicas = 1): Promise<void> =>
  administer(master, say =>
    eventually('the replicas follow', async () => {
      await say('SET', 'latest', 'write')
      return Number(await say('WAIT', replicas, 100)) >= replicas
    })
  )

type SentinelSet = {
  url: string
  master: RedisServer
  replicas: RedisServer[]
  sentinel: RedisServer
  /** From now on, how long a master is silent until it is taken for gone. */
  downAfter(ms: number): Promise<void>
}

/**
 * A master, replicas of it, and sentinels that make one of them the master soon after the master is gone.
 *
 * @param downAfterMs how soon. A master that a busy machine does not let run for so long is taken for gone as well.
 */
export async function startSentinel(t: Test, { replicas = 1, sentinels = 1, downAfterMs = 300 } = {}): Promise<SentinelSet> {
  const [master, watchers, others] = await Promise.all([
    startRedis(t, ['--repl-diskless-sync-delay', '0']),
    Promise.all(Array.from({ length: sentinels }, () => startRedis(t, ['--sentinel']))),
    Promise.all(Array.from({ length: replicas }, () => startRedis(t, ['--repl-diskless-sync-delay', '0'])))
  ])
  // Said to a running server it happens at once; on the command line it would wait for the next turn of a slow clock.
  await Promise.all(others.map(replica => administer(replica, say => say('REPLICAOF', '127.0.0.1', master.port))))
  await replicated(master, replicas)
  const quorum = Math.floor(sentinels / 2) + 1
  const downAfter = async (ms: number) => {
    for (const watcher of watchers) await administer(watcher, say => say('SENTINEL', 'SET', 'main', 'down-after-milliseconds', ms))
  }
  for (const watcher of watchers) {
    await administer(watcher, async say => {
      await say('SENTINEL', 'MONITOR', 'main', '127.0.0.1', master.port, quorum)
      // Sentinels that could not agree on one of them try again after twice this time, of which the default is three minutes.
      await say('SENTINEL', 'SET', 'main', 'failover-timeout', 2000)
    })
  }
  await downAfter(downAfterMs)
  for (const watcher of watchers) {
    await administer(watcher, say =>
      eventually('the sentinels know the replicas and each other', async () => {
        const known = ['REPLICAS', 'SENTINELS'].map(async what => ((await say('SENTINEL', what, 'main')) as unknown[]).length)
        return (await Promise.all(known)).join() === `${replicas},${sentinels - 1}`
      })
    )
  }
  const url = `redis+sentinel://${watchers.map(({ port }) => `127.0.0.1:${port}`).join(',')}/main`
  return { url, master, replicas: others, sentinel: watchers[0] as RedisServer, downAfter }
}

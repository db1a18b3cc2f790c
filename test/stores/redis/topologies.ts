import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { GatewayError } from '../../../src/core/errors.ts'
import type { Store } from '../../../src/core/ports.ts'
import { freePort } from '../../support/free-port.ts'
import { type RedisServer, startRedis } from '../../support/redis.ts'

const timeoutMs = 60_000

/**
 * Retries until the check is true, for state of other processes that nothing announces. It asserts that the state is reached, and not
 * how soon, which depends on the machine.
 */
export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs
  while (!(await check())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await sleep(10)
  }
}

/** @returns whether the promise is fulfilled */
export const succeeds = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => true,
    () => false
  )

/** For `eventually`. */
export const pingSucceeds = (store: Store) => (): Promise<boolean> => succeeds(store.ping())

export const untilReliable = ({ changes }: Store): Promise<void> =>
  eventually('the change feed is reliable', async () => changes.isReliable())

/**
 * Retries the call until it is rejected for this cause: until the first connection attempt ends, the cause is that there is none yet.
 * @returns the error
 * @throws when the call succeeds or fails otherwise
 */
export async function eventuallyUnavailable(cause: RegExp, call: () => Promise<unknown>): Promise<GatewayError> {
  let error: unknown
  await eventually(`the store is unavailable for the cause ${cause}`, async () => {
    error = await call().catch((error: unknown) => error)
    if (!(error instanceof GatewayError)) throw new Error('the store is not unavailable', { cause: error })
    return cause.test(String(error.cause))
  })
  return error as GatewayError
}

export const isMaster = (server: RedisServer): Promise<boolean> =>
  administer(server, async command => ((await command('ROLE')) as string[])[0] === 'master')

/** Sends commands to one server, on a connection of its own. */
export async function administer<T>(
  { port, ca, password }: { port: number; ca?: Buffer; password?: string },
  work: (command: Redis['call']) => Promise<T>
): Promise<T> {
  const credentials = password === undefined ? {} : { password }
  const client = new Redis(port, '127.0.0.1', { enableReadyCheck: false, ...credentials, ...(ca === undefined ? {} : { tls: { ca } }) })
  try {
    return await work(client.call.bind(client))
  } finally {
    client.disconnect()
  }
}

type RedisCluster = {
  url: string
  nodes: RedisServer[]
  /** Changes how long a node is silent until these nodes consider it down. */
  nodeTimeout(ms: number, of?: readonly RedisServer[]): Promise<void>
}

/**
 * Starts three masters that share the slots, and their replicas, which follow them in `nodes`.
 *
 * @param nodeTimeoutMs how long a node is silent until it is considered down. That includes a node that a busy machine does not run for
 * this long, and without replicas the whole Cluster then rejects every command.
 */
export async function startCluster(t: Test, { replicas = 0, nodeTimeoutMs = 30_000 } = {}): Promise<RedisCluster> {
  const busPorts = await Promise.all(Array.from({ length: 3 + 3 * replicas }, freePort))
  const flags = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeoutMs}`, '--repl-diskless-sync-delay', '0']
  const nodes = await Promise.all(busPorts.map(bus => startRedis(t, [...flags, '--cluster-port', `${bus}`])))
  const [masters, replicaNodes] = [nodes.slice(0, 3), nodes.slice(3)]
  const slots = [0, 5461, 10_923, 16_384]
  for (const [i, node] of nodes.entries()) {
    await administer(node, async command => {
      await command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      if (masters.includes(node)) await command('CLUSTER', 'ADDSLOTSRANGE', slots[i] ?? 0, (slots[i + 1] ?? 0) - 1)
      for (const [j, other] of nodes.entries()) if (j < i) await command('CLUSTER', 'MEET', '127.0.0.1', other.port, busPorts[j] ?? 0)
    })
  }
  const formed = new RegExp(`state:ok[^]*assigned:16384[^]*known_nodes:${nodes.length}`)
  for (const node of nodes) {
    await administer(node, command =>
      eventually('the cluster has formed', async () => formed.test(String(await command('CLUSTER', 'INFO'))))
    )
  }
  const ids = await Promise.all(masters.map(master => administer(master, command => command('CLUSTER', 'MYID'))))
  await Promise.all(replicaNodes.map((node, i) => administer(node, command => command('CLUSTER', 'REPLICATE', String(ids[i % 3])))))
  for (const master of masters) {
    await administer(master, command =>
      eventually('the replicas follow', async () => Number(await command('WAIT', replicas, 100)) >= replicas)
    )
  }
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    nodeTimeout: async (ms, of = nodes) => {
      for (const node of of) await administer(node, command => command('CONFIG', 'SET', 'cluster-node-timeout', ms))
    }
  }
}

/** Waits until the replicas have all writes to their master so far; replication is asynchronous. */
export const untilReplicated = (master: RedisServer, replicas = 1): Promise<void> =>
  administer(master, command =>
    eventually('the replicas follow', async () => {
      await command('SET', 'latest', 'write')
      return Number(await command('WAIT', replicas, 100)) >= replicas
    })
  )

type SentinelSet = {
  url: string
  master: RedisServer
  replicas: RedisServer[]
  sentinel: RedisServer
  /** Changes how long a master is silent until it is considered down. */
  downAfter(ms: number): Promise<void>
}

/**
 * Starts a master, its replicas, and sentinels that promote a replica when the master is down.
 *
 * @param downAfterMs how long a master is silent until it is considered down, including one that a busy machine does not run
 */
export async function startSentinel(t: Test, { replicas = 1, sentinels = 1, downAfterMs = 300 } = {}): Promise<SentinelSet> {
  const [master, sentinelServers, replicaServers] = await Promise.all([
    startRedis(t, ['--repl-diskless-sync-delay', '0']),
    Promise.all(Array.from({ length: sentinels }, () => startRedis(t, ['--sentinel']))),
    Promise.all(Array.from({ length: replicas }, () => startRedis(t, ['--repl-diskless-sync-delay', '0'])))
  ])
  // A running server replicates at once; with the command line option it would wait for its next cron cycle.
  await Promise.all(replicaServers.map(replica => administer(replica, command => command('REPLICAOF', '127.0.0.1', master.port))))
  await untilReplicated(master, replicas)
  const quorum = Math.floor(sentinels / 2) + 1
  const downAfter = async (ms: number) => {
    for (const server of sentinelServers)
      await administer(server, command => command('SENTINEL', 'SET', 'main', 'down-after-milliseconds', ms))
  }
  for (const server of sentinelServers) {
    await administer(server, async command => {
      await command('SENTINEL', 'MONITOR', 'main', '127.0.0.1', master.port, quorum)
      // Sentinels that could not agree on a leader retry after twice this time; the default is three minutes.
      await command('SENTINEL', 'SET', 'main', 'failover-timeout', 2000)
    })
  }
  await downAfter(downAfterMs)
  for (const server of sentinelServers) {
    await administer(server, command =>
      eventually('the sentinels know the replicas and each other', async () => {
        const counts = ['REPLICAS', 'SENTINELS'].map(async what => ((await command('SENTINEL', what, 'main')) as unknown[]).length)
        return (await Promise.all(counts)).join() === `${replicas},${sentinels - 1}`
      })
    )
  }
  const url = `redis+sentinel://${sentinelServers.map(({ port }) => `127.0.0.1:${port}`).join(',')}/main`
  return { url, master, replicas: replicaServers, sentinel: sentinelServers[0] as RedisServer, downAfter }
}

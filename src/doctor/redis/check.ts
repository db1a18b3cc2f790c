import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { connectRedis, isCluster } from '../../stores/redis/client.ts'
import { createReadyWait } from '../../stores/redis/ready.ts'
import { openRedisReplicas } from '../../stores/redis/replicas.ts'
import type { RedisTarget } from '../../stores/redis/target.ts'
import type { DoctorContext } from '../context.ts'
import type { Check, Reporter } from '../finding.ts'
import { cureOf } from './connection-cure.ts'
import { describeError, infoOf, isRefused } from './replies.ts'
import { reportRights } from './rights.ts'
import { reportSentinels } from './sentinels.ts'
import { reportServer } from './server.ts'

const connectTimeoutMs = 2_500

type RedisCheckOptions = Pick<DoctorContext, 'clock'> & {
  readonly target: RedisTarget
  /** For checks that need the store. Only the first call counts. */
  readonly onConnected: (isConnected: boolean) => void
}

/** Whether the Redis of `REDIS_URL` can be reached and keeps what it is given. */
export const redisCheck = ({ clock, target, onConnected }: RedisCheckOptions): Check => ({
  area: 'store',
  subject: target.displayUrl,
  async run(report, signal) {
    const client = connectRedis(target)
    signal.addEventListener('abort', () => client.disconnect())
    try {
      const options = { timeoutMs: connectTimeoutMs, signal }
      const [isConnected] = await Promise.all([
        connect(report, client, target),
        target.kind === 'sentinel' ? reportSentinels(report, target, options) : undefined
      ])
      if (!isConnected) return
      if (isCluster(client)) await reportCluster(report, client)
      else if (!(await isServerWithDatabase(report, client, target))) return
      onConnected(true)
      const masters = isCluster(client) ? client.nodes('master') : [client]
      for (const master of masters) {
        const { host, port } = master.options
        const about = masters.length > 1 ? report.about(`node ${host}:${port}`) : report
        await reportServer(about, master, { clock, expectsReplicas: target.kind !== 'single' })
      }
      await reportRights(report, client, target)
      await reportReplication(report, client, target)
    } catch (error) {
      const reason = describeError(error)
      report.error(`a command failed: ${reason}`, cureOf(reason, target))
    } finally {
      onConnected(false)
      client.disconnect()
    }
  }
})

async function connect(report: Reporter, client: Redis | Cluster, target: RedisTarget): Promise<boolean> {
  try {
    await createReadyWait(client, connectTimeoutMs)()
    report.ok('is reachable')
    return true
  } catch (error) {
    const reason = describeError(error)
    report.error(`cannot be used: ${reason}`, cureOf(reason, target))
    return false
  }
}

/** Whether it is a server alone and has the database: ioredis reports a refused SELECT, and goes on in database 0. */
async function isServerWithDatabase(report: Reporter, client: Redis, { db, kind }: RedisTarget): Promise<boolean> {
  const info = infoOf(await client.info('server').catch(() => ''))
  const mode = info.get('redis_mode')
  if (mode === 'cluster') report.error('is a node of a Cluster', 'Use redis+cluster:// in REDIS_URL, with some of its nodes.')
  if (mode === 'sentinel') report.error('is a sentinel and no server', 'Use redis+sentinel://HOST:26379/MASTER in REDIS_URL.')
  if (mode === 'cluster' || mode === 'sentinel') return false
  try {
    await client.select(db)
    return true
  } catch (error) {
    if (isRefused(error) || (kind === 'single' && db === 0)) return true
    report.error(`has no database ${db}: ${describeError(error)}`, 'Correct the number at the end of REDIS_URL; most servers have 0 to 15.')
    return false
  }
}

async function reportCluster(report: Reporter, cluster: Cluster): Promise<void> {
  try {
    const info = infoOf(String(await cluster.call('CLUSTER', 'INFO')))
    const [state, slots] = [info.get('cluster_state'), info.get('cluster_slots_ok')]
    if (state === 'ok' && slots === '16384') report.ok('the Cluster serves all slots')
    else
      report.error(
        `the Cluster’s state is ${state}, and it serves ${slots} of 16384 slots`,
        'Bring the missing nodes back: redis-cli --cluster check HOST:PORT.'
      )
  } catch (error) {
    if (!isRefused(error)) throw error
    report.warning(
      'CLUSTER INFO is refused, so the state of the Cluster cannot be read',
      'ACL SETUSER USER +cluster|info, with its user for USER.'
    )
  }
}

/** As at a sign-out: with a marker of its own, which expires within a second. Twice, since a replica may be busy for a moment. */
async function reportReplication(report: Reporter, client: Redis | Cluster, target: RedisTarget): Promise<void> {
  const replicas = openRedisReplicas(client, target, 'Redis')
  const confirm = () => replicas.confirm(`check-${randomUUID()}`)
  try {
    await confirm().catch(confirm)
  } catch {
    report.error(
      'no replica confirms a write within 400 ms: sign-out and disconnect get 503',
      'Bring the replica back, or look at its connection: redis-cli INFO replication.'
    )
  } finally {
    replicas.close()
  }
}

import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { openRedisChangeFeed } from '../../stores/redis/change-feed.ts'
import { connectRedis, isCluster } from '../../stores/redis/client.ts'
import { valueKey } from '../../stores/redis/keys.ts'
import type { RedisTarget } from '../../stores/redis/target.ts'
import { pollUntil } from '../../stores/wait-for-store.ts'
import type { Reporter } from '../finding.ts'
import { cureOf } from './connection-cure.ts'
import { describeError, isRefused } from './replies.ts'

/** Of the only key that is written. It is deleted, and expires if that fails. */
const ttlMs = 10_000
const feedTimeoutMs = 2_500
const unknownScript = '0'.repeat(40)

type Right = { readonly right: string; readonly args: (key: string) => readonly [command: string, ...args: Array<string | number>] }

/**
 * The commands of the store. Rights are checked before types: the key holds text that is no number, so that each command is either refused for
 * lack of rights or changes nothing.
 */
const required: readonly Right[] = [
  { right: '+get', args: key => ['GET', key] },
  { right: '+exists', args: key => ['EXISTS', key] },
  { right: '+pttl', args: key => ['PTTL', key] },
  { right: '+pexpire', args: key => ['PEXPIRE', key, ttlMs] },
  { right: '+hget', args: key => ['HGET', key, 'field'] },
  { right: '+hmget', args: key => ['HMGET', key, 'field'] },
  { right: '+hgetall', args: key => ['HGETALL', key] },
  { right: '+hset', args: key => ['HSET', key, 'field', 'value'] },
  { right: '+hdel', args: key => ['HDEL', key, 'field'] },
  { right: '+incr', args: key => ['INCR', key] },
  { right: '+eval', args: key => ['EVAL', 'return 1', 1, key] },
  { right: '+evalsha', args: key => ['EVALSHA', unknownScript, 1, key] },
  { right: '+del', args: key => ['DEL', key] }
]

type Optional = { readonly rights: readonly Right[]; readonly without: string }

const optional: readonly Optional[] = [
  {
    rights: [{ right: '+scan', args: () => ['SCAN', '0', 'COUNT', 1, 'TYPE', 'hash'] }],
    without: 'grants of expired sessions are not revoked, and neither reseal nor the list of connections can run'
  },
  { rights: [{ right: '+wait', args: () => ['WAIT', 0, 1] }], without: 'a sign-out succeeds before a replica has it' },
  {
    rights: [{ right: '+pubsub|numsub', args: () => ['PUBSUB', 'NUMSUB', 'grantkeeper:alive:check'] }],
    without: 'a renewal whose instance was killed is taken over late'
  }
]

/** Tries each command that the store uses, as its user. */
export async function reportRights(report: Reporter, client: Redis | Cluster, target: RedisTarget): Promise<void> {
  const key = valueKey(`check-${randomUUID()}`)
  if (!(await canWrite(report, client, target, key))) return
  const missing = await refused(client, key, required)
  if (missing.length > 0) report.error(`its user may not run ${namesOf(missing)}`, grantCure(missing.map(({ right }) => right)))
  for (const { rights, without } of optional) {
    const lacking = await refused(client, key, rights)
    if (lacking.length > 0)
      report.warning(`its user may not run ${namesOf(lacking)}: ${without}`, grantCure(lacking.map(({ right }) => right)))
  }
  if (missing.length === 0) report.ok('its user has the rights that are required')
  await reportChangeFeed(report, client, target)
}

async function canWrite(report: Reporter, client: Redis | Cluster, target: RedisTarget, key: string): Promise<boolean> {
  try {
    await client.set(key, 'check', 'PX', ttlMs, 'NX')
    return true
  } catch (error) {
    const reason = describeError(error)
    if (isRefused(error)) report.error(`its user may not write: ${reason}`, grantCure(['~grantkeeper:*', '+set']))
    else report.error(`a write is refused: ${reason}`, cureOf(reason, target))
    return false
  }
}

async function refused(client: Redis | Cluster, key: string, rights: readonly Right[]): Promise<Right[]> {
  const found: Right[] = []
  for (const right of rights) {
    const [command, ...args] = right.args(key)
    // In a Cluster a command without a key runs on any node.
    await client.call(command, ...args).catch(error => {
      if (isRefused(error)) found.push(right)
    })
  }
  return found
}

/** Opens what instances have: a connection on which Redis reports changes. */
async function reportChangeFeed(report: Reporter, client: Redis | Cluster, target: RedisTarget): Promise<void> {
  // Of a Cluster, the feed learns the nodes when the client connects.
  const cluster = isCluster(client) ? connectRedis(target).on('error', () => {}) : undefined
  const feed = openRedisChangeFeed(cluster ?? client, target, `check-${randomUUID()}`)
  try {
    const isReliable = await pollUntil(async () => {
      if (!feed.isReliable()) throw new Error('not yet')
    }, feedTimeoutMs)
    if (isReliable) report.ok('reports changes, so that instances may cache what they read')
    else
      report.warning(
        'does not report changes (CLIENT TRACKING), so that every request reads it',
        grantCure([
          '&__redis__:invalidate',
          '&grantkeeper:alive:*',
          '+ping',
          '+subscribe',
          '+pubsub|numsub',
          '+client|id',
          '+client|tracking'
        ])
      )
  } finally {
    feed.close()
    cluster?.disconnect()
  }
}

const namesOf = (rights: readonly Right[]): string => rights.map(({ right }) => right.slice(1).replace('|', ' ').toUpperCase()).join(', ')

const grantCure = (rights: readonly string[]): string =>
  `ACL SETUSER USER ${rights.join(' ')}, with its user for USER. The whole command is in docs/operating.md (Redis).`

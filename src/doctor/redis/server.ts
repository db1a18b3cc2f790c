import type { Redis } from 'ioredis'
import type { Clock } from '../../core/ports.ts'
import { reportClockSkew } from '../clock-skew.ts'
import type { Reporter } from '../finding.ts'
import { describeError, fieldsOf, infoOf, isRefused } from './replies.ts'

/** Of docs/operating.md: SCAN by type, ACL users and reported changes need it. */
const minVersion = 6
/** Of `maxmemory`: writes fail when all of it is used. */
const fullRatio = 0.9
const slowMs = 50
const pings = 7

type Info = ReadonlyMap<string, string>

type ServerOptions = {
  readonly clock: Clock
  /** Whether there ought to be a replica: in a Cluster and with sentinels. */
  readonly expectsReplicas: boolean
}

/** What one server, a master, says of itself. */
export async function reportServer(report: Reporter, node: Redis, { clock, expectsReplicas }: ServerOptions): Promise<void> {
  await reportLatency(report, node)
  const info = await readInfo(report, node)
  if (!info) return
  reportVersion(report, info)
  await reportPersistence(report, node, info)
  await reportMemory(report, node, info)
  reportReplicas(report, info, expectsReplicas)
  await reportClock(report, node, info, clock)
}

async function readInfo(report: Reporter, node: Redis): Promise<Info | undefined> {
  try {
    return infoOf(await node.info())
  } catch (error) {
    if (!isRefused(error)) throw error
    report.warning(
      'INFO is refused, so version, persistence, eviction and clock cannot be read',
      'Grant +info, or verify by hand: Redis 6 or newer, appendonly yes, maxmemory-policy noeviction, clocks synchronized.'
    )
    return undefined
  }
}

async function reportLatency(report: Reporter, node: Redis): Promise<void> {
  const timesMs: number[] = []
  for (let i = 0; i < pings; i++) {
    const startMs = performance.now()
    // Without the right to PING the refusal takes as long.
    await node.ping().catch(error => {
      if (!isRefused(error)) throw error
    })
    timesMs.push(performance.now() - startMs)
  }
  const medianMs = timesMs.sort((a, b) => a - b)[Math.floor(pings / 2)] ?? 0
  const text = medianMs.toLocaleString('en-US', { maximumSignificantDigits: 2 })
  if (medianMs < slowMs) report.ok(`responds within ${text} ms (median of ${pings})`)
  else
    report.warning(
      `responds within ${text} ms (median of ${pings}), and requests wait for it; commands are given up after 500 ms`,
      'Run Redis in the same data centre, and look at its load: redis-cli --latency, SLOWLOG GET.'
    )
}

function reportVersion(report: Reporter, info: Info): void {
  const version = info.get('redis_version') ?? ''
  if (Number.parseInt(version, 10) < minVersion)
    report.error(`has the version ${version}, which is too old`, `Upgrade to Redis ${minVersion} or newer, or to Valkey.`)
  else report.ok(`has the version ${version}`)
}

/** The value of CONFIG GET. @returns `undefined` where it is refused, as on many managed services, or unknown */
async function configOf(node: Redis, name: string): Promise<string | undefined> {
  return fieldsOf(await node.call('CONFIG', 'GET', name).catch(() => [])).get(name)
}

async function reportPersistence(report: Reporter, node: Redis, info: Info): Promise<void> {
  const cure = 'Set appendonly yes (redis-cli CONFIG SET appendonly yes, then CONFIG REWRITE).'
  if (info.get('aof_last_write_status') === 'err' || info.get('rdb_last_bgsave_status') === 'err')
    report.error('its last save to the disk failed', 'Free disk space and correct the directory of Redis; its log says what failed.')
  if (info.get('aof_enabled') === '1') {
    if ((await configOf(node, 'appendfsync')) === 'no')
      report.warning('appendfsync is no: a power failure loses up to half a minute of writes', 'Set appendfsync everysec.')
    else report.ok('writes are appended to a file (appendonly yes)')
    return
  }
  const snapshots = await configOf(node, 'save')
  if (snapshots === undefined)
    report.warning(
      'appendonly is off, and CONFIG is refused: whether snapshots are saved cannot be read',
      'Verify at your service that data persist. If they do not, a restart loses all grants.'
    )
  else if (snapshots === '')
    report.warning('nothing is saved to the disk: a restart loses all grants, and all users have to connect again', cure)
  else report.warning('only snapshots are saved: a crash loses the grants that were renewed since the last one', cure)
}

async function reportMemory(report: Reporter, node: Redis, info: Info): Promise<void> {
  const policy = info.get('maxmemory_policy') ?? (await configOf(node, 'maxmemory-policy'))
  const [used, max] = [Number(info.get('used_memory')), Number(info.get('maxmemory'))]
  if (policy === undefined)
    report.warning('its maxmemory-policy cannot be read', 'Verify at your service that it is noeviction: any other deletes grants.')
  else if (policy !== 'noeviction')
    report.error(
      `maxmemory-policy is ${policy}: when memory is short, users’ grants are deleted`,
      'Set maxmemory-policy noeviction (redis-cli CONFIG SET maxmemory-policy noeviction, then CONFIG REWRITE). Caches belong on another Redis.'
    )
  else report.ok('nothing is evicted (maxmemory-policy noeviction)')
  if (max > 0 && used / max > fullRatio)
    report.warning(
      `${Math.round((used / max) * 100)} % of maxmemory is used: when it is full, writes are refused`,
      'Raise maxmemory, or move other data to another Redis.'
    )
}

function reportReplicas(report: Reporter, info: Info, expectsReplicas: boolean): void {
  if (info.get('role') === 'slave') {
    report.error('is a replica and refuses writes', 'Name its master in REDIS_URL, or the sentinels with redis+sentinel://.')
    return
  }
  const count = Number(info.get('connected_slaves') ?? 0)
  const replicas = [...info].filter(([name]) => /^slave\d+$/.test(name)).map(([, value]) => value)
  const behind = replicas.filter(replica => !/\bstate=online\b/.test(replica)).length
  if (behind > 0)
    report.warning(`${behind} of ${count} replicas do not follow yet`, 'Wait until they are online: redis-cli INFO replication.')
  else if (count > 0) report.ok(`${count === 1 ? 'one replica follows' : `${count} replicas follow`}`)
  else if (expectsReplicas)
    report.warning('has no replica that could take over', 'Add a replica, better two: the Redis section of docs/operating.md says why.')
}

async function reportClock(report: Reporter, node: Redis, info: Info, clock: Clock): Promise<void> {
  const startMs = clock.now()
  const otherMs = await timeOf(node)
  if (otherMs !== undefined) {
    reportClockSkew(report, { otherMs, ownMs: (startMs + clock.now()) / 2 })
    return
  }
  // Redis 7 and newer. It was read a moment ago: a second or so of difference does not matter.
  const microseconds = Number(info.get('server_time_usec'))
  if (microseconds > 0) reportClockSkew(report, { otherMs: microseconds / 1000, ownMs: startMs })
  else
    report.warning(
      'TIME is refused, so its clock cannot be read',
      'Grant +time for this check, or verify that both machines synchronize their clocks (NTP).'
    )
}

/** @returns milliseconds since the epoch; `undefined` where it is refused */
async function timeOf(node: Redis): Promise<number | undefined> {
  try {
    const [seconds, microseconds] = await node.time()
    return Number(seconds) * 1000 + Number(microseconds) / 1000
  } catch (error) {
    if (isRefused(error)) return undefined
    throw new Error(describeError(error))
  }
}

import type { Redis } from 'ioredis'
import { toSingleLine } from '../../core/util/display-text.ts'
import { connectRedis } from '../../stores/redis/client.ts'
import { createReadyWait } from '../../stores/redis/ready.ts'
import type { RedisTarget } from '../../stores/redis/target.ts'
import type { Reporter } from '../finding.ts'
import { cureOf } from './connection-cure.ts'
import { describeError, fieldsOf } from './replies.ts'

/** Asks each sentinel for the master. The set works while one of them knows it. */
export async function reportSentinels(
  report: Reporter,
  target: RedisTarget,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal }
) {
  await Promise.all(target.hosts.map(host => reportSentinel(report.about(`sentinel ${host.host}:${host.port}`), target, host)))

  async function reportSentinel(about: Reporter, { master, ...rest }: RedisTarget, host: RedisTarget['hosts'][number]): Promise<void> {
    // Sentinels get a password alone, as in `connectRedis`.
    const password = target.username === undefined ? target.password : undefined
    const sentinel: RedisTarget = { ...rest, kind: 'single', hosts: [host], db: 0, master: undefined, username: undefined, password }
    const client = connectRedis(sentinel, { enableReadyCheck: false }) as Redis
    signal.addEventListener('abort', () => client.disconnect())
    try {
      await createReadyWait(client, timeoutMs)()
      const address = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master ?? '')
      if (Array.isArray(address)) about.ok(`knows the master ${master} at ${toSingleLine(address.join(':'))}`)
      else {
        const names = toSingleLine((await masterNames(client)).join(', '))
        about.error(
          `knows no master named ${master}`,
          names === ''
            ? 'Correct the name after the hosts in REDIS_URL: this sentinel watches none.'
            : `Correct the name after the hosts in REDIS_URL: it knows ${names}.`
        )
      }
    } catch (error) {
      const reason = describeError(error)
      about.warning(`cannot be asked: ${reason}`, cureOf(reason, target))
    } finally {
      client.disconnect()
    }
  }
}

async function masterNames(client: Redis): Promise<string[]> {
  const masters = (await client.call('SENTINEL', 'MASTERS').catch(() => [])) as unknown
  return Array.isArray(masters) ? masters.map(fieldsOf).flatMap(fields => fields.get('name') ?? []) : []
}

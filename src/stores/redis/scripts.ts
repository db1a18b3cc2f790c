import type { ClientContext, Result } from 'ioredis'
import type { Change } from '../../core/ports.ts'
import { aliveChannel } from './keys.ts'

type Argument = string | Buffer | number

/** `presumedDead` is a holder that an earlier attempt returned, or ''. */
type LeaseArguments = [holder: string, ttlMs: number, waitedMs: number, minSilenceMs: number, presumedDead: string]

declare module 'ioredis' {
  interface RedisCommander<Context extends ClientContext> {
    grantkeeperCommit(key: string, ...change: Argument[]): Result<0 | 1, Context>
    grantkeeperAcquire(key: string, ...lease: LeaseArguments): Result<0 | 1 | string, Context>
    grantkeeperExtend(key: string, holder: string, ttlMs: number): Result<0 | 1, Context>
    grantkeeperCount(key: string, windowMs: number): Result<[count: number, endsInMs: number], Context>
    grantkeeperRelease(key: string, holder: string): Result<0 | 1, Context>
  }
}

// Redis runs scripts one at a time, and does not stop one after its first write: the whole change is done or none of it.
// HSET comes before HDEL: a hash that is empty in between would be deleted, and would come back without its TTL.
const commit = `
local owner, ttl, existing = KEYS[1], ARGV[1], ARGV[2]
local exists = (ttl == '' or existing == 'none') and redis.call('EXISTS', owner) == 1
if ttl == '' and not exists or existing == 'none' and exists then return 0 end

local puts = 4 + 3 * ARGV[3]
for i = 4, puts - 1, 3 do
  local record, expected, prefix = redis.call('HGET', owner, ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  if expected == 'absent' and record then return 0 end
  if expected == 'prefix' and (not record or string.sub(record, 1, #prefix) ~= prefix) then return 0 end
end

local removals = puts + 1 + 2 * ARGV[puts]
for i = puts + 1, removals - 1, 2 do redis.call('HSET', owner, ARGV[i], ARGV[i + 1]) end
for i = removals, #ARGV do redis.call('HDEL', owner, ARGV[i]) end
if ttl ~= '' then redis.call('PEXPIRE', owner, ttl) end
return 1
`

// Extending the lease is the holder's heartbeat. A holder without one for minSilenceMs is dead when its process no longer subscribes to
// its channel: the system closes that connection with the process, however it ended, and not when it is merely slow. The connection may
// also be reconnecting just now: so the first attempt only returns a holder that looks dead, and the lease changes hands when a second
// attempt finds it dead again. An attempt under the holder's own name succeeds again: its first reply may have been lost.
const acquire = `
local key, holder, ttl = KEYS[1], ARGV[1], tonumber(ARGV[2])
local other = redis.call('GET', key)
if other and other ~= holder then
  local minSilence = tonumber(ARGV[4])
  if tonumber(ARGV[3]) < minSilence or ttl - redis.call('PTTL', key) < minSilence then return 0 end
  local instance = string.match(other, '^[^:]+')
  if not instance then return 0 end
  local subscribers = redis.pcall('PUBSUB', 'NUMSUB', '${aliveChannel('')}' .. instance)
  if subscribers[2] ~= 0 then return 0 end
  if other ~= ARGV[5] then return other end
end
redis.call('SET', key, holder, 'PX', ttl)
return 1
`

const extend = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0
`

const release = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
`

const count = `
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { count, redis.call('PTTL', KEYS[1]) }
`

/** ioredis sends them by hash, and in full to a server that does not have them (NOSCRIPT). */
export const scripts = {
  grantkeeperCommit: { lua: commit, numberOfKeys: 1 },
  grantkeeperAcquire: { lua: acquire, numberOfKeys: 1 },
  grantkeeperExtend: { lua: extend, numberOfKeys: 1 },
  grantkeeperCount: { lua: count, numberOfKeys: 1 },
  grantkeeperRelease: { lua: release, numberOfKeys: 1 }
}

/**
 * The arguments of `grantkeeperCommit`: the TTL or '', 'none' or 'any' for the records that the owner may have, the number of
 * expectations and these, the number of puts and these, then the fields to remove.
 */
export const commitArguments = ({ expectNone, expect = [], put = [], remove = [], ttlMs }: Change): Argument[] => [
  ttlMs === undefined ? '' : wholeMs(ttlMs),
  expectNone ? 'none' : 'any',
  expect.length,
  ...expect.flatMap(([field, prefix]) => [field, prefix === undefined ? 'absent' : 'prefix', prefix ?? '']),
  put.length,
  ...put.flat(),
  ...remove
]

/** Redis takes whole milliseconds, at least one. */
export const wholeMs = (ttlMs: number): number => Math.max(1, Math.ceil(ttlMs))

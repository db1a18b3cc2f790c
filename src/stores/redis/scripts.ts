import type { ClientContext, Result } from 'ioredis'
import type { Change } from '../../core/ports.ts'
import { aliveChannel } from './keys.ts'

type Argument = string | Buffer | number

/** `lookedDead` is a holder that this one has found so before, or ''. */
type LeaseArguments = [holder: string, ttlMs: number, waitedMs: number, silenceMs: number, lookedDead: string]

declare module 'ioredis' {
  interface RedisCommander<Context extends ClientContext> {
    grantkeeperCommit(key: string, ...change: Argument[]): Result<0 | 1, Context>
    grantkeeperAcquire(key: string, ...lease: LeaseArguments): Result<0 | 1 | string, Context>
    grantkeeperExtend(key: string, holder: string, ttlMs: number): Result<0 | 1, Context>
    grantkeeperCount(key: string, windowMs: number): Result<[count: number, endsInMs: number], Context>
    grantkeeperRelease(key: string, holder: string): Result<0 | 1, Context>
  }
}

// Redis runs a script alone, and one that may write at all writes to its end: all of the change or nothing.
// Put before erase: a hash emptied in between would be deleted and would come back without an end.
const commit = `
local owner, ttl, wanted = KEYS[1], ARGV[1], ARGV[2]
local exists = (ttl == '' or wanted == 'none') and redis.call('EXISTS', owner) == 1
if ttl == '' and not exists or wanted == 'none' and exists then return 0 end

local puts = 4 + 3 * ARGV[3]
for i = 4, puts - 1, 3 do
  local record, wanted, prefix = redis.call('HGET', owner, ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  if wanted == 'absent' and record then return 0 end
  if wanted == 'prefix' and (not record or string.sub(record, 1, #prefix) ~= prefix) then return 0 end
end

local erases = puts + 1 + 2 * ARGV[puts]
for i = puts + 1, erases - 1, 2 do redis.call('HSET', owner, ARGV[i], ARGV[i + 1]) end
for i = erases, #ARGV do redis.call('HDEL', owner, ARGV[i]) end
if ttl ~= '' then redis.call('PEXPIRE', owner, ttl) end
return 1
`

// A holder says a sign of life by extending. One that has said none for a while is dead when the connection that its process
// keeps open is gone as well: the system closes it with the process, however that ended, and not when it is merely slow. Such a
// connection may also be made anew just now: a holder is told of when it looks dead, and gives way when it does so a second time.
// Asked for again under its own name it is given again: the first answer may have been lost.
const acquire = `
local key, holder, ttl = KEYS[1], ARGV[1], tonumber(ARGV[2])
local other = redis.call('GET', key)
if other and other ~= holder then
  local silence = tonumber(ARGV[4])
  if tonumber(ARGV[3]) < silence or ttl - redis.call('PTTL', key) < silence then return 0 end
  local instance = string.match(other, '^[^:]+')
  if not instance then return 0 end
  local living = redis.pcall('PUBSUB', 'NUMSUB', '${aliveChannel('')}' .. instance)
  if living[2] ~= 0 then return 0 end
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

/** ioredis sends them by hash, and once more in full to a server that has lost or never had them (NOSCRIPT). */
export const scripts = {
  grantkeeperCommit: { lua: commit, numberOfKeys: 1 },
  grantkeeperAcquire: { lua: acquire, numberOfKeys: 1 },
  grantkeeperExtend: { lua: extend, numberOfKeys: 1 },
  grantkeeperCount: { lua: count, numberOfKeys: 1 },
  grantkeeperRelease: { lua: release, numberOfKeys: 1 }
}

/**
 * The arguments of `grantkeeperCommit`: the time to live or '', 'none' or 'any' for what the owner has, then the number of expectations and
 * puts before each of them, then erases.
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

/** Redis wants whole milliseconds, one at least. */
export const wholeMs = (ttlMs: number): number => Math.max(1, Math.ceil(ttlMs))

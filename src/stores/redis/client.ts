import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import { scripts } from './scripts.ts'
import type { RedisClient, RedisTarget } from './target.ts'

export const reconnectDelayMs = (attempt: number): number => Math.min(attempt * 50, 500)

/** How long a command waits for its reply. */
export const commandTimeoutMs = 500

// By default ioredis lets a command wait for a server that is gone. Each of these options ends a way of waiting or of sending twice.
const failFast = {
  connectTimeout: 2000,
  // For ioredis's own commands. It counts time for which this process stood still, so ours have a timeout of their own (`Timeout`).
  commandTimeout: 2000,
  // Closes a socket on which nothing arrives for this long, to reconnect when a server is frozen or unreachable.
  socketTimeout: 2000,
  disconnectTimeout: 200,
  // 0: commands in flight when the connection breaks are rejected at once; with 1 they would wait for their timeout.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // After a failover the old master replies READONLY (inside a script too): reconnect, to the new one. The command is rejected.
  reconnectOnError: (error: Error) => error.message.includes('READONLY')
} satisfies RedisOptions

type Overrides = Pick<RedisOptions, 'protocol' | 'autoResubscribe' | 'enableReadyCheck' | 'socketTimeout'>

/** Not `instanceof`: an application's client may be of another copy of ioredis. */
export const isCluster = (client: Redis | Cluster): client is Cluster => client.isCluster

/** Redis's own error, of whichever copy of ioredis. */
export const isReplyError = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError'

const clusterOptions = {
  scripts,
  clusterRetryStrategy: reconnectDelayMs,
  slotsRefreshTimeout: commandTimeoutMs,
  // 0: a command whose connection broke may have been executed; sending it to another node could execute it twice.
  retryDelayOnFailover: 0,
  // The offline queue stays on: the first command to a node opens its connection, and the next ones would be rejected meanwhile.
  enableOfflineQueue: true
} satisfies ClusterOptions

/**
 * Connects in the background, and retries for ever. TLS trusts the system's certificate authorities; add a private one with
 * NODE_EXTRA_CA_CERTS=/path/ca.pem (nodejs.org/api/cli.html).
 */
export function connectRedis(target: RedisTarget | RedisClient, overrides: Overrides = {}): Redis | Cluster {
  if ('duplicate' in target) return duplicate(target as Redis | Cluster, overrides)
  const { username, password, db } = target
  const credentials = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() })
  }
  const tls = target.tls ? { tls: {} } : {}
  const options = { ...failFast, ...credentials, ...tls, scripts, ...overrides }
  const hosts = [...target.hosts]
  switch (target.kind) {
    case 'single':
      return new Redis({ ...options, ...hosts[0], db, enableOfflineQueue: false, retryStrategy: reconnectDelayMs })

    case 'sentinel':
      return new Redis({
        ...options,
        sentinels: hosts,
        name: target.master,
        db,
        enableOfflineQueue: false,
        retryStrategy: reconnectDelayMs,
        // It must return a number: otherwise ioredis gives up for good when no sentinel replies.
        sentinelRetryStrategy: reconnectDelayMs,
        sentinelCommandTimeout: commandTimeoutMs,
        // Sentinels know this password (auth-pass) and, without one of their own, accept any. An ACL user exists on the master only.
        ...(username === undefined && password !== undefined ? { sentinelPassword: password.reveal() } : {}),
        ...(target.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {})
      })

    case 'cluster':
      return new Cluster(hosts, {
        ...clusterOptions,
        redisOptions: options,
        // A certificate is issued for a host name: do not resolve names to IP addresses (ioredis README, "Aws Elasticache Clusters with TLS").
        ...(target.tls ? { dnsLookup: (host: string, done: (error: null, address: string) => void) => done(null, host) } : {})
      })
  }
}

/** A connection of our own to where an application's client connects: how that one waits, reads and names keys is not for grants. */
function duplicate(client: Redis | Cluster, overrides: Overrides): Redis | Cluster {
  const options = { ...failFast, ...plain, scripts, ...overrides }
  if (!isCluster(client))
    return client.duplicate({
      ...options,
      role: 'master',
      enableOfflineQueue: false,
      retryStrategy: reconnectDelayMs,
      sentinelRetryStrategy: reconnectDelayMs,
      sentinelCommandTimeout: commandTimeoutMs
    })
  return client.duplicate([], {
    ...clusterOptions,
    keyPrefix: '',
    lazyConnect: false,
    enableAutoPipelining: false,
    scaleReads: 'master',
    // ioredis adds them to those of the application's client.
    redisOptions: options
  })
}

/** Replies and keys as this store expects them, from the master. */
const plain = {
  keyPrefix: '',
  lazyConnect: false,
  readOnly: false,
  replyMapping: 'legacy',
  stringNumbers: false,
  enableAutoPipelining: false
} satisfies RedisOptions

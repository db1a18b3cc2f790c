import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { scripts } from './scripts.ts'
import type { RedisTarget } from './target.ts'

export const reconnectDelayMs = (attempt: number): number => Math.min(attempt * 50, 500)

/** How long a command waits for its answer. */
export const commandTimeoutMs = 500

// ioredis would by default keep a call waiting for a server that is gone. Each of these ends a way of waiting or of sending twice.
const patience = {
  connectTimeout: 2000,
  // For what ioredis itself asks. It counts the time for which this process stood still, so ours have a limit of their own.
  commandTimeout: 2000,
  // A socket that answers nothing for so long is given up, so that a frozen or unreachable server is looked for anew.
  socketTimeout: 2000,
  disconnectTimeout: 200,
  // 0: what was under way when the connection broke is rejected at once; with 1 it would wait for its timeout.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  // After a failover the old master answers READONLY (inside a script too): connect anew, to the new one. The call is rejected.
  reconnectOnError: (error: Error) => error.message.includes('READONLY')
} satisfies RedisOptions

/**
 * Connects in the background, for as long as it takes. TLS trusts the system's certificate authorities; a private one is given to
 * the process in NODE_EXTRA_CA_CERTS=/path/ca.pem (nodejs.org/api/cli.html).
 */
export function connectRedis(
  target: RedisTarget,
  more: Pick<RedisOptions, 'protocol' | 'autoResubscribe' | 'enableReadyCheck' | 'socketTimeout'> = {}
): Redis | Cluster {
  const { username, password, db } = target
  const signIn = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password: password.reveal() }) }
  const tls = target.tls ? { tls: {} } : {}
  const options = { ...patience, ...signIn, ...tls, scripts, ...more }
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
        // It must return a number: without one, ioredis gives up for good when no sentinel answers.
        sentinelRetryStrategy: reconnectDelayMs,
        sentinelCommandTimeout: commandTimeoutMs,
        // Sentinels know this password already (auth-pass) and, having none of their own, accept any. An ACL user is the master's alone.
        ...(username === undefined && password !== undefined ? { sentinelPassword: password.reveal() } : {}),
        ...(target.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {})
      })

    case 'cluster':
      return new Cluster(hosts, {
        redisOptions: options,
        scripts,
        clusterRetryStrategy: reconnectDelayMs,
        slotsRefreshTimeout: commandTimeoutMs,
        // 0: a call whose connection broke may have been carried out; sending it to another node could do it twice.
        retryDelayOnFailover: 0,
        // The offline queue stays on: a node is connected to by its first command, and the ones behind it would be refused.
        enableOfflineQueue: true,
        // A certificate is made out to a name: do not resolve names to addresses first (ioredis README, "Aws Elasticache Clusters with TLS").
        ...(target.tls ? { dnsLookup: (host: string, done: (error: null, address: string) => void) => done(null, host) } : {})
      })
  }
}

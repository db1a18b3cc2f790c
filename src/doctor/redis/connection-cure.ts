import type { RedisTarget } from '../../stores/redis/target.ts'

type Cure = readonly [pattern: RegExp, cure: string]

const always: readonly Cure[] = [
  [/WRONGPASS/, 'Correct user and password in REDIS_URL, percent-encoded (%40 for @). A password alone is written :password@.'],
  [/NOAUTH/, 'Redis requires a password: REDIS_URL=redis://:PASSWORD@HOST:PORT, or USER:PASSWORD@ for an ACL user.'],
  [/ENOTFOUND|EAI_AGAIN/, 'Correct the host name in REDIS_URL, or the DNS of this machine.'],
  [/CERT_HAS_EXPIRED/, 'Renew the certificate of Redis.'],
  [/ALTNAME/, 'Use in REDIS_URL a host name for which the certificate is issued.'],
  [/CERT|UNABLE_TO/, 'Let this machine trust the authority of the certificate: NODE_EXTRA_CA_CERTS=/path/ca.pem.'],
  [/cluster support disabled/, 'This is no Cluster: use redis:// or rediss:// in REDIS_URL.'],
  [/LOADING/, 'Redis reads its data from the disk: wait, then run the check again.'],
  [/MASTERDOWN|READONLY/, 'This server is a replica: name its master in REDIS_URL, or the sentinels with redis+sentinel://.'],
  [/OOM/, 'Give Redis more memory (maxmemory); keep maxmemory-policy noeviction.'],
  [/MISCONF/, 'Redis cannot save to its disk: free space, and read its log.'],
  [/NOREPLICAS/, 'Bring the replicas back, or lower min-replicas-to-write.'],
  [/ECONNREFUSED/, 'Start Redis, or correct host and port in REDIS_URL: redis-cli -h HOST -p PORT ping.']
]

const overTls: Cure = [
  /./,
  'If this server does not speak TLS, use the scheme without the second s (redis://). Otherwise look for a firewall between the two machines.'
]
const withoutTls: Cure = [
  /ECONNRESET|EPIPE|closed|no connection/i,
  'If this server expects TLS, use rediss:// in REDIS_URL. Otherwise read the log of Redis.'
]
const otherwise = 'Try the same host, user and password from this machine with redis-cli, and look for a firewall.'

/** @param reason an error as text, with the code of a system error or of Redis */
export function cureOf(reason: string, { tls }: RedisTarget): string {
  const cures = [...always, tls ? overTls : withoutTls]
  return cures.find(([pattern]) => pattern.test(reason))?.[1] ?? otherwise
}

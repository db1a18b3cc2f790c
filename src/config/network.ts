import { BlockList, isIP } from 'node:net'
import { siteOf } from '../core/util/site.ts'
import { parseRedisUrl, type RedisTarget } from '../stores/redis/target.ts'
import type { EnvironmentReader } from './environment.ts'
import { isLoopback, originOf, type ParsedOrigin, parseOrigin, readUrl } from './urls.ts'

/**
 * `HOST`: where it listens.
 * @returns `undefined` when unset or faulty
 */
export function readHost(env: EnvironmentReader, production: boolean): string | undefined {
  const example = production ? '0.0.0.0' : defaultHost
  const host = env.text('HOST', example)
  if (host === undefined || isIP(host) !== 0 || (/^[\w.-]+$/.test(host) && /[a-z]/i.test(host))) return host
  env.problem(`HOST: ${env.quoted('HOST', host)} is no address or name to listen on, without scheme and port, for example HOST=${example}.`)
  return undefined
}

export const defaultHost = '127.0.0.1'

type Listening = { production: boolean; host: string }

/** `PUBLIC_URL`: the origin that browsers use. @returns `undefined` when unset or faulty */
export function readPublicUrl(env: EnvironmentReader, { production, host }: Listening): ParsedOrigin | undefined {
  const example = 'https://connect.example.com'
  const url = readUrl(env, 'PUBLIC_URL', { production, kind: 'base', example })?.url
  if (url !== undefined && url.pathname !== '/')
    env.problem(`PUBLIC_URL must be an origin without a path, for example PUBLIC_URL=${example}.`)
  if (production && env.text('PUBLIC_URL') === undefined && !isLoopback(host)) {
    env.problem(`PUBLIC_URL is missing: it is the address that browsers use, for example PUBLIC_URL=${example}.`)
  }
  return url && originOf(url)
}

/** `ALLOWED_ORIGINS`, and the gateway's own, whose page is a frontend too. */
export function readAllowedOrigins(env: EnvironmentReader, own: ParsedOrigin): ReadonlySet<string> {
  const origins = new Set([own.origin])
  for (const text of env.list('ALLOWED_ORIGINS', 'https://app.example.com') ?? []) {
    const parsed = parseOrigin(text)
    if (parsed !== undefined) {
      origins.add(parsed.origin)
      if (!isSameSite(parsed, own))
        env.warning(
          `ALLOWED_ORIGINS: ${env.quoted('ALLOWED_ORIGINS', parsed.origin)} may be another site than ${own.origin}. From another site browsers send no session cookie with a frontend's calls (SameSite=Lax): give both the scheme and the domain of one, such as https://app.example.com and https://connect.example.com.`
        )
    } else
      env.problem(
        `ALLOWED_ORIGINS: ${env.quoted('ALLOWED_ORIGINS', text)} is not an exact origin, for example ALLOWED_ORIGINS=https://app.example.com.`
      )
  }
  return origins
}

/** Schemeful, as browsers decide it for cookies (RFC 6265bis §5.2). */
const isSameSite = (one: ParsedOrigin, other: ParsedOrigin): boolean =>
  one.isHttps === other.isHttps && siteOf(one.hostname) === siteOf(other.hostname)

/** `TRUST_PROXY`: the balancers whose word on the client's address counts. */
export function readTrustProxy(env: EnvironmentReader): readonly string[] {
  const ranges = env.list('TRUST_PROXY', '10.0.0.0/8') ?? []
  for (const range of ranges) {
    const problem = problemOfRange(range)
    if (problem !== undefined)
      env.problem(`TRUST_PROXY: ${env.quoted('TRUST_PROXY', range)} ${problem}, for example ${env.exampleOf('TRUST_PROXY')}.`)
  }
  return ranges
}

/** `REDIS_URL`, parsed. @returns `undefined` when unset or invalid */
export function readRedisTarget(env: EnvironmentReader): RedisTarget | undefined {
  const url = env.text('REDIS_URL', 'redis://:password@10.0.0.1:6379/0')
  if (url === undefined) return undefined
  try {
    return parseRedisUrl(url)
  } catch (error) {
    env.problem(`REDIS_URL: ${(error as Error).message}`)
    return undefined
  }
}

/** The private networks are the widest that balancers stand in: 10.0.0.0/8 and fc00::/7. */
const minBits = { 4: 8, 6: 7 }
/** IPv4 addresses as IPv6 ones (RFC 4291 §2.5.5.2): a range in them, or around them, is one of IPv4 addresses. */
const mapped = { network: '::ffff:0:0', bits: 96 }

function problemOfRange(range: string): string | undefined {
  const [address = '', digits, more] = range.split('/')
  const isIPv6 = isIP(address) === 6
  const whole = isIPv6 ? 128 : 32
  const bits = digits === undefined ? whole : /^\d{1,3}$/.test(digits) ? Number(digits) : Number.POSITIVE_INFINITY
  if (isIP(address) === 0 || more !== undefined || bits > whole) return 'is not an address or CIDR range'
  if (bits === whole) return undefined
  if (address.includes('%')) return 'is not a range of addresses: it names an interface'
  const isOfIPv4 = isIPv6 && (isIn(address, mapped.network, mapped.bits) || isIn(mapped.network, address, bits))
  const isTooWide = isOfIPv4 ? bits < mapped.bits + minBits[4] : bits < minBits[isIPv6 ? 6 : 4]
  return isTooWide
    ? 'is so wide that anybody could claim any address in X-Forwarded-For, and limits would count nobody. Give the balancers’ own addresses'
    : undefined
}

function isIn(address: string, network: string, bits: number): boolean {
  const list = new BlockList()
  list.addSubnet(network, bits, 'ipv6')
  return list.check(address, 'ipv6')
}

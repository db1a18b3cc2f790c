import { BlockList, isIP } from 'node:net'
import { AllowedOrigins, type OriginPattern, parseOriginPattern } from '../core/guards/allowed-origins.ts'
import { siteOf } from '../core/util/site.ts'
import { parseRedisUrl, type RedisTarget } from '../stores/redis/target.ts'
import type { EnvironmentReader } from './environment.ts'
import { isLoopback, type ParsedOrigin, type ParsedUrl, parseOrigin, readUrl } from './urls.ts'

/**
 * `HOST`: the IP address or host name to listen on.
 * @returns `undefined` when unset or invalid
 */
export function readHost(env: EnvironmentReader, production: boolean): string | undefined {
  const example = production ? '0.0.0.0' : defaultHost
  const host = env.text('HOST', example)
  if (host === undefined || isIP(host) !== 0 || (/^[\w.-]+$/.test(host) && /[a-z]/i.test(host))) return host
  env.addProblem(
    `HOST: ${env.quote('HOST', host)} is not an IP address or host name (without scheme and port), for example HOST=${example}.`
  )
  return undefined
}

export const defaultHost = '127.0.0.1'

type ListenOptions = { production: boolean; host: string }

/** One or more segments of unreserved characters (RFC 3986 §2.3), none of them `.` or `..`: every proxy and browser spells it the same. */
const basePathPattern = /^(\/(?!\.{1,2}(\/|$))[\w.~-]+)*$/

/** Below that, a request could not name a provider and a path in it. */
const maxBasePathCharacters = 256

/**
 * `PUBLIC_URL`: the URL that browsers use. Every route is below its path.
 * @returns `undefined` when unset or invalid
 */
export function readPublicUrl(env: EnvironmentReader, { production, host }: ListenOptions): ParsedUrl | undefined {
  const example = 'https://connect.example.com'
  const parsed = readUrl(env, 'PUBLIC_URL', { production, kind: 'base', example })
  const path = parsed && basePathOf(parsed)
  if (path !== undefined && (!basePathPattern.test(path) || path.length > maxBasePathCharacters))
    env.addProblem(
      `PUBLIC_URL: its path may have letters, digits, ".", "_", "~" and "-" between single slashes, for example PUBLIC_URL=https://app.example.com/integrations.`
    )
  if (production && env.text('PUBLIC_URL') === undefined && !isLoopback(host)) {
    env.addProblem(`PUBLIC_URL is missing: it is the URL that browsers use, for example PUBLIC_URL=${example}.`)
  }
  return parsed
}

/** The path of the public URL as a prefix: `/integrations`, or nothing. */
export const basePathOf = ({ url }: ParsedUrl): string => url.pathname.replace(/\/+$/, '')

type AllowedOriginsOptions = {
  readonly own: ParsedOrigin
  /** Requests with a bearer come from any site; cookies do not. */
  readonly hasBearers: boolean
}

/** `ALLOWED_ORIGINS` and the gateway's own origin, whose page is a frontend too. */
export function readAllowedOrigins(env: EnvironmentReader, { own, hasBearers }: AllowedOriginsOptions): AllowedOrigins {
  const exact = new Set([own.origin])
  const patterns: OriginPattern[] = []
  for (const text of env.list('ALLOWED_ORIGINS', 'https://app.example.com') ?? []) {
    const origin = parseOrigin(text)
    const pattern = parseOriginPattern(text)
    if (origin !== undefined) {
      exact.add(origin.origin)
      if (!isSameSite(origin, own) && !hasBearers)
        env.addWarning(
          `ALLOWED_ORIGINS: ${env.quote('ALLOWED_ORIGINS', origin.origin)} may be another site than ${own.origin}. Browsers send no session cookie with cross-site requests (SameSite=Lax): put both on one scheme and domain, such as https://app.example.com and https://connect.example.com, or have the frontend send the bearer tokens of its own sign-in (JWT_ISSUER, JWT_AUDIENCE).`
        )
    } else if (pattern) {
      patterns.push(pattern)
      if (!hasBearers)
        env.addProblem(
          `ALLOWED_ORIGINS: ${env.quote('ALLOWED_ORIGINS', text)} counts only for requests with a bearer token, and none are configured. Set JWT_ISSUER and JWT_AUDIENCE, or list exact origins, for example ALLOWED_ORIGINS=https://app.example.com.`
        )
    } else
      env.addProblem(
        `ALLOWED_ORIGINS: ${env.quote('ALLOWED_ORIGINS', text)} is not an exact origin, nor a pattern of one leading label such as https://*.preview.example.com; for example ALLOWED_ORIGINS=https://app.example.com.`
      )
  }
  return new AllowedOrigins(exact, patterns)
}

/** Schemeful, as browsers decide it for cookies (RFC 6265bis §5.2). */
const isSameSite = (one: ParsedOrigin, other: ParsedOrigin): boolean =>
  one.isHttps === other.isHttps && siteOf(one.hostname) === siteOf(other.hostname)

/** `TRUST_PROXY`: the load balancers whose `X-Forwarded-For` is trusted. */
export function readTrustProxy(env: EnvironmentReader): readonly string[] {
  const ranges = env.list('TRUST_PROXY', '10.0.0.0/8') ?? []
  for (const range of ranges) {
    const reason = whyRefused(range)
    if (reason !== undefined)
      env.addProblem(`TRUST_PROXY: ${env.quote('TRUST_PROXY', range)} ${reason}, for example ${env.exampleOf('TRUST_PROXY')}.`)
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
    env.addProblem(`REDIS_URL: ${(error as Error).message}`)
    return undefined
  }
}

/** The widest private networks, in which load balancers run: 10.0.0.0/8 and fc00::/7. */
const minPrefixBits = { 4: 8, 6: 7 }
/** IPv4-mapped IPv6 addresses (RFC 4291 §2.5.5.2): a range inside or around them is a range of IPv4 addresses. */
const mapped = { network: '::ffff:0:0', bits: 96 }

function whyRefused(range: string): string | undefined {
  const [address = '', digits, rest] = range.split('/')
  const isIPv6 = isIP(address) === 6
  const maxBits = isIPv6 ? 128 : 32
  const bits = digits === undefined ? maxBits : /^\d{1,3}$/.test(digits) ? Number(digits) : Number.POSITIVE_INFINITY
  if (isIP(address) === 0 || rest !== undefined || bits > maxBits) return 'is not an IP address or CIDR range'
  if (bits === maxBits) return undefined
  if (address.includes('%')) return 'is not a CIDR range: it names a network interface'
  const isIPv4Range = isIPv6 && (isIn(address, mapped.network, mapped.bits) || isIn(mapped.network, address, bits))
  const isTooWide = isIPv4Range ? bits < mapped.bits + minPrefixBits[4] : bits < minPrefixBits[isIPv6 ? 6 : 4]
  return isTooWide
    ? 'is so wide that any client could forge its IP address in X-Forwarded-For and evade rate limits. Set the load balancers’ own IP addresses'
    : undefined
}

function isIn(address: string, network: string, bits: number): boolean {
  const list = new BlockList()
  list.addSubnet(network, bits, 'ipv6')
  return list.check(address, 'ipv6')
}

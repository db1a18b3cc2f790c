import { BlockList, isIP } from 'node:net'
import { parseRedisUrl } from '../stores/redis-url.ts'
import type { EnvironmentReader } from './environment.ts'
import { isLoopback, parseOrigin, readUrl } from './urls.ts'

type Listening = { production: boolean; host: string; port: number }

/** `PUBLIC_URL`: the serialized origin that browsers use. */
export function readPublicUrl(env: EnvironmentReader, { production, host, port }: Listening): string {
  const example = 'https://connect.example.com'
  const url = readUrl(env, 'PUBLIC_URL', { production, kind: 'base', example })
  if (url !== undefined && new URL(url).pathname !== '/')
    env.problem(`PUBLIC_URL must be an origin without a path, for example PUBLIC_URL=${example}.`)
  if (production && env.text('PUBLIC_URL') === undefined && !isLoopback(host)) {
    env.problem(`PUBLIC_URL is missing: it is the address that browsers use, for example PUBLIC_URL=${example}.`)
  }
  return url === undefined ? `http://localhost:${port}` : new URL(url).origin
}

/** `ALLOWED_ORIGINS`, and the gateway's own, whose page is a frontend too. */
export function readAllowedOrigins(env: EnvironmentReader, publicUrl: string): ReadonlySet<string> {
  const origins = new Set([publicUrl])
  for (const text of env.list('ALLOWED_ORIGINS') ?? []) {
    const origin = parseOrigin(text)
    if (origin !== undefined) origins.add(origin)
    else
      env.problem(
        `ALLOWED_ORIGINS: ${env.quoted('ALLOWED_ORIGINS', text)} is not an exact origin, for example ALLOWED_ORIGINS=https://app.example.com.`
      )
  }
  return origins
}

/** `TRUST_PROXY`: the balancers whose word on the client's address counts. */
export function readTrustProxy(env: EnvironmentReader): readonly string[] {
  const ranges = env.list('TRUST_PROXY') ?? []
  for (const range of ranges) {
    if (!isRange(range))
      env.problem(`TRUST_PROXY: ${env.quoted('TRUST_PROXY', range)} is not an address or CIDR range, for example TRUST_PROXY=10.0.0.0/8.`)
  }
  return ranges
}

/** `REDIS_URL`, checked for its form and not for whether anybody answers there. */
export function readRedisUrl(env: EnvironmentReader): string | undefined {
  const url = env.text('REDIS_URL')
  if (url === undefined) return undefined
  try {
    parseRedisUrl(url)
  } catch (error) {
    env.problem(`REDIS_URL: ${(error as Error).message}`)
  }
  return url
}

function isRange(range: string): boolean {
  const [address = '', bits, more] = range.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  if (bits === undefined) return true
  if (!/^\d{1,3}$/.test(bits)) return false
  try {
    new BlockList().addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
    return true
  } catch {
    return false
  }
}

import type { ConnectionKey } from '../connections/connection-key.ts'
import type { Clock } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { splitTarget } from '../util/request-target.ts'
import type { ProxiedRequest } from './proxied-request.ts'
import type { ResponseHead } from './upstream.ts'

const maxAgeMs = 60_000
const maxEntries = 1_000
/** After this many within `maxAgeMs`, on whatever paths, a 401 of the connection causes no further renewal. */
const maxFutileRenewals = 5

/** RFC 6750 §3.1: `invalid_token` comes with a 401, and from some vendors with a 403. */
export const isUnauthorized = ({ status, headers }: ResponseHead): boolean =>
  status === 401 || (status === 403 && hasInvalidTokenChallenge(headers['www-authenticate']))

/** Whether one of the challenges is `Bearer` with the parameter `error="invalid_token"` (RFC 9110 §11.6.1). */
function hasInvalidTokenChallenge(challenges: string | string[] | undefined): boolean {
  if (challenges === undefined) return false
  let scheme = ''
  // A scheme is followed by a space, a parameter by an equals sign.
  for (const [, name = '', , quoted, bare] of [challenges]
    .flat()
    .join(', ')
    .matchAll(/([\w!#$%&'*+.^`|~-]+)(?:\s*(=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g)) {
    const value = quoted ?? bare
    if (value === undefined) scheme = name.toLowerCase()
    else if (scheme === 'bearer' && name.toLowerCase() === 'error' && value === 'invalid_token') return true
  }
  return false
}

/** Method, base and path, without the query, which may vary from request to request. */
export const requestKey = ({ key, method, base = '', target }: Pick<ProxiedRequest, 'key' | 'method' | 'base' | 'target'>): string =>
  `${key.id} ${method} ${base}${splitTarget(target).path}`

type Unauthorized = { readonly credential: Secret; readonly expiresAtMs: number }
type FutileRenewals = { readonly count: number; readonly expiresAtMs: number }

export type UnauthorizedMemo = ReturnType<typeof createUnauthorizedMemo>

/**
 * Negative cache of 401s. An entry says that a request was refused with a credential that is known to be good: it had just been renewed,
 * or a check request accepted it. Another renewal would not help. Without this cache a frontend that polls such a path would use up one
 * refresh token per request; the count of futile renewals covers one that requests ever new paths.
 */
export function createUnauthorizedMemo(clock: Clock) {
  // FIFO: `record` makes an entry the newest, `has` does not.
  const unauthorized = new BoundedMap<string, Unauthorized>({ maxEntries, order: 'fifo' })
  const futileRenewals = new BoundedMap<string, FutileRenewals>({ maxEntries, order: 'fifo' })

  function unexpired<T extends { readonly expiresAtMs: number }>(entry: T | undefined): T | undefined {
    return entry !== undefined && entry.expiresAtMs > clock.now() ? entry : undefined
  }

  function find(request: string, credential: Secret): Unauthorized | undefined {
    const entry = unexpired(unauthorized.get(request))
    return entry?.credential.equals(credential) ? entry : undefined
  }

  return {
    /** Whether a 401 to this request is final, and no reason to renew. */
    has({ id }: ConnectionKey, request: string, credential: Secret): boolean {
      const { count = 0 } = unexpired(futileRenewals.get(id)) ?? {}
      return count >= maxFutileRenewals || find(request, credential) !== undefined
    },

    /** A renewal or a check request that did not explain a 401. */
    recordFutileRenewal({ id }: ConnectionKey): void {
      const { count = 0, expiresAtMs = clock.now() + maxAgeMs } = unexpired(futileRenewals.get(id)) ?? {}
      futileRenewals.set(id, { count: count + 1, expiresAtMs })
    },

    /** The result of a request with a credential that is known to be good. An entry expires a minute after its first 401, however often it recurs. */
    record(request: string, credential: Secret, isRefused: boolean): void {
      if (isRefused) unauthorized.set(request, find(request, credential) ?? { credential, expiresAtMs: clock.now() + maxAgeMs })
      else unauthorized.evict(request)
    }
  }
}

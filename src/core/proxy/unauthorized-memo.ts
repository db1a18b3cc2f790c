import type { Clock } from '../ports.ts'
import type { Secret } from '../secret.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { splitTarget } from '../util/request-target.ts'
import type { ProxiedRequest } from './forward.ts'
import type { ResponseHead } from './upstream.ts'

/** How long a renewal or check call that did not help is remembered, and for how many paths. */
const rememberMs = 60_000
const maxPaths = 1_000
/** So many in that time, on whatever paths, and the connection's next 401s are taken at their word. */
const maxUseless = 5

/** RFC 6750 §3.1: `invalid_token` goes with 401, and some vendors say it with 403. */
export const isUnauthorized = ({ status, headers }: ResponseHead): boolean =>
  status === 401 || (status === 403 && saysInvalidToken(headers['www-authenticate']))

/** A `Bearer` challenge whose `error` is `invalid_token`, among others or alone (RFC 9110 §11.6.1). */
function saysInvalidToken(challenges: string | string[] | undefined): boolean {
  if (challenges === undefined) return false
  let scheme = ''
  // A scheme stands before a blank, a parameter before an equals sign.
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

type Of = Pick<ProxiedRequest, 'owner' | 'provider'>

export const connectionOf = ({ owner, provider }: Of): string => `${owner} ${provider.name}`

/** Where a call goes, without what varies from one to the next. */
export const requestKey = ({ owner, provider, method, target }: Of & Pick<ProxiedRequest, 'method' | 'target'>): string =>
  `${owner} ${provider.name} ${method} ${splitTarget(target).path}`

type Refused = { readonly credential: Secret; readonly untilMs: number }

export type UnauthorizedMemo = ReturnType<typeof createUnauthorizedMemo>

/**
 * Remembers where a provider answered 401 to a credential that had just been renewed for it. There another renewal would
 * help as little: without this memory a frontend that polls such a path spends one refresh token a call, and one that asks for ever
 * new paths as well. Just so where a check call has said that a credential is good which was refused there.
 */
export function createUnauthorizedMemo(clock: Clock) {
  // FIFO: `note` makes a place the newest, `has` does not.
  const refused = new BoundedMap<string, Refused>({ maxEntries: maxPaths, order: 'fifo' })
  const useless = new BoundedMap<string, { readonly count: number; readonly untilMs: number }>({ maxEntries: maxPaths, order: 'fifo' })

  const uselessOf = (connection: string): number => {
    const entry = useless.get(connection)
    return entry !== undefined && entry.untilMs > clock.now() ? entry.count : 0
  }

  return {
    /** Whether a 401 at this place is the answer, and no reason to renew. */
    has(connection: string, place: string, credential: Secret): boolean {
      if (uselessOf(connection) >= maxUseless) return true
      const entry = refused.get(place)
      return entry !== undefined && entry.untilMs > clock.now() && entry.credential.equals(credential)
    },

    /** A renewal, or a check call, made because of a refusal that it did not explain. */
    recordFutileRenewal(connection: string): void {
      const count = uselessOf(connection) + 1
      const untilMs = count === 1 ? clock.now() + rememberMs : (useless.get(connection)?.untilMs ?? 0)
      useless.set(connection, { count, untilMs })
    },

    /**
     * Whoever polls such a place does not prolong the memory of it: a minute later it is asked about again.
     * @param isRefused whether a credential that is known to be good was refused
     */
    note(place: string, credential: Secret, isRefused: boolean): void {
      const known = refused.get(place)
      const isKnown = known !== undefined && known.untilMs > clock.now() && known.credential.equals(credential)
      if (!isRefused) refused.evict(place)
      else refused.set(place, isKnown ? known : { credential, untilMs: clock.now() + rememberMs })
    }
  }
}

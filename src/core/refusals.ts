import type { Clock } from './ports.ts'
import type { Secret } from './secret.ts'

/** How long a renewal that did not help is remembered, and for how many paths. */
const rememberMs = 60_000
const mostPaths = 1_000
/** So many in that time, on whatever paths, and the connection's next 401s are taken at their word. */
const mostUseless = 5

type Refused = { readonly credential: Secret; readonly untilMs: number }

/**
 * Remembers where a provider answered 401 to a credential that had just been renewed for it. There another renewal would
 * help as little: without this memory a frontend that polls such a path spends one refresh token a call, and one that asks for ever
 * new paths as well.
 */
export function createRefusals(clock: Clock) {
  const refused = new Map<string, Refused>()
  const useless = new Map<string, { readonly count: number; readonly untilMs: number }>()

  const uselessOf = (connection: string): number => {
    const entry = useless.get(connection)
    return entry !== undefined && entry.untilMs > clock.now() ? entry.count : 0
  }

  return {
    /** Nothing was ever refused: most processes know no refusal in their life, and need not look for one at each call. */
    isEmpty: (): boolean => refused.size === 0 && useless.size === 0,

    /** Whether a 401 at this place is the answer, and no reason to renew. */
    has(connection: string, place: string, credential: Secret): boolean {
      if (uselessOf(connection) >= mostUseless) return true
      const entry = refused.get(place)
      return entry !== undefined && entry.untilMs > clock.now() && entry.credential.equals(credential)
    },

    /** @param isRefused whether the answer to a credential that was renewed for this call was 401 */
    noteRenewed(connection: string, isRefused: boolean): void {
      if (!isRefused) return
      const count = uselessOf(connection) + 1
      const untilMs = count === 1 ? clock.now() + rememberMs : (useless.get(connection)?.untilMs ?? 0)
      keep(useless, connection, { count, untilMs })
    },

    /** @param isRefused whether the answer to a fresh credential was 401 */
    note(place: string, credential: Secret, isRefused: boolean): void {
      if (isRefused) keep(refused, place, { credential, untilMs: clock.now() + rememberMs })
      else refused.delete(place)
    }
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > mostPaths && oldest !== undefined) map.delete(oldest)
}

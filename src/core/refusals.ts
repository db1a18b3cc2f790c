import type { Clock } from './ports.ts'
import type { Secret } from './secret.ts'

/** How long a renewal that did not help is remembered, and for how many paths. */
const rememberMs = 60_000
const mostPaths = 1_000

/**
 * Remembers where a provider answered 401 to a credential that had just been renewed for it. There another renewal would
 * help as little: without this memory a frontend that polls such a path spends one refresh token a call.
 */
export function createRefusals(clock: Clock) {
  const refused = new Map<string, { credential: Secret; untilMs: number }>()

  return {
    has(place: string, credential: Secret): boolean {
      const entry = refused.get(place)
      return entry !== undefined && entry.untilMs > clock.now() && entry.credential.equals(credential)
    },

    /** @param isRefused whether the answer to a fresh credential was 401 */
    note(place: string, credential: Secret, isRefused: boolean): void {
      refused.delete(place)
      if (!isRefused) return
      refused.set(place, { credential, untilMs: clock.now() + rememberMs })
      const [oldest] = refused.keys()
      if (refused.size > mostPaths && oldest !== undefined) refused.delete(oldest)
    }
  }
}

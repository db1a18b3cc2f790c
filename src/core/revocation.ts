import type { Connection } from './connection.ts'
import type { TokenEndpoint } from './token-endpoint.ts'

/** How long somebody who disconnects waits for the provider's yes. */
const patienceMs = 2_000
const retryDelaysMs = [5_000, 60_000, 10 * 60_000, 60 * 60_000]

type Parts = {
  readonly endpointOf: (provider: string) => TokenEndpoint | undefined
  readonly onGivenUp: (provider: string) => void
}

/**
 * Revokes grants at their providers (RFC 7009) after they are gone here. RFC 7009 §2.2.1: a provider that answers 503 is
 * asked again later. What still waits when the process ends is given up; the grant then ends when the provider lets it.
 */
export function createRevocation({ endpointOf, onGivenUp }: Parts) {
  const waiting = new Set<NodeJS.Timeout>()

  async function tryFrom(connection: Connection, endpoint: TokenEndpoint, attempt: number): Promise<void> {
    try {
      await endpoint.revoke(connection)
    } catch {
      const delayMs = retryDelaysMs[attempt]
      if (delayMs === undefined) {
        onGivenUp(connection.provider)
        return
      }
      const timer = setTimeout(() => {
        waiting.delete(timer)
        void tryFrom(connection, endpoint, attempt + 1)
      }, delayMs)
      timer.unref()
      waiting.add(timer)
    }
  }

  return {
    /** Resolves when the provider has answered, or when waiting for it would keep a person too long. Never rejects. */
    async revoke(connection: Connection): Promise<void> {
      const endpoint = endpointOf(connection.provider)
      if (!endpoint || connection.method !== 'oauth2') return
      const { promise: patienceEnds, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, patienceMs)
      await Promise.race([tryFrom(connection, endpoint, 0), patienceEnds])
      clearTimeout(timer)
    },

    close(): void {
      for (const timer of waiting) clearTimeout(timer)
    }
  }
}

import type { FastifyBaseLogger } from 'fastify'
import { timestamp } from '../../src/core/connections/view.ts'
import type { RefreshDependencies } from '../../src/core/oauth/refresh.ts'
import type { TokenEndpointError } from '../../src/core/oauth/token-response.ts'
import type { Clock } from '../../src/core/ports.ts'

/** A refused client fails every renewal of its provider: that is told loudly, and not in every line. */
const loudEveryMs = 60_000

/** What an operator reads of renewals. Never what a vendor says in a sentence: it may repeat the token. */
export function renewalLog(
  log: FastifyBaseLogger,
  clock: Clock
): Pick<RefreshDependencies, 'onLost' | 'onAbandoned' | 'onFailed' | 'onEnded'> {
  const rejected = new Map<string, { toldAtMs: number; since: number }>()

  function tellOfClient(provider: string, error: string | undefined): void {
    const known = rejected.get(provider)
    if (known && clock.now() - known.toldAtMs < loudEveryMs) {
      known.since++
      return
    }
    log.error(
      { provider, error, ...(known?.since && { failedSinceTold: known.since }) },
      `${provider} refuses this gateway's OAuth client: no connection to it can be renewed until its client id and secret are put right`
    )
    rejected.set(provider, { toldAtMs: clock.now(), since: 0 })
  }

  return {
    onFailed: ({ provider, error, attempt, retryInMs }) => {
      log.warn(
        { provider, ...told(error), attempt, retryInMs, nextTryAt: timestamp(clock.now() + retryInMs) },
        `a renewal failed: ${error.message}`
      )
      if (error.isClientRejected) tellOfClient(provider, error.details.code ?? error.reason)
    },
    onEnded: ({ provider, why, error }) => {
      log.warn({ provider, why, ...(error && told(error)) }, 'a grant has ended: the person must connect again')
    },
    onLost: ({ provider }) => log.error({ provider }, 'a renewed grant could not be saved and is lost'),
    onAbandoned: provider => log.error({ provider }, 'a token call was under way at the end: what the provider has rotated for it is lost')
  }
}

const told = ({ kind, reason, details: { status, code } }: TokenEndpointError) => ({ kind, status, error: code ?? reason })

import type { IncomingHttpHeaders } from 'node:http'
import { defaultSwitches, type Switches } from './switches.ts'

/** A vendor's switches and what it has observed. */
export type VendorState = {
  readonly switches: Switches
  readonly counts: Counts
  /** The most recent API requests, oldest first, at most a thousand. */
  readonly requests: readonly ApiRequest[]
  recordRequest(request: ApiRequest): void
  /** Resets the switches, the counts and the requests. Tokens and grants stay. */
  reset(): void
}

type Counts = {
  /** By grant type, injected faults included; also `upgrade`, and `key` for the exchange of a key. */
  tokenRequests: Record<string, number>
  /** Refreshes rejected with invalid_grant. */
  refusedRefreshes: number
  /** Rejected refreshes whose refresh token had been used before. */
  reuses: number
  revocations: number
  apiCalls: number
}

export type ApiRequest = {
  readonly method: string
  /** The request target as in the request line. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Set once the whole body has arrived. */
  bodyLength?: number
  bodySha256?: string
  /** `aborted`: the connection ended before the response did. */
  outcome: 'open' | 'complete' | 'aborted'
}

const maxRequests = 1000

const noCounts = (): Counts => ({
  tokenRequests: { authorization_code: 0, refresh_token: 0 },
  refusedRefreshes: 0,
  reuses: 0,
  revocations: 0,
  apiCalls: 0
})

export function createVendorState(initialSwitches: Partial<Switches> = {}): VendorState {
  const switches = { ...defaultSwitches, ...initialSwitches }
  const counts = noCounts()
  const requests: ApiRequest[] = []
  return {
    switches,
    counts,
    requests,
    recordRequest(request) {
      requests.push(request)
      if (requests.length > maxRequests) requests.shift()
    },
    reset() {
      Object.assign(switches, defaultSwitches, initialSwitches)
      Object.assign(counts, noCounts())
      requests.length = 0
    }
  }
}

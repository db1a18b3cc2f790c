import type { IncomingHttpHeaders } from 'node:http'
import { defaultSwitches, type Switches } from './switches.ts'

/** What one vendor has been told and has seen. */
export type VendorState = {
  readonly switches: Switches
  readonly counts: Counts
  /** The most recent API requests, oldest first, at most a thousand. */
  readonly requests: readonly ApiRequest[]
  /** The same at every start, so that it can be told and remembered; it opens invented data on this machine. */
  readonly apiKey: string
  record(request: ApiRequest): void
  /** Switches as they were at the start, counts at 0, no requests. Tokens and grants live on. */
  reset(): void
}

type Counts = {
  /** By grant type, faults included. */
  tokenRequests: Record<string, number>
  /** Refreshes answered with invalid_grant. */
  refusedRefreshes: number
  /** Those among them whose refresh token had been spent before. */
  reuses: number
  revocations: number
  apiCalls: number
}

export type ApiRequest = {
  readonly method: string
  /** As it stood in the request line. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** Of the body, once it has come in whole. */
  bodyLength?: number
  bodySha256?: string
  /** `cut`: the connection ended before the answer did. */
  outcome: 'open' | 'answered' | 'cut'
}

const maxRequests = 1000

const noCounts = (): Counts => ({
  tokenRequests: { authorization_code: 0, refresh_token: 0 },
  refusedRefreshes: 0,
  reuses: 0,
  revocations: 0,
  apiCalls: 0
})

export function vendorState(vendor: string, given: Partial<Switches> = {}): VendorState {
  const switches = { ...defaultSwitches, ...given }
  const counts = noCounts()
  const requests: ApiRequest[] = []
  return {
    switches,
    counts,
    requests,
    apiKey: `sandbox_${vendor.replaceAll('-', '_')}_key`,
    record(request) {
      requests.push(request)
      if (requests.length > maxRequests) requests.shift()
    },
    reset() {
      Object.assign(switches, defaultSwitches, given)
      Object.assign(counts, noCounts())
      requests.length = 0
    }
  }
}

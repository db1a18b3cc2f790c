import { GatewayError } from './errors.ts'
import type { Provider } from './provider.ts'

/** Half of what a provider's connections can carry at once: no session has them all to itself. */
const usualPerSession = 256
/** Those that are being sent, and some that wait for a connection. */
const usualOfAll = 2_048

/** Calls under way, counted by provider and session in this process. */
export type CallLimits = {
  /**
   * Counts a call that begins.
   * @returns what counts its end, to be called once
   * @throws {GatewayError} `rate_limited` when there are as many as the definition allows
   */
  enter(owner: string, provider: Provider): () => void
}

export function createCallLimits(): CallLimits {
  const underWay = new Map<string, number>()

  const countOf = (key: string) => underWay.get(key) ?? 0
  const count = (key: string, change: 1 | -1) => {
    const counted = countOf(key) + change
    if (counted === 0) underWay.delete(key)
    else underWay.set(key, counted)
  }

  return {
    enter(owner, { name, title, api: { maxCallsPerSession = usualPerSession, maxCalls = usualOfAll } }) {
      const ofSession = `${name} ${owner}`
      if (countOf(ofSession) >= maxCallsPerSession)
        throw tooMany(name, `This session has ${maxCallsPerSession} calls to ${title} under way, as many as it may. Wait for some to end.`)
      if (countOf(name) >= maxCalls) throw tooMany(name, `Too many calls to ${title} are under way. Try again in a moment.`)
      count(ofSession, 1)
      count(name, 1)
      return () => {
        count(ofSession, -1)
        count(name, -1)
      }
    }
  }
}

const tooMany = (provider: string, detail: string) => new GatewayError('rate_limited', detail, { provider, retryAfter: 1 })

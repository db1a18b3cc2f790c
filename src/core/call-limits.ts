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
  const underWay = new Map<string, { ofAll: number; readonly ofSession: Map<string, number> }>()

  function callsOf(provider: string) {
    let calls = underWay.get(provider)
    if (!calls) {
      calls = { ofAll: 0, ofSession: new Map() }
      underWay.set(provider, calls)
    }
    return calls
  }

  return {
    enter(owner, { name, title, api: { maxCallsPerSession = usualPerSession, maxCalls = usualOfAll } }) {
      const calls = callsOf(name)
      const ofSession = calls.ofSession.get(owner) ?? 0
      if (ofSession >= maxCallsPerSession)
        throw tooMany(name, `This session has ${maxCallsPerSession} calls to ${title} under way, as many as it may. Wait for some to end.`)
      if (calls.ofAll >= maxCalls) throw tooMany(name, `Too many calls to ${title} are under way. Try again in a moment.`)
      calls.ofSession.set(owner, ofSession + 1)
      calls.ofAll++
      return () => {
        const left = (calls.ofSession.get(owner) ?? 0) - 1
        if (left > 0) calls.ofSession.set(owner, left)
        else calls.ofSession.delete(owner)
        calls.ofAll--
      }
    }
  }
}

const tooMany = (provider: string, detail: string) => new GatewayError('rate_limited', detail, { provider, retryAfter: 1 })

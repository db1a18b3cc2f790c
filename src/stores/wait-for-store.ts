import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../core/ports.ts'

/** How long a start waits for the store's connection, and then for its change feed. */
const defaultTimeoutMs = 750

/**
 * Waits until the store is connected, so that the first requests after a start find it ready. An unreachable store does not fail the
 * start: requests get 503 until it is back.
 */
export async function waitForStore({ ping, changes }: Store, logger: { warn(text: string): void }): Promise<void> {
  if (!(await pollUntil(ping))) logger.warn('the store is not reachable yet; requests get 503 until it is')
  else if (!(await pollUntil(async () => assert(changes.isReliable()))))
    logger.warn('the store does not report changes (CLIENT TRACKING); every request reads it')
}

/**
 * Retries a function until it does not throw.
 * @returns `false` when it still throws after the timeout
 */
export async function pollUntil(attempt: () => Promise<void>, timeoutMs = defaultTimeoutMs): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs
  for (let delayMs = 2; ; ) {
    try {
      await attempt()
      return true
    } catch {
      if (performance.now() > deadlineMs) return false
      await sleep(delayMs)
      delayMs = Math.min(delayMs * 2, 50)
    }
  }
}

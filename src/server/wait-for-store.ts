import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Store } from '../core/ports.ts'

/** How long a start waits for each sign of life of the store. */
const firstContactMs = 750

/** The first calls after a start should find the store connected. One that is down is waited for a little, and then met by 503s until it comes. */
export async function waitForStore({ ping, changes }: Store, logger: Logger): Promise<void> {
  if (!(await pollUntil(ping))) logger.warn('the store cannot be reached yet; calls answer 503 until it can')
  else if (!(await pollUntil(async () => assert(changes.isReliable()))))
    logger.warn('the store does not tell of changes (CLIENT TRACKING); every call asks it')
}

/** Tries it until it succeeds, or too long. */
export async function pollUntil(what: () => Promise<void>, withinMs = firstContactMs): Promise<boolean> {
  const untilMs = performance.now() + withinMs
  for (let pauseMs = 2; ; ) {
    try {
      await what()
      return true
    } catch {
      if (performance.now() > untilMs) return false
      await sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, 50)
    }
  }
}

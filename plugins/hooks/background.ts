import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'issuer' | 'deferredTasks' | 'expiredSessionSweep' | 'userSweep' | 'renewal' | 'revocation' | 'store'>
type Sweep = Services['expiredSessionSweep' | 'userSweep']

const maxFirstSweepMs = 60_000
/** Instances that start together do not sweep together. */
const jitter = 0.2
/** How long shutdown waits for token requests in flight and for renewed grants that are not saved yet. */
const settleMs = 15_000
/** How long it then waits for providers that are being asked to revoke. */
const revocationMs = 1_000

/** Work that no request waits for: revocations that are due, sessions that expired. Here is also what ends in which order at shutdown. */
async function background(
  app: FastifyInstance,
  { issuer, deferredTasks, expiredSessionSweep, userSweep, renewal, revocation, store }: Options
) {
  const sweeps: readonly Sweep[] = [expiredSessionSweep, userSweep]
  const timers = new Map<Sweep, NodeJS.Timeout>()
  let isWarned = false
  let isClosed = false

  async function run(sweep: Sweep): Promise<void> {
    try {
      const swept = await sweep.runOnce()
      if (swept && swept.owners + swept.grants > 0) app.log.info(swept, 'expired records were deleted, and their grants are being revoked')
      isWarned = false
    } catch (error) {
      const { code, cause } = error as { code?: string; cause?: Error }
      // Once: a Redis user without the right to SCAN would be logged for ever.
      if (!isWarned) app.log.warn({ code, reason: cause?.message }, 'expired records cannot be listed, so their grants are not revoked')
      isWarned = true
    }
    if (!isClosed) runIn(sweep, sweep.intervalMs)
  }

  function runIn(sweep: Sweep, ms: number): void {
    timers.set(sweep, setTimeout(run, ms * (1 - jitter / 2 + jitter * Math.random()), sweep).unref())
  }

  app.addHook('onReady', async () => {
    revocation.start()
    // Nobody waits: a request that comes before has its own.
    void issuer?.preload()
    for (const sweep of sweeps) runIn(sweep, Math.min(sweep.intervalMs, maxFirstSweepMs))
  })
  app.addHook('onClose', async () => {
    isClosed = true
    for (const timer of timers.values()) clearTimeout(timer)
    for (const sweep of sweeps) sweep.close()
    deferredTasks.close()
    issuer?.close()
    await renewal.settle(settleMs)
    await revocation.close(revocationMs)
    // Last: all of the above writes to it.
    await store.close()
  })
}

export default fp(background, { name: 'background' })

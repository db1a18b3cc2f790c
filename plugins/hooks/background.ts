import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'deferredTasks' | 'expiredSessionSweep' | 'renewal' | 'revocation' | 'store'>

const maxFirstSweepMs = 60_000
/** Instances that start together do not sweep together. */
const jitter = 0.2
/** How long shutdown waits for token requests in flight and for renewed grants that are not saved yet. */
const settleMs = 15_000
/** How long it then waits for providers that are being asked to revoke. */
const revocationMs = 1_000

/** Work that no request waits for: revocations that are due, sessions that expired. Here is also what ends in which order at shutdown. */
async function background(app: FastifyInstance, { deferredTasks, expiredSessionSweep, renewal, revocation, store }: Options) {
  let timer: NodeJS.Timeout | undefined
  let isWarned = false
  let isClosed = false

  async function sweep(): Promise<void> {
    try {
      const swept = await expiredSessionSweep.runOnce()
      if (swept && swept.owners > 0) app.log.info(swept, 'expired sessions were deleted, and their grants are being revoked')
      isWarned = false
    } catch (error) {
      const { code, cause } = error as { code?: string; cause?: Error }
      // Once: a Redis user without the right to SCAN would be logged for ever.
      if (!isWarned) app.log.warn({ code, reason: cause?.message }, 'expired sessions cannot be listed, so their grants are not revoked')
      isWarned = true
    }
    if (!isClosed) sweepIn(expiredSessionSweep.intervalMs)
  }

  function sweepIn(ms: number): void {
    timer = setTimeout(sweep, ms * (1 - jitter / 2 + jitter * Math.random())).unref()
  }

  app.addHook('onReady', async () => {
    revocation.start()
    sweepIn(Math.min(expiredSessionSweep.intervalMs, maxFirstSweepMs))
  })
  app.addHook('onClose', async () => {
    isClosed = true
    clearTimeout(timer)
    expiredSessionSweep.close()
    deferredTasks.close()
    await renewal.settle(settleMs)
    await revocation.close(revocationMs)
    // Last: all of the above writes to it.
    await store.close()
  })
}

export default fp(background, { name: 'background' })

import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { createExpiredSessionSweep, type ExpiredSessionSweep } from '../../src/core/oauth/expired-sessions.ts'
import type { Clock } from '../../src/core/ports.ts'
import type { SessionLimits } from '../../src/core/session.ts'

declare module 'fastify' {
  interface FastifyInstance {
    expiredSessionSweep: ExpiredSessionSweep
  }
}

const longestFirstMs = 60_000
/** Instances that start together do not ask together. */
const jitter = 0.2

/** From time to time, what ended sessions have left behind is revoked at its providers and erased. */
async function endedSessions(app: FastifyInstance, { limits, clock }: { limits: SessionLimits; clock: Clock }) {
  const sweep = createExpiredSessionSweep({ store: app.store, cipher: app.cipher, limits, clock, revocation: app.revocation })
  app.decorate('expiredSessionSweep', sweep)
  let timer: NodeJS.Timeout | undefined
  let isSaid = false
  let isOver = false

  const round = async () => {
    try {
      const swept = await sweep.runOnce()
      if (swept && swept.owners > 0) app.log.info(swept, 'sessions that had ended are erased, and their grants are being revoked')
      isSaid = false
    } catch (error) {
      const { code, cause } = error as { code?: string; cause?: Error }
      // Redis that is down says so elsewhere; one whose user may not look for names would say so for ever.
      if (!isSaid) app.log.warn({ code, reason: cause?.message }, 'ended sessions cannot be looked for, so their grants are not revoked')
      isSaid = true
    }
    if (!isOver) after(sweep.intervalMs)
  }
  function after(ms: number): void {
    timer = setTimeout(round, ms * (1 - jitter / 2 + jitter * Math.random())).unref()
  }

  app.addHook('onReady', async () => after(Math.min(sweep.intervalMs, longestFirstMs)))
  app.addHook('onClose', async () => {
    sweep.close()
    isOver = true
    clearTimeout(timer)
  })
}

export default fp(endedSessions, { name: 'ended-sessions', dependencies: ['vault', 'grants'] })

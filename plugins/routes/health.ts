import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Services } from '../../src/services.ts'

/** Whether the gateway is shutting down gracefully. */
export type ShutdownState = { isShuttingDown: boolean }

/** For load balancers: `live` says that the process runs, `ready` that it can serve requests now and is not about to stop. */
async function health(app: FastifyInstance, { store, shutdown }: Pick<Services, 'store'> & { shutdown: ShutdownState }) {
  // From the start of a shutdown on, clients open their next connection elsewhere.
  app.addHook('onSend', async (_request, reply) => {
    if (shutdown.isShuttingDown) reply.header('connection', 'close')
  })

  app.get('/health/live', async () => ({ status: 'live' }))

  app.get('/health/ready', async (_request, reply) => {
    if (shutdown.isShuttingDown) return reply.code(503).send({ status: 'leaving' })
    await store.ping()
    return { status: 'ready' }
  })
}

export default fp(health, { name: 'health', dependencies: ['errors'] })

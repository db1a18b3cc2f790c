import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** From now on balancers are told to send nobody here any more, and clients to come by another connection. */
    startShutdown(): void
    isShuttingDown(): boolean
  }
}

/** For balancers: `live` says that the process runs, `ready` that it can do its work now and will go on. */
async function health(app: FastifyInstance) {
  let leaving = false
  app.decorate('startShutdown', () => {
    leaving = true
  })
  app.decorate('isShuttingDown', () => leaving)
  app.addHook('onSend', async (_request, reply) => {
    if (leaving) reply.header('connection', 'close')
  })

  app.get('/health/live', async () => ({ status: 'live' }))

  app.get('/health/ready', async (_request, reply) => {
    if (leaving) return reply.code(503).send({ status: 'leaving' })
    await app.store.ping()
    return { status: 'ready' }
  })
}

export default fp(health, { name: 'health', dependencies: ['vault', 'errors'] })

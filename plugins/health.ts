import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/** For balancers: `live` says that the process runs, `ready` that it can do its work now. */
async function health(app: FastifyInstance) {
  app.get('/health/live', async () => ({ status: 'live' }))

  app.get('/health/ready', async () => {
    await app.store.ping()
    return { status: 'ready' }
  })
}

export default fp(health, { name: 'health', dependencies: ['vault', 'errors'], encapsulate: true })

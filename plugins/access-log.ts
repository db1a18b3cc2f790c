import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whoever knows the address may use it: logs have its pattern. */
    secretPath?: boolean
  }
}

/** One line a request. The address stands in it without its query: a callback's holds the state and the code. */
async function accessLog(app: FastifyInstance) {
  app.addHook('onResponse', async (request, reply) => {
    if (request.url.startsWith('/health/')) return
    const { url: pattern, config } = request.routeOptions
    const url = (config.secretPath ? pattern : request.raw.url) ?? ''
    const queryAt = url.indexOf('?')
    request.log.info(
      {
        method: request.method,
        path: queryAt === -1 ? url : url.slice(0, queryAt),
        status: reply.raw.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10
      },
      'request'
    )
  })
}

export default fp(accessLog, { name: 'access-log' })

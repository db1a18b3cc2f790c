import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whoever knows the address may use it: logs have its pattern. */
    secretPath?: boolean
  }
}

/** Of a path: a line that is longer than a pipe takes at once may be cut into by another process's. */
const mostCharacters = 2_000

/** One line a request. The address stands in it without its query: a callback's holds the state and the code. */
async function accessLog(app: FastifyInstance) {
  app.addHook('onResponse', (request, reply, done) => {
    done()
    if (request.url.startsWith('/health/')) return
    request.log.info(
      {
        method: request.method,
        path: pathOf(request),
        status: reply.raw.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10
      },
      'request'
    )
  })
}

function pathOf({ originalUrl: url, routeOptions }: FastifyRequest): string {
  const { url: pattern, config } = routeOptions ?? {}
  // A preflight has a route for every address.
  if (pattern === undefined || pattern === '*') return beginningOf(url)
  if (config?.secretPath) return pattern
  const queryAt = url.indexOf('?')
  const path = queryAt === -1 ? url : url.slice(0, queryAt)
  return path.length > mostCharacters ? `${path.slice(0, mostCharacters)}…` : path
}

/** Where no route says whether an address is a secret, as with a slip in one, it is shown as far as it can hold none. */
function beginningOf(url: string): string {
  const [beginning, rest] = /^\/[\w.-]{0,24}(?=([/?]|$))/.exec(url) ?? ['/', '…']
  return rest ? `${beginning}…` : beginning
}

export default fp(accessLog, { name: 'access-log' })

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type DestinationStream, type Logger, symbols } from 'pino'

declare module 'fastify' {
  interface FastifyInstance {
    /** Has a line written when the request ends. A hook does it; for what goes wrong before there is a route, there is none. */
    logRequest(request: FastifyRequest, reply: FastifyReply): void
  }
  interface FastifyContextConfig {
    /** Whoever knows the address may use it: logs have its pattern. */
    secretPath?: boolean
  }
  interface FastifyReply {
    /** The response was broken off from here, and not by its client. */
    isAborted: boolean
  }
}

/** Of a path: a line that is longer than a pipe takes at once may be cut into by another process's. */
const maxCharacters = 2_000

/** One line a request. The address stands in it without its query: a callback's holds the state and the code. */
async function accessLog(app: FastifyInstance, { logger }: { logger: Logger }) {
  app.decorateReply('isAborted', false)
  const isOff = !logger.isLevelEnabled('info')
  const writeLine = lineWriter(logger)
  app.decorate('logRequest', noteRequest)
  if (isOff) return
  app.addHook('onRequest', (request, reply, done) => {
    noteRequest(request, reply)
    done()
  })

  function noteRequest(request: FastifyRequest, reply: FastifyReply): void {
    // Not `onResponse`, which is told of no response whose client has gone.
    if (!isOff && !request.url.startsWith('/health/')) reply.raw.on('close', () => writeLine(request, reply))
  }
}

/** Of a logger: where its lines go, and what stands in all of them, which begins with a comma. */
type LoggerParts = Logger & { readonly [symbols.streamSym]: DestinationStream; readonly [symbols.chindingsSym]: string }

/**
 * Writes the line that `log.info(fields, 'request')` of the request's own logger would, where that would write it. To put it together from
 * what never changes and a few values costs a small call up to a tenth less: pino asks of each field what it is and how it is to be shown.
 */
function lineWriter(log: Logger): (request: FastifyRequest, reply: FastifyReply) => void {
  const { [symbols.streamSym]: destination, [symbols.chindingsSym]: bindings } = log as LoggerParts
  const level = log.levels.values.info
  return (request, reply) => {
    const fields = `"requestId":"${request.id}","method":"${request.method}","path":${JSON.stringify(pathOf(request))}`
    const ms = Math.round(reply.elapsedTime * 10) / 10
    destination.write(`{"level":${level},"time":${Date.now()}${bindings},${fields},${outcomeOf(reply)}"ms":${ms},"msg":"request"}\n`)
  }
}

/** What came of a request, each fact with a comma behind it. A client that went before its response began has none. */
function outcomeOf(reply: FastifyReply): string {
  const { statusCode, writableFinished, headersSent } = reply.raw
  const aborted = writableFinished || reply.isAborted ? '' : '"aborted":true,'
  if (!headersSent) return aborted
  const code = statusCode < 400 ? undefined : reply.getHeader('grantkeeper-error')
  return `"status":${statusCode},${code === undefined ? '' : `"code":"${code}",`}${aborted}`
}

function pathOf({ originalUrl: url, routeOptions }: FastifyRequest): string {
  const { url: pattern, config } = routeOptions ?? {}
  // A preflight has a route for every address.
  if (pattern === undefined || pattern === '*') return beginningOf(url)
  if (config?.secretPath) return pattern
  const queryAt = url.indexOf('?')
  const path = queryAt === -1 ? url : url.slice(0, queryAt)
  return path.length > maxCharacters ? `${path.slice(0, maxCharacters)}…` : path
}

/** Where no route says whether an address is a secret, as with a slip in one, it is shown as far as it can hold none. */
function beginningOf(url: string): string {
  const [beginning, rest] = /^\/[\w.-]{0,24}(?=([/?]|$))/.exec(url) ?? ['/', '…']
  return rest ? `${beginning}…` : beginning
}

export default fp(accessLog, { name: 'access-log' })

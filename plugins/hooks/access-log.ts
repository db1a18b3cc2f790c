import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type DestinationStream, type Logger, symbols } from 'pino'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The URL itself is a secret: logs show the route's pattern. */
    secretPath?: boolean
  }
  interface FastifyReply {
    /** The gateway aborted the response, and not the client. */
    isAborted: boolean
  }
}

export type AccessLog = {
  /** Has a line written when the request ends. */
  logRequest(request: FastifyRequest, reply: FastifyReply): void
}

/** An application that embeds the gateway logs its requests itself. */
export const noAccessLog: AccessLog = { logRequest: () => {} }

/** A line longer than PIPE_BUF may be interleaved with another process's. */
const maxPathCharacters = 2_000

/** One line per request. The URL is logged without its query: a callback's holds the state and the code. */
export function createAccessLog(logger: Logger): AccessLog {
  if (!logger.isLevelEnabled('info')) return noAccessLog
  const writeLine = createLineWriter(logger)
  return {
    logRequest(request, reply) {
      // Not `onResponse`: Fastify does not call it when the client disconnects.
      if (!request.url.startsWith('/health/')) reply.raw.on('close', () => writeLine(request, reply))
    }
  }
}

async function accessLog(app: FastifyInstance, { logRequest }: AccessLog) {
  app.decorateReply('isAborted', false)
  app.addHook('onRequest', (request, reply, done) => {
    logRequest(request, reply)
    done()
  })
}

/** pino's internals: the destination of its lines, and the bindings that are in all of them (the text begins with a comma). */
type LoggerInternals = Logger & { readonly [symbols.streamSym]: DestinationStream; readonly [symbols.chindingsSym]: string }

/**
 * Writes the line that `log.info(fields, 'request')` of the request's logger would, to where that would write it. Building it from constant
 * parts and a few values saves up to a tenth of a small request's cost: pino inspects each field.
 */
function createLineWriter(log: Logger): (request: FastifyRequest, reply: FastifyReply) => void {
  const { [symbols.streamSym]: destination, [symbols.chindingsSym]: bindings } = log as LoggerInternals
  const level = log.levels.values.info
  return (request, reply) => {
    const caller = request.serviceKey === undefined ? '' : `,"serviceKey":"${request.serviceKey}"`
    const fields = `"requestId":"${request.id}","method":"${request.method}","path":${JSON.stringify(loggedPath(request))}${caller}`
    const ms = Math.round(reply.elapsedTime * 10) / 10
    destination.write(`{"level":${level},"time":${Date.now()}${bindings},${fields},${responseFields(reply)}"ms":${ms},"msg":"request"}\n`)
  }
}

/** The fields of the response, each followed by a comma. A client that disconnected before its response began has none. */
function responseFields(reply: FastifyReply): string {
  const { statusCode, writableFinished, headersSent } = reply.raw
  const aborted = writableFinished || reply.isAborted ? '' : '"aborted":true,'
  if (!headersSent) return aborted
  const code = statusCode < 400 ? undefined : reply.getHeader('grantkeeper-error')
  return `"status":${statusCode},${code === undefined ? '' : `"code":"${code}",`}${aborted}`
}

function loggedPath({ originalUrl: url, routeOptions }: FastifyRequest): string {
  const { url: pattern, config } = routeOptions ?? {}
  // A preflight request has a route for every URL.
  if (pattern === undefined || pattern === '*') return firstSegment(url)
  if (config?.secretPath) return pattern
  const queryAt = url.indexOf('?')
  const path = queryAt === -1 ? url : url.slice(0, queryAt)
  return path.length > maxPathCharacters ? `${path.slice(0, maxPathCharacters)}…` : path
}

/** No route says whether this URL is a secret, for example a mistyped one: only its first segment, which can hold none, is logged. */
function firstSegment(url: string): string {
  const [segment, rest] = /^\/[\w.-]{0,24}(?=([/?]|$))/.exec(url) ?? ['/', '…']
  return rest ? `${segment}…` : segment
}

export default fp(accessLog, { name: 'access-log' })

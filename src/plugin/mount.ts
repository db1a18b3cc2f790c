import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Host } from '../../plugins/hooks/host.ts'
import { createRequestIds } from '../../plugins/hooks/request-ids.ts'

/** An id of the application that is safe in a header, a log line and a page. */
const plainId = /^[\w.:/+=@-]{1,200}$/

/** In the raw request itself: a WeakMap costs the garbage collector a tenth of a small request's time. */
const hostRequest = Symbol('the request of the application')
const hostHeaders = Symbol('the headers of the application')
const hostType = Symbol('the Content-Type that Fastify would refuse')

type Raw = IncomingMessage & {
  originalUrl?: string
  [hostRequest]?: FastifyRequest
  [hostHeaders]?: readonly string[] | undefined
  [hostType]?: string
}

export function createHostRequests(): Host & { of(raw: IncomingMessage): FastifyRequest } {
  const nextId = createRequestIds()

  function of(raw: Raw): FastifyRequest {
    const request = raw[hostRequest]
    if (!request) throw new Error('the request has come by no route of the application')
    return request
  }

  return {
    of,
    idOf: raw => {
      const id = String(of(raw).id)
      return plainId.test(id) ? id : nextId()
    },
    // `undefined` when the client has disconnected.
    ipOf: raw => of(raw).ip ?? '',
    logOf: raw => of(raw).log,
    headersOf: (raw: Raw) => raw[hostHeaders]
  }
}

/** RFC 9110 §8.3.1, roughly: what Fastify takes for a media type. */
const plausibleType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+\s*(;|$)/

/**
 * Headers that describe a response or say who may read it: those of the gateway's own response count alone. Others that the application's
 * hooks have set, such as Strict-Transport-Security or a trace id, are sent with it.
 */
const ownHeader = /^(access-control-|content-|cache-control$|connection$|etag$|expires$|last-modified$|transfer-encoding$|vary$)/i

/**
 * Routes of an application below `prefix`, which pass requests and responses on as they are: no parser of the application reads a body, no
 * hook of it changes a response. Its hooks before the handler stay in force.
 */
export async function mount(app: FastifyInstance, inner: FastifyInstance, prefix: string): Promise<void> {
  await app.register(
    async scope => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
      scope.addHook('onRequest', (request, _reply, done) => {
        const raw: Raw = request.raw
        const type = raw.headers['content-type']
        // Fastify would refuse it before the handler. The gateway refuses it itself, or forwards it.
        if (type !== undefined && !plausibleType.test(type)) {
          raw[hostType] = type
          raw.headers['content-type'] = 'application/octet-stream'
        }
        done()
      })

      // Its own headers for CORS; nothing for a description of the application's API.
      const options = { config: { cors: false as const }, schema: { hide: true } as object, exposeHeadRoute: false }
      for (const url of ['/', '/*']) scope.all(url, options, (request, reply) => pass(inner, request, reply))
    },
    { prefix }
  )
}

function pass(inner: FastifyInstance, request: FastifyRequest, reply: FastifyReply): void {
  const raw: Raw = request.raw
  const { url, originalUrl = url, [hostType]: type } = raw
  if (type !== undefined) raw.headers['content-type'] = type
  raw[hostRequest] = request
  raw[hostHeaders] = passedHeaders(reply)
  reply.hijack()
  inner.routing(raw, reply.raw)
  // Fastify has rewritten them for the inner router.
  raw.url = url as string
  raw.originalUrl = originalUrl as string
}

function passedHeaders(reply: FastifyReply): readonly string[] | undefined {
  const headers = reply.getHeaders()
  let passed: string[] | undefined
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || ownHeader.test(name)) continue
    passed ??= []
    if (Array.isArray(value)) for (const item of value) passed.push(name, item)
    else passed.push(name, String(value))
  }
  return passed
}

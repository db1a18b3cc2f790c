import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Host } from '../../plugins/hooks/host.ts'
import { createRequestIds } from '../../plugins/hooks/request-ids.ts'

/** Requests that an application's routes pass on, by their raw requests. */
export type HostRequests = Host & {
  add(request: FastifyRequest): void
  /** The application's own request. */
  of(raw: IncomingMessage): FastifyRequest
}

/** An id of the application that is safe in a header, a log line and a page. */
const plainId = /^[\w.:/+=@-]{1,200}$/

export function createHostRequests(): HostRequests {
  const requests = new WeakMap<IncomingMessage, FastifyRequest>()
  const nextId = createRequestIds()

  function of(raw: IncomingMessage): FastifyRequest {
    const request = requests.get(raw)
    if (!request) throw new Error('the request has come by no route of the application')
    return request
  }

  return {
    of,
    add: request => void requests.set(request.raw, request),
    idOf: raw => {
      const id = String(of(raw).id)
      return plainId.test(id) ? id : nextId()
    },
    // `undefined` when the client has disconnected.
    ipOf: raw => of(raw).ip ?? ''
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
export async function mount(app: FastifyInstance, inner: FastifyInstance, requests: HostRequests, prefix: string): Promise<void> {
  await app.register(
    async scope => {
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null))

      const types = new WeakMap<IncomingMessage, string>()
      scope.addHook('onRequest', ({ raw }, _reply, done) => {
        const type = raw.headers['content-type']
        // Fastify would refuse it before the handler. The gateway refuses it itself, or forwards it.
        if (type !== undefined && !plausibleType.test(type)) {
          types.set(raw, type)
          raw.headers['content-type'] = 'application/octet-stream'
        }
        done()
      })

      function pass(request: FastifyRequest, reply: FastifyReply): void {
        const { raw } = request
        const type = types.get(raw)
        if (type !== undefined) raw.headers['content-type'] = type
        requests.add(request)
        for (const [name, value] of Object.entries(reply.getHeaders()))
          if (value !== undefined && !ownHeader.test(name)) reply.raw.setHeader(name, value)
        reply.hijack()
        const target = raw as IncomingMessage & { originalUrl?: string }
        const { url, originalUrl } = target
        inner.routing(raw, reply.raw)
        // Fastify has rewritten it for the inner router.
        target.url = url
        if (originalUrl === undefined) delete target.originalUrl
        else target.originalUrl = originalUrl
      }

      // Its own headers for CORS; nothing for a description of the application's API.
      const options = { config: { cors: false as const }, schema: { hide: true } as object, exposeHeadRoute: false }
      scope.all('/', options, pass)
      scope.all('/*', options, pass)
    },
    { prefix }
  )
}

import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** The client's IP address. Empty when it has disconnected. */
    readonly clientIp: string
  }
  interface FastifyReply {
    /** What an application's hooks have set, as name, value, name, value. `undefined` when it has set nothing. */
    readonly hostHeaders: readonly string[] | undefined
  }
}

/** An application in which the gateway is embedded, and which has received the requests. */
export type Host = {
  /** The id that the application has given to the request. */
  idOf(raw: IncomingMessage): string
  /** The client's IP address, by the proxies that the application trusts. */
  ipOf(raw: IncomingMessage): string
  /** The request's own log. */
  logOf(raw: IncomingMessage): FastifyBaseLogger
  /** Headers for the response, as name, value, name, value; names in lower case. */
  headersOf(raw: IncomingMessage): readonly string[] | undefined
}

async function host(app: FastifyInstance, { host }: { host: Host | undefined }) {
  app.decorateRequest('clientIp', {
    getter: host
      ? function (this: FastifyRequest) {
          return host.ipOf(this.raw)
        }
      : function (this: FastifyRequest) {
          return this.ip ?? ''
        }
  })
  app.decorateReply('hostHeaders', {
    getter: host
      ? function (this: FastifyReply) {
          return host.headersOf(this.request.raw)
        }
      : () => undefined
  })
  if (host)
    app.addHook('onRequest', (request, _reply, done) => {
      // Fastify reads it from the raw request at first use, and the application gets that back as it was.
      void request.originalUrl
      done()
    })
}

export default fp(host, { name: 'host' })

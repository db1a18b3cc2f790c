import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { LinkedList } from '../../src/core/util/linked-list.ts'
import { type BodyPace, hasBody, IncomingBody } from './request-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** `undefined` for a request without a body. */
    incomingBody: IncomingBody | undefined
  }
}

type RequestBodiesOptions = { pace: BodyPace; checkEveryMs: number }

/** Bounds how long request bodies take. Each is read to its end, or its connection is closed, whatever responds to the request and when. */
async function requestBodies(app: FastifyInstance, { pace, checkEveryMs }: RequestBodiesOptions) {
  const bodies = new LinkedList<IncomingBody>()

  app.decorateRequest('incomingBody', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    // A pipelined request after one whose response closes the connection: no response can be sent.
    if (raw.socket.writableEnded) reply.hijack()
    else if (hasBody(raw)) track(request, reply)
    done()
  })
  app.addHook('onSend', ({ incomingBody }, reply, _payload, done) => {
    if (incomingBody?.closesConnection()) reply.header('connection', 'close')
    done()
  })
  let lastCheckMs = performance.now()
  const interval = setInterval(() => {
    const nowMs = performance.now()
    // Time in which this process was blocked does not count against clients.
    const elapsedMs = Math.min(nowMs - lastCheckMs, 2 * checkEveryMs)
    lastCheckMs = nowMs
    for (const body of bodies) {
      if (body.isOver) remove(body)
      else body.check(elapsedMs)
    }
  }, checkEveryMs).unref()
  app.addHook('onClose', () => clearInterval(interval))

  function track(request: FastifyRequest, reply: FastifyReply): void {
    const body = new IncomingBody(request.raw, pace)
    bodies.add(body)
    request.incomingBody = body
    reply.raw.on('finish', () => {
      body.onResponseSent()
      if (body.isOver) remove(body)
    })
  }

  function remove(body: IncomingBody): void {
    if (bodies.remove(body)) body.detach()
  }
}

export default fp(requestBodies, { name: 'bodies', dependencies: ['errors'] })

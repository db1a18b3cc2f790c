import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type BodyPace, IncomingBody } from './request-body.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Its body, when it has one. */
    incomingBody: IncomingBody | undefined
  }
}

type BodiesOptions = { pace: BodyPace; checkEveryMs: number }

/** Each body comes at a pace, and is read to its end or takes its connection with it, whoever has answered the request and when. */
async function requestBodies(app: FastifyInstance, { pace, checkEveryMs }: BodiesOptions) {
  const bodies = new Set<IncomingBody>()

  app.decorateRequest('incomingBody', undefined)
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request
    // It follows one that was told that the connection ends: whatever it asks for, nobody can be answered here.
    if (raw.socket.writableEnded) reply.hijack()
    else if (hasBody(raw)) follow(request, reply)
    done()
  })
  app.addHook('onSend', ({ incomingBody }, reply, _payload, done) => {
    if (incomingBody?.closesConnection()) reply.header('connection', 'close')
    done()
  })
  let lookedMs = performance.now()
  const looks = setInterval(() => {
    const nowMs = performance.now()
    // Time in which this process stood still is not the clients'.
    const sinceMs = Math.min(nowMs - lookedMs, 2 * checkEveryMs)
    lookedMs = nowMs
    for (const body of bodies) {
      if (body.isOver) remove(body)
      else body.look(sinceMs)
    }
  }, checkEveryMs).unref()
  app.addHook('onClose', () => clearInterval(looks))

  function follow(request: FastifyRequest, reply: FastifyReply): void {
    const body = new IncomingBody(request.raw, pace)
    bodies.add(body)
    request.incomingBody = body
    reply.raw.on('finish', () => {
      body.onResponseSent()
      if (body.isOver) remove(body)
    })
  }

  function remove(body: IncomingBody): void {
    if (bodies.delete(body)) body.leaveConnection()
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
}

export default fp(requestBodies, { name: 'bodies', dependencies: ['errors'] })

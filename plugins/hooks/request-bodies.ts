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
async function bodies(app: FastifyInstance, { pace, checkEveryMs }: BodiesOptions) {
  let first: IncomingBody | undefined

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
    for (let body = first; body; body = body.after) {
      if (body.isOver) remove(body)
      else body.look(sinceMs)
    }
  }, checkEveryMs).unref()
  app.addHook('onClose', () => clearInterval(looks))

  function follow(request: FastifyRequest, reply: FastifyReply): void {
    const body = added(new IncomingBody(request.raw, pace))
    request.incomingBody = body
    reply.raw.on('finish', () => {
      body.onResponseSent()
      if (body.isOver) remove(body)
    })
  }

  // A list of its own: to find an object's place in a Set, V8 gives it a hash first.
  function added(body: IncomingBody): IncomingBody {
    body.after = first
    if (first) first.before = body
    first = body
    return body
  }

  function remove(body: IncomingBody): void {
    if (body !== first && !body.before) return // It has left already.
    if (body.before) body.before.after = body.after
    else first = body.after
    if (body.after) body.after.before = body.before
    body.before = undefined
    body.leaveConnection()
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return (length !== undefined && length !== '0') || headers['transfer-encoding'] !== undefined
}

export default fp(bodies, { name: 'bodies', dependencies: ['errors'] })

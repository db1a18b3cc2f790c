import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { flowId } from '../../src/core/flow.ts'
import type { Session, SessionRef } from '../../src/core/session.ts'
import type { OpenedSession } from '../../src/core/vault/vault.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Works when whatever was given may not be taken any more. A gateway that closes waits for nobody. */
    afterDeliveryDeadline(work: () => Promise<unknown>): void
  }
  interface FastifyRequest {
    /** What the session holds that its cookie names. A browser that should have got another cookie for it is given that. */
    openSession(reply: FastifyReply): Promise<OpenedSession | undefined>
  }
  interface FastifyReply {
    /** Gives a session that a connection has begun or turned, and sees to it when the response does not arrive. */
    deliverSession(session: Session): FastifyReply
    /**
     * Gives once more what the browser proves to have been given in a response that it has not got.
     * @param shown the live session that the request shows. @param begun what a sign-in of this browser began
     * @returns the session that is given
     */
    resendSession(shown: Session | undefined, begun?: SessionRef): Promise<Session | undefined>
  }
}

type DeliveryOptions = {
  /** How long what was not delivered is kept for whoever asks again: as long as a sign-in may take. */
  undeliveredMs: number
}

/** Sessions are given in responses, and responses get lost. */
async function delivery(app: FastifyInstance, { undeliveredMs }: DeliveryOptions) {
  const waiting = new Set<NodeJS.Timeout>()

  app.decorateReply('deliverSession', function (this: FastifyReply, session: Session) {
    onceLost(this, () => void lost(session))
    return this.setSessionCookie(session).reassignFlows(session.owner)
  })

  /** Whatever is tried here in vain ends by its time: the predecessor after its grace, the session when it was idle for too long. */
  async function lost(session: Session): Promise<void> {
    try {
      if (session.undelivered?.predecessor !== undefined) await app.vault.undoRotation(session)
      else app.afterDeliveryDeadline(async () => Promise.all((await app.vault.endUndelivered(session)).map(app.revoke)))
    } catch (error) {
      app.log.warn({ code: (error as { code?: unknown }).code }, 'a session that was not delivered could not be taken back')
    }
  }

  app.decorate('afterDeliveryDeadline', (work: () => Promise<unknown>) => {
    const timer = setTimeout(() => {
      waiting.delete(timer)
      work().catch(error => app.log.warn({ code: error.code }, 'what was not delivered could not be ended'))
    }, undeliveredMs).unref()
    waiting.add(timer)
  })

  app.decorateReply('resendSession', async function (this: FastifyReply, shown: Session | undefined, begun?: SessionRef) {
    const { request } = this
    const next = shown ? shown.superseded && { owner: shown.owner, id: shown.superseded.by } : begun
    const session = next && (await app.vault.resend(next, request, shown))
    if (!session) return undefined
    this.deliverSession(session).clearFlowCookies(request.flows.filter(flow => flowId(flow) === session.undelivered?.flow))
    return session
  })

  app.decorateRequest('openSession', async function (this: FastifyRequest, reply: FastifyReply) {
    const held = this.sessionRef && (await app.vault.openAll(this.sessionRef, this))
    if (held) {
      this.touchSession(held.session)
      await reply.resendSession(held.session.value)
    }
    return held
  })

  app.addHook('onClose', async () => {
    for (const timer of waiting) clearTimeout(timer)
  })
}

/** What the client has not taken when its connection closes has not arrived, as far as can be known here. */
function onceLost({ raw }: FastifyReply, callBack: () => void): void {
  if (raw.destroyed) callBack()
  else raw.once('close', () => raw.writableFinished || callBack())
}

export default fp(delivery, { name: 'delivery', dependencies: ['session', 'flows', 'vault', 'grants'] })

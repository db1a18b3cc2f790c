import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { flowId } from '../../src/core/flow.ts'
import type { Session, SessionRef } from '../../src/core/session.ts'
import type { OpenedConnections } from '../../src/core/vault/vault.ts'
import type { Services } from '../../src/services.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Whom the request acts for, with all their connections; `undefined` for a browser without a session. A browser that has not got the
     * cookie of its session's successor, because the response was lost, is sent it again with this response.
     */
    openConnections(reply: FastifyReply): Promise<OpenedConnections | undefined>
  }
  interface FastifyReply {
    /** Sends the cookie of a session that a connection began or rotated, and undoes that when the response does not arrive. */
    deliverSession(session: Session): FastifyReply
    /**
     * Sends a session's cookie again, to a browser that proves that it was sent it in a response that got lost.
     * @param presented the live session that the request shows
     * @param started the session that a sign-in of this browser started
     * @returns the session whose cookie is sent
     */
    resendSession(presented: Session | undefined, started?: SessionRef): Promise<Session | undefined>
  }
}

type Options = Pick<Services, 'vault' | 'revocation' | 'deferredTasks'>

/** Sessions are delivered in responses, and responses get lost. */
async function sessionDelivery(app: FastifyInstance, { vault, revocation, deferredTasks }: Options) {
  app.decorateReply('deliverSession', function (this: FastifyReply, session: Session) {
    onLost(this, () => void undo(session))
    return this.setSessionCookie(session).reassignFlows(session.owner)
  })

  /** If this fails, everything expires by itself: the predecessor after its grace period, the session when it was idle for too long. */
  async function undo(session: Session): Promise<void> {
    try {
      if (session.undelivered?.predecessor !== undefined) await vault.undoRotation(session)
      else deferredTasks.schedule(async () => Promise.all((await vault.endUndelivered(session)).map(revocation.revoke)))
    } catch (error) {
      app.log.warn({ code: (error as { code?: unknown }).code }, 'a session whose response was lost could not be restored')
    }
  }

  app.decorateReply('resendSession', async function (this: FastifyReply, presented: Session | undefined, started?: SessionRef) {
    const { request } = this
    const next = presented ? presented.superseded && { owner: presented.owner, id: presented.superseded.by } : started
    const session = next && (await vault.resend(next, request, presented))
    if (!session) return undefined
    this.deliverSession(session).clearFlowCookies(request.flows.filter(flow => flowId(flow) === session.undelivered?.flow))
    return session
  })

  app.decorateRequest('openConnections', async function (this: FastifyRequest, reply: FastifyReply) {
    const opened = await this.openAll()
    if (!opened) return undefined
    this.touch(opened)
    if (opened.session) await reply.resendSession(opened.session.value)
    return opened
  })
}

/** A response that the client has not read when its connection closes counts as lost. */
function onLost({ raw }: FastifyReply, listener: () => void): void {
  if (raw.destroyed) listener()
  else raw.once('close', () => raw.writableFinished || listener())
}

export default fp(sessionDelivery, { name: 'session-delivery', dependencies: ['principal', 'session', 'flows'] })

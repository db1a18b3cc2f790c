import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Connection, needsNoRenewal } from '../../src/core/connections/connection.ts'
import { connectionRequired } from '../../src/core/connections/errors.ts'
import { connectionView, connectionViews } from '../../src/core/connections/view.ts'
import type { Clock } from '../../src/core/ports.ts'

type Named = { Params: { provider: string } }

/** What this session is connected to, and ending that. */
async function connections(app: FastifyInstance, { publicUrl, clock }: { publicUrl: string; clock: Clock }) {
  // None of these routes takes a body, so none is read: a frontend's habitual `Content-Type: application/json` is no fault.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  app.get('/connections', async (request, reply) => {
    const held = await request.openSession(reply)
    return { connections: connectionViews(app.providers, held, publicUrl) }
  })

  app.post<Named>('/connections/:provider/refresh', async request => {
    const settings = app.getProvider(request.params.provider)
    const { definition } = settings
    const held = request.sessionRef && (await app.vault.openAll(request.sessionRef, request))
    const connection = held?.connections.get(definition.name)?.value
    if (!held || !connection) throw connectionRequired(definition.name)
    request.touchSession(held.session)
    const fresh = needsNoRenewal(connection, clock.now()) ? connection : await refreshed(request, held.session.value.owner, connection)
    return connectionView(settings, { connection: fresh, lastUsedMs: held.session.value.lastUsedMs[definition.name], publicUrl })
  })

  async function refreshed(request: FastifyRequest, owner: string, connection: Connection): Promise<Connection> {
    await request.consumeRateLimit('refresh')
    return (await app.renew(owner, connection)).value
  }

  /** What is gone here is told to its providers, and said to be gone once no server of the store that takes over brings it back. */
  async function erased({ sessionRef }: FastifyRequest, connections: readonly Connection[]): Promise<void> {
    const revoking = connections.map(app.revoke)
    if (sessionRef) await app.store.confirmReplicated(sessionRef.owner)
    await Promise.all(revoking)
  }

  app.delete<Named>('/connections/:provider', async (request, reply) => {
    const { definition } = app.getProvider(request.params.provider)
    // Whatever has become of the session that the cookie names: it was this owner's, and what is answered must be true.
    const connection = request.sessionRef && (await app.vault.disconnect(request.sessionRef.owner, definition.name))
    await erased(request, connection ? [connection] : [])
    return reply.code(204).send()
  })

  app.post('/logout', async (request, reply) => {
    // Also by a cookie whose id has turned, in whoever's hands: who has the new one may be a thief.
    await erased(request, request.sessionRef ? await app.vault.endSession(request.sessionRef.owner) : [])
    return reply.clearSessionCookie().clearFlowCookies(request.flows).code(204).send()
  })
}

export default fp(connections, {
  name: 'connections',
  dependencies: ['providers', 'session', 'flows', 'vault', 'grants', 'delivery', 'rate-limits', 'errors'],
  encapsulate: true
})

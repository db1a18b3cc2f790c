import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Connection, needsNoRenewal } from '../../src/core/connections/connection.ts'
import { ConnectionKey } from '../../src/core/connections/connection-key.ts'
import { connectionRequired } from '../../src/core/connections/errors.ts'
import { connectionView, connectionViews } from '../../src/core/connections/view.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'providers' | 'publicUrl' | 'clock' | 'store' | 'vault' | 'renewal' | 'revocation'>
type ByProvider = { Params: { provider: string } }

/** What the session is connected to, and how its connections end. */
async function connections(app: FastifyInstance, { providers, publicUrl, clock, store, vault, renewal, revocation }: Options) {
  // None of these routes takes a body, so none is parsed: a frontend may send `Content-Type: application/json` with every request.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  app.get('/connections', async (request, reply) => {
    const opened = await request.openSession(reply)
    return { connections: connectionViews(providers, opened, publicUrl) }
  })

  app.post<ByProvider>('/connections/:provider/refresh', async request => {
    const settings = findProvider(providers, request.params.provider)
    const { name } = settings.definition
    const opened = request.sessionRef && (await vault.openAll(request.sessionRef, request))
    const connection = opened?.connections.get(name)?.value
    if (!opened || !connection) throw connectionRequired(name)
    request.touchSession(opened.session)
    const session = opened.session.value
    const current = needsNoRenewal(connection, clock.now())
      ? connection
      : await renewed(request, new ConnectionKey(session.owner, name), connection)
    return connectionView(settings, { connection: current, lastUsedMs: session.lastUsedMs[name], publicUrl })
  })

  async function renewed(request: FastifyRequest, key: ConnectionKey, connection: Connection): Promise<Connection> {
    await request.consumeRateLimit('refresh')
    return (await renewal.renew(key, connection)).value
  }

  /** Revokes deleted connections. The response is sent once a replica has the deletion, so that a failover cannot bring them back. */
  async function revokeDeleted({ sessionRef }: FastifyRequest, deleted: readonly Connection[]): Promise<void> {
    const revoking = deleted.map(revocation.revoke)
    if (sessionRef) await store.confirmReplicated(sessionRef.owner)
    await Promise.all(revoking)
  }

  app.delete<ByProvider>('/connections/:provider', async (request, reply) => {
    const { name } = findProvider(providers, request.params.provider).definition
    // Whether or not the session is still live: the cookie was sealed for this owner, and the response must be true.
    const { sessionRef } = request
    const deleted = sessionRef && (await vault.disconnect(new ConnectionKey(sessionRef.owner, name)))
    await revokeDeleted(request, deleted ? [deleted] : [])
    return reply.code(204).send()
  })

  app.post('/logout', async (request, reply) => {
    // Also with a cookie whose id was rotated: whoever has the newer one may be a thief.
    await revokeDeleted(request, request.sessionRef ? await vault.endSession(request.sessionRef.owner) : [])
    return reply.clearSessionCookie().clearFlowCookies(request.flows).code(204).send()
  })
}

export default fp(connections, {
  name: 'connections',
  dependencies: ['session', 'flows', 'session-delivery', 'rate-limits', 'errors'],
  encapsulate: true
})

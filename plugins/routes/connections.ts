import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Connection, needsNoRenewal } from '../../src/core/connections/connection.ts'
import { connectionRequired, connectionUnknown, parseAccount } from '../../src/core/connections/errors.ts'
import { connectionView, connectionViews } from '../../src/core/connections/view.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { isUserOwner } from '../../src/core/users/owner.ts'
import { requestedConnection } from '../../src/core/users/requested-connection.ts'
import type { OwnedConnections, StoredConnection } from '../../src/core/vault/owned-connections.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'providers' | 'publicUrl' | 'clock' | 'vault' | 'renewal' | 'disconnect' | 'disconnectAll'>
type ByProvider = { Params: { provider: string } }
type ById = { Params: { provider: string; id: string } }

/** What a user or a browser is connected to, and how connections end. */
async function connections(app: FastifyInstance, { providers, publicUrl, clock, vault, renewal, disconnect, disconnectAll }: Options) {
  await app.register(async context => {
    // None of these routes takes a body, so none is parsed: a frontend may send `Content-Type: application/json` with every request.
    context.removeAllContentTypeParsers()
    context.addContentTypeParser('*', (_request, payload, done) => {
      payload.resume()
      done(null)
    })

    context.get('/connections', async (request, reply) => {
      const opened = await request.openConnections(reply)
      const { user } = opened ?? {}
      return {
        ...(user && { user: { id: user.id, ...(user.name !== undefined && { name: user.name }) } }),
        connections: connectionViews(providers, opened?.connections, publicUrl)
      }
    })

    context.post<ByProvider>('/connections/:provider/refresh', async request => {
      const settings = findProvider(providers, request.params.provider)
      const { name } = settings.definition
      const opened = await request.openAll()
      const id = requestedConnection(request.raw.rawHeaders) ?? accountIn(request.query)
      const stored = opened?.connections.get(name, id)
      if (!opened || !stored) throw id === undefined ? connectionRequired(name) : connectionUnknown(name)
      request.touch(opened)
      const current = needsNoRenewal(stored.value, clock.now()) ? stored.value : await renewed(request, stored)
      return viewOf(name, opened.connections, stored, current)
    })

    context.delete<ByProvider>('/connections/:provider', async (request, reply) => {
      const { name } = findProvider(providers, request.params.provider).definition
      await disconnect(await ownerOf(request), name, requestedConnection(request.raw.rawHeaders) ?? accountIn(request.query))
      return reply.code(204).send()
    })

    context.delete<ById>('/connections/:provider/:id', async (request, reply) => {
      const { name } = findProvider(providers, request.params.provider).definition
      await disconnect(await ownerOf(request), name, request.params.id)
      return reply.code(204).send()
    })

    context.delete('/connections', async (request, reply) => {
      if (requestedConnection(request.raw.rawHeaders) !== undefined)
        throw new GatewayError(
          'parameters_invalid',
          'This deletes all connections. To delete one, name its provider: DELETE /connections/NAME/ID.'
        )
      await disconnectAll(await ownerOf(request))
      return reply.code(204).send()
    })
  })

  app.put<ByProvider & { Body: unknown }>('/connections/:provider/default', async request => {
    const { name } = findProvider(providers, request.params.provider).definition
    const id = (request.body as { id?: unknown } | null | undefined)?.id
    const opened = await request.openAll()
    if (!opened) throw connectionUnknown(name)
    const stored = typeof id === 'string' ? await vault.setDefault(opened.owner, name, id) : undefined
    if (!stored) throw connectionUnknown(name)
    return connectionView(findProvider(providers, name), { connection: stored.value, publicUrl })
  })

  function viewOf(name: string, connections: OwnedConnections, { key }: StoredConnection, connection: Connection) {
    const isDefault = connections.get(name)?.key.slot === key.slot
    return connectionView(findProvider(providers, name), { connection, isDefault, publicUrl })
  }

  async function renewed(request: FastifyRequest, { key, value }: StoredConnection): Promise<Connection> {
    await request.consumeRateLimit('refresh')
    return (await renewal.renew(key, value)).value
  }

  /**
   * Whose connections a request deletes. For a browser that nobody is signed in to, whether or not the session is still live: the cookie
   * was sealed for this owner, and the response must be true.
   */
  async function ownerOf(request: FastifyRequest): Promise<string | undefined> {
    const principal = await request.principal()
    return principal && isUserOwner(principal.owner) ? (await request.open())?.owner : principal?.owner
  }
}

/** `?account=ID`, as where a sign-in begins. */
const accountIn = (query: unknown): string | undefined => parseAccount((query as { account?: unknown }).account)

export default fp(connections, {
  name: 'connections',
  dependencies: ['principal', 'session', 'flows', 'session-delivery', 'rate-limits', 'errors'],
  encapsulate: true
})

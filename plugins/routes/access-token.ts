import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { isLoopback } from '../../src/config/urls.ts'
import { type Connection, isExpired } from '../../src/core/connections/connection.ts'
import { connectionRequired, connectionUnknown, parseAccount, reconnectRequired } from '../../src/core/connections/errors.ts'
import { timestamp } from '../../src/core/connections/view.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { requestedConnection } from '../../src/core/users/requested-connection.ts'
import type { StoredConnection } from '../../src/core/vault/owned-connections.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'providers' | 'publicOrigin' | 'clock' | 'vault' | 'renewal' | 'events'>

/** A token that is handed out is good for so long, where the provider allows. */
const minLifetimeMs = 5 * 60_000

/** `POST /connections/NAME/token`: for a backend that must speak to the vendor itself, with its SDK or a protocol that is not HTTP. */
async function accessToken(app: FastifyInstance, { providers, publicOrigin, clock, vault, renewal, events }: Options) {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null)
  })

  app.post<{ Params: { provider: string } }>('/connections/:provider/token', async (request, reply) => {
    const principal = request.hasBearer ? await request.principal() : undefined
    if (!principal?.user || !principal.mayReadTokens)
      throw new GatewayError('not_allowed', 'Only a service key that its operator lists with ":token" may be handed access tokens.')
    if (!publicOrigin.isHttps && !isLoopback(publicOrigin.hostname))
      throw new GatewayError('not_allowed', 'Access tokens are handed out over TLS alone. The operator sets an https PUBLIC_URL.')
    const { name } = findProvider(providers, request.params.provider).definition
    const id = requestedConnection(request.raw.rawHeaders) ?? parseAccount((request.query as { account?: unknown }).account)
    const opened = await vault.open(principal, { provider: name, id })
    const stored = opened?.connection
    if (!stored) throw id === undefined ? connectionRequired(name) : connectionUnknown(name)
    if (stored.value.status === 'reconnect_required') throw reconnectRequired(name)
    request.touch(opened, stored)
    const { credential, refreshToken, method, expiresAtMs } = await fresh(stored)
    events.publish('token.read', { owner: opened.owner, provider: name, serviceKey: principal.serviceKey })
    return reply.send({
      accessToken: credential.reveal(),
      // A key that is exchanged for access tokens is renewed as a grant is, and stays here.
      tokenType: method === 'oauth2' || refreshToken ? 'Bearer' : 'api_key',
      ...(expiresAtMs !== undefined && { expiresAt: timestamp(expiresAtMs) })
    })
  })

  /** Renewed if it ends soon. A token that still works is better than the error of a renewal. */
  async function fresh({ key, value }: StoredConnection): Promise<Connection> {
    const endsInMs = (value.expiresAtMs ?? Number.POSITIVE_INFINITY) - clock.now()
    const { lifetimeMs = Number.POSITIVE_INFINITY } = value
    // A token that never lives for so long would be renewed each time.
    const wantedMs = lifetimeMs > minLifetimeMs ? minLifetimeMs : lifetimeMs / 2
    if (endsInMs >= wantedMs || !value.refreshToken) return value
    try {
      return (await renewal.renew(key, value)).value
    } catch (error) {
      if (isExpired(value, clock.now())) throw error
      return value
    }
  }
}

export default fp(accessToken, {
  name: 'access-token',
  dependencies: ['principal', 'session', 'errors', 'security'],
  encapsulate: true
})

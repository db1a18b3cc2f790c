import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ConnectionKey } from '../../src/core/connections/connection-key.ts'
import { connectionRequired } from '../../src/core/connections/errors.ts'
import { connectionView } from '../../src/core/connections/view.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { connectWithApiKey, parseApiKey } from '../../src/core/proxy/api-key.ts'
import { newId } from '../../src/core/session.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'providers' | 'publicUrl' | 'clock' | 'send' | 'vault' | 'revocation' | 'addAccount'>

/** `POST /connections/NAME`: connects with an API key. The provider checks the key before it is stored, and it is never shown again. */
async function apiKeys(app: FastifyInstance, { providers, publicUrl, clock, send, vault, revocation, addAccount }: Options) {
  app.post<{ Params: { provider: string }; Body: unknown }>('/connections/:provider', async (request, reply) => {
    const settings = findProvider(providers, request.params.provider)
    const { definition } = settings
    const method = definition.methods.apiKey
    if (!method)
      throw new GatewayError('method_not_allowed', `${definition.title} has no API keys. Open connectUrl to connect.`, { allow: [] })
    const key = parseApiKey((request.body as { apiKey?: unknown } | null)?.apiKey, definition.name)
    const connection = await request.consumeKeyRateLimit(definition.name, async () =>
      addAccount(await connectWithApiKey(send, definition, method, key, clock.now()))
    )

    const session = await request.findSession()
    const owner = session?.owner ?? newId()
    const before = await vault.readConnection(new ConnectionKey(owner, definition.name))
    const result = await vault.connect(owner, session, connection)
    if (result.kind === 'ended' || result.kind === 'unproven') throw connectionRequired(definition.name)
    if (result.kind === 'joined' || result.session.owner === owner) revocation.revokeReplaced(before?.value, connection)
    if (result.kind === 'session') reply.deliverSession(result.session)
    return reply.code(201).send(connectionView(settings, { connection, publicUrl }))
  })
}

export default fp(apiKeys, {
  name: 'api-keys',
  dependencies: ['session', 'flows', 'session-delivery', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})

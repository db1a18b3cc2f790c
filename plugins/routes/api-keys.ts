import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectionRequired } from '../../src/core/connections/errors.ts'
import { connectionView } from '../../src/core/connections/view.ts'
import { GatewayError } from '../../src/core/errors.ts'
import type { Clock } from '../../src/core/ports.ts'
import { connectWithApiKey, parseApiKey } from '../../src/core/proxy/api-key.ts'
import type { Send } from '../../src/core/proxy/forward.ts'
import { newId } from '../../src/core/session.ts'

type ApiKeysOptions = { publicUrl: string; send: Send; clock: Clock }

/** `POST /connections/NAME`: a connection by a key that the person pasted. It is shown to the provider before it is kept, and to nobody after. */
async function apiKeys(app: FastifyInstance, { publicUrl, send, clock }: ApiKeysOptions) {
  app.post<{ Params: { provider: string }; Body: unknown }>('/connections/:provider', async (request, reply) => {
    const settings = app.getProvider(request.params.provider)
    const { definition } = settings
    const method = definition.methods.apiKey
    if (!method)
      throw new GatewayError('method_not_allowed', `${definition.title} has no API keys. Open connectUrl to connect.`, { allow: [] })
    const key = parseApiKey((request.body as { apiKey?: unknown } | null)?.apiKey, definition.name)
    const connection = await request.consumeKeyRateLimit(definition.name, () =>
      connectWithApiKey(send, definition, method, key, clock.now())
    )

    const session = await request.findSession()
    const owner = session?.owner ?? newId()
    const before = await app.vault.readConnection(owner, definition.name)
    const kept = await app.vault.connect(owner, session, connection)
    if (kept === 'ended' || kept === 'unproven') throw connectionRequired(definition.name)
    if (kept === 'joined' || kept.owner === owner) app.revokeReplaced(before?.value, connection)
    if (kept !== 'joined') reply.deliverSession(kept)
    return reply.code(201).send(connectionView(settings, { connection, publicUrl }))
  })
}

export default fp(apiKeys, {
  name: 'api-keys',
  dependencies: ['providers', 'session', 'flows', 'vault', 'grants', 'delivery', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})

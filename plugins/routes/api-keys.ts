import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { checkAccount } from '../../src/core/connections/check-account.ts'
import { backend } from '../../src/core/connections/connected-by.ts'
import { connectionRequired, parseAccount, tooManyAccounts } from '../../src/core/connections/errors.ts'
import { connectionView } from '../../src/core/connections/view.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import { parseGivenKey } from '../../src/core/proxy/api-key.ts'
import { newId } from '../../src/core/session.ts'
import type { Services } from '../../src/services.ts'

type Options = Pick<Services, 'providers' | 'publicUrl' | 'vault' | 'revocation' | 'connectWithKey'>

/** `POST /connections/NAME`: connects with an API key, or the fields that the definition asks for. The provider checks the key before it is stored, and it is never shown again. */
async function apiKeys(app: FastifyInstance, { providers, publicUrl, vault, revocation, connectWithKey }: Options) {
  app.post<{ Params: { provider: string }; Body: unknown }>('/connections/:provider', async (request, reply) => {
    const settings = findProvider(providers, request.params.provider)
    const { definition } = settings
    if (!definition.methods.apiKey)
      throw new GatewayError('method_not_allowed', `${definition.title} has no API keys. Open connectUrl to connect.`, { allow: [] })
    // Before the provider sees the key: where users sign in, only they may have one checked.
    await request.open()
    const inBody = (request.body as { account?: unknown } | null)?.account
    const account = parseAccount(inBody ?? (request.query as { account?: unknown }).account)
    if (account !== undefined) checkAccount((await request.openAll())?.connections, definition, account)
    const given = parseGivenKey(settings, request.body)
    // Before the provider is asked: who may not connect learns nothing about a key.
    const opened = await request.open()
    if (opened?.session) request.touch(opened)
    const { user } = (await request.principal()) ?? {}
    const checked = await request.consumeKeyRateLimit(definition.name, () =>
      connectWithKey(definition, given, opened && { owner: opened.owner, account })
    )
    const connection = request.serviceKey === undefined ? checked : { ...checked, connectedBy: backend(request.serviceKey) }
    const owner = opened?.owner ?? newId()
    const result = await vault.connect(owner, opened?.session?.value, connection, { account, user })
    if (result.kind === 'full') throw tooManyAccounts(definition.title)
    if (result.kind === 'ended' || result.kind === 'unproven') throw connectionRequired(definition.name)
    const { stored, isDefault, replaced } = result
    revocation.revokeReplaced(replaced, connection)
    if (result.kind === 'session') reply.deliverSession(result.session)
    return reply.code(201).send(connectionView(settings, { connection: stored.value, isDefault, publicUrl }))
  })
}

export default fp(apiKeys, {
  name: 'api-keys',
  dependencies: ['principal', 'session', 'flows', 'session-delivery', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})

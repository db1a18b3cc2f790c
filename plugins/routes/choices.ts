import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { connectionUnknown } from '../../src/core/connections/errors.ts'
import { connectionView } from '../../src/core/connections/view.ts'
import { findProvider } from '../../src/core/provider/find-provider.ts'
import type { Services } from '../../src/services.ts'

type ById = { Params: { provider: string; id: string }; Body: unknown }

/** `PUT /connections/NAME/ID/choice`: which of the items that the credential reaches a connection uses, such as one of several sites. */
async function choices(app: FastifyInstance, { providers, publicUrl, choose }: Pick<Services, 'providers' | 'publicUrl' | 'choose'>) {
  app.put<ById>('/connections/:provider/:id/choice', async request => {
    const settings = findProvider(providers, request.params.provider)
    const { name } = settings.definition
    const opened = await request.openAll()
    const stored = opened?.connections.get(name, request.params.id)
    if (!opened || !stored) throw connectionUnknown(name)
    request.touch(opened)
    await request.consumeRateLimit('refresh')
    const { value } = await choose(stored, (request.body as { value?: unknown } | null | undefined)?.value)
    const isDefault = opened.connections.get(name)?.key.slot === stored.key.slot
    return connectionView(settings, { connection: value, isDefault, publicUrl })
  })
}

export default fp(choices, {
  name: 'choices',
  dependencies: ['principal', 'session', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})

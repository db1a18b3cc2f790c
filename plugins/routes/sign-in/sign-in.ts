import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../../src/core/errors.ts'
import type { Clock, LookupFor } from '../../../src/core/ports.ts'
import type { TokenTimeouts } from '../../../src/oauth2/token-endpoint.ts'
import { isPrefetch } from './prefetch.ts'
import { providerContext } from './provider-context.ts'

type SignInOptions = {
  publicUrl: string
  allowedOrigins: ReadonlySet<string>
  lookupFor: LookupFor
  tokenTimeouts: TokenTimeouts
  clock: Clock
}

/** Sign-in at every provider that has a client, each in a context of its own; and a clear answer for all other names. */
async function signIn(app: FastifyInstance, options: SignInOptions) {
  // A sign-in begins and ends where a person goes. A failure, so that the browser asks again when its person does go there.
  app.addHook('onRequest', async (request, reply) => (isPrefetch(request) ? reply.code(503).send() : undefined))

  for (const { definition, client } of app.providers.values()) {
    const method = definition.methods.oauth2
    if (client && method) app.register(providerContext, { ...options, definition, method, client })
  }
  for (const url of ['/auth/:provider', '/auth/:provider/callback']) {
    app.get<{ Params: { provider: string } }>(url, async request => {
      const { definition } = app.getProvider(request.params.provider)
      throw new GatewayError('provider_unknown', `${definition.title} has no sign-in here; it is connected by a key.`)
    })
  }
}

export default fp(signIn, {
  name: 'sign-in',
  dependencies: ['providers', 'session', 'flows', 'vault', 'grants', 'delivery', 'rate-limits', 'errors'],
  encapsulate: true
})

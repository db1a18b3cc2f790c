import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../../src/core/errors.ts'
import { findProvider } from '../../../src/core/provider/find-provider.ts'
import { isPrefetch } from '../../hooks/navigation.ts'
import { bearerSignIn } from './bearer.ts'
import { callback } from './callback.ts'
import { formPost } from './form-post.ts'
import type { BearerSignInOptions } from './options.ts'
import { start } from './start.ts'

/** Sign-in at every provider that has an OAuth client; and an error that explains, for all other names. */
async function signIn(app: FastifyInstance, options: BearerSignInOptions) {
  const { providers, oauthProviders } = options
  // A prefetch must not begin or finish a sign-in. It fails, so that the browser requests again when its user navigates.
  app.addHook('onRequest', async (request, reply) => (isPrefetch(request) ? reply.code(503).send() : undefined))

  for (const { definition, client } of providers.values()) {
    const method = definition.methods.oauth2
    const oauthProvider = oauthProviders.get(definition.name)
    if (!client || !method || !oauthProvider) continue
    const routeOptions = { ...options, definition, method, client, oauthProvider }
    app.register(start, routeOptions)
    app.register(callback, routeOptions)
    if (method.responseMode === 'form_post') app.register(formPost, routeOptions)
  }
  app.register(bearerSignIn, options)
  for (const url of ['/auth/:provider', '/auth/:provider/callback']) {
    app.get<{ Params: { provider: string } }>(url, async request => {
      const { definition } = findProvider(providers, request.params.provider)
      throw new GatewayError('provider_unknown', `${definition.title} has no sign-in here; it is connected by a key.`)
    })
  }
}

export default fp(signIn, {
  name: 'sign-in',
  dependencies: ['principal', 'session', 'flows', 'session-delivery', 'rate-limits', 'errors'],
  encapsulate: true
})

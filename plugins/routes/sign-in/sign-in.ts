import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../../src/core/errors.ts'
import { findProvider } from '../../../src/core/provider/find-provider.ts'
import { callback } from './callback.ts'
import type { SignInOptions } from './options.ts'
import { start } from './start.ts'

/** Sign-in at every provider that has an OAuth client; and an error that explains, for all other names. */
async function signIn(app: FastifyInstance, options: SignInOptions) {
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
  }
  for (const url of ['/auth/:provider', '/auth/:provider/callback']) {
    app.get<{ Params: { provider: string } }>(url, async request => {
      const { definition } = findProvider(providers, request.params.provider)
      throw new GatewayError('provider_unknown', `${definition.title} has no sign-in here; it is connected by a key.`)
    })
  }
}

/** `Sec-Purpose` is the Fetch standard's; Chromium, Safari and Firefox sent the others before it. */
const purposeHeaders = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'] as const

/** The browser fetches ahead what its user may never open: a link on a page, a suggestion of the address bar, a preview. */
const isPrefetch = ({ headers }: FastifyRequest): boolean =>
  purposeHeaders.some(name => /\b(prefetch|prerender|preview)\b/i.test(String(headers[name] ?? '')))

export default fp(signIn, {
  name: 'sign-in',
  dependencies: ['session', 'flows', 'session-delivery', 'rate-limits', 'errors'],
  encapsulate: true
})

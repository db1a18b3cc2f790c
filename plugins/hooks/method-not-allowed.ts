import type { FastifyInstance, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route that does more than refuse. */
    knownRoutes: KnownRoutes
  }
  interface FastifyContextConfig {
    /** Its handler does nothing but refuse. */
    refusal?: boolean
  }
}

/** Address pattern -> its methods, and whether the addresses of any are secrets. */
type KnownRoutes = Map<string, { readonly methods: Set<string>; secretPath: boolean }>

/** Notes every route that is registered from here on. */
export function collectRoutes(app: FastifyInstance): void {
  const routes: KnownRoutes = new Map()
  app.decorate('knownRoutes', routes)
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.refusal) return
    const known = routes.get(url) ?? { methods: new Set(), secretPath: false }
    for (const name of [method].flat()) known.methods.add(name.toUpperCase())
    known.secretPath ||= config?.secretPath === true
    routes.set(url, known)
  })
}

/** RFC 9110 §15.5.6: an address that exists answers a method it does not know with 405 and what it does. Fastify would say 404. */
async function otherMethods(app: FastifyInstance) {
  for (const [url, { methods, secretPath }] of app.knownRoutes) {
    if (url === '*' || methods.has('OPTIONS')) continue
    const allow = [...methods]
    const others = app.supportedMethods.filter(method => method !== 'OPTIONS' && !methods.has(method)) as HTTPMethods[]
    app.route({
      method: others,
      url,
      config: { refusal: true, secretPath },
      // Before anything is read of the body.
      onRequest: async ({ method }) => {
        throw new GatewayError('method_not_allowed', `${method} is not a method of this address. It knows ${allow.join(', ')}.`, { allow })
      },
      handler: () => undefined
    })
  }
}

export default fp(otherMethods, { name: 'other-methods', dependencies: ['errors'], encapsulate: true })

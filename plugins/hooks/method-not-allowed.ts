import type { FastifyInstance, HTTPMethods } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route only refuses: it is one of those that this plugin adds. */
    refusal?: boolean
  }
}

/** By URL pattern: the methods of its routes, and whether the URL of any of them is a secret. */
export type RegisteredRoutes = ReadonlyMap<string, { readonly methods: Set<string>; secretPath: boolean }>

/** Lists every route that is registered after this call. */
export function collectRoutes(app: FastifyInstance): RegisteredRoutes {
  const routes = new Map<string, { readonly methods: Set<string>; secretPath: boolean }>()
  app.addHook('onRoute', ({ url, method, config }) => {
    if (config?.refusal) return
    const route = routes.get(url) ?? { methods: new Set(), secretPath: false }
    for (const name of [method].flat()) route.methods.add(name.toUpperCase())
    route.secretPath ||= config?.secretPath === true
    routes.set(url, route)
  })
  return routes
}

/** RFC 9110 §15.5.6: a method that a URL does not support gets 405 with the methods that it does. Fastify would send 404. */
async function methodNotAllowed(app: FastifyInstance, { routes }: { routes: RegisteredRoutes }) {
  for (const [url, { methods, secretPath }] of routes) {
    if (url === '*' || methods.has('OPTIONS')) continue
    const allow = [...methods]
    const others = app.supportedMethods.filter(method => method !== 'OPTIONS' && !methods.has(method)) as HTTPMethods[]
    app.route({
      method: others,
      url,
      config: { refusal: true, secretPath },
      // Before any of the body is read.
      onRequest: async ({ method }) => {
        throw new GatewayError('method_not_allowed', `${method} is not a method of this address. It knows ${allow.join(', ')}.`, { allow })
      },
      handler: () => undefined
    })
  }
}

export default fp(methodNotAllowed, { name: 'method-not-allowed', dependencies: ['errors'], encapsulate: true })

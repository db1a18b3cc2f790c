import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../src/core/errors.ts'
import type { ProviderSettings } from '../../src/core/provider/provider.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The providers that are on, by name. A Map, so that no name out of a URL reaches a prototype. */
    providers: ReadonlyMap<string, ProviderSettings>
    /** @throws {GatewayError} `provider_unknown` */
    getProvider(name: string): ProviderSettings
  }
  interface FastifyContextConfig {
    /** The provider that a route belongs to. */
    provider?: string
  }
}

async function providers(app: FastifyInstance, { providers }: { providers: ReadonlyMap<string, ProviderSettings> }) {
  app.decorate('providers', providers)
  app.decorate('getProvider', (name: string) => {
    const settings = providers.get(name)
    if (settings) return settings
    const names = [...providers.keys()].join(', ')
    throw new GatewayError(
      'provider_unknown',
      `There is no provider of this name, or it is off. There are: ${names === '' ? 'none' : names}.`
    )
  })
}

export default fp(providers, { name: 'providers' })

import { GatewayError } from '../errors.ts'
import type { ProviderSettings } from './definition.ts'

/** @throws {GatewayError} `provider_unknown`, naming the providers that are on */
export function findProvider(providers: ReadonlyMap<string, ProviderSettings>, name: string): ProviderSettings {
  const settings = providers.get(name)
  if (settings) return settings
  const names = [...providers.keys()].join(', ')
  throw new GatewayError(
    'provider_unknown',
    `There is no provider of this name, or it is off. There are: ${names === '' ? 'none' : names}.`
  )
}

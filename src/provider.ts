// `grantkeeper/provider`: what a definition needs that is shipped on its own. It loads nothing else of the gateway and no dependency.
export type { ConfiguredProvider, ProviderDefinition, ProviderOptions } from './core/provider/configured-provider.ts'
export { defineProvider } from './core/provider/define-provider.ts'
export type { Provider } from './core/provider/definition.ts'

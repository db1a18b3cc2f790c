import type { ProviderSettings } from '../core/provider/definition.ts'
import { playedDefinition } from '../core/provider/played-definition.ts'
import type { EnvironmentReader } from './environment.ts'
import { readUrl } from './urls.ts'

/** `SANDBOX_URL`: the sandbox that plays every provider, in place of the vendors. */
export const readSandboxUrl = (env: EnvironmentReader, production: boolean): string | undefined =>
  readUrl(env, 'SANDBOX_URL', { production, kind: 'base', example: 'http://127.0.0.1:4000' })?.href

/** A provider as the sandbox plays it: no request goes to the vendor. */
export const atSandbox = (settings: ProviderSettings, sandboxUrl: string): ProviderSettings => ({
  ...settings,
  definition: playedDefinition(settings.definition, sandboxUrl),
  trustedOrigins: [new URL(sandboxUrl).origin]
})

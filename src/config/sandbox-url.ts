import type { Provider, ProviderSettings } from '../core/provider/definition.ts'
import { mapTemplates } from '../core/provider/map-templates.ts'
import { playedDefinition } from '../core/provider/played-definition.ts'
import { originOf } from '../core/provider/request-rules.ts'
import type { EnvironmentReader } from './environment.ts'
import { readUrl } from './urls.ts'

/** `SANDBOX_URL`: the sandbox that plays every provider, in place of the vendors. */
export const readSandboxUrl = (env: EnvironmentReader, production: boolean): string | undefined =>
  readUrl(env, 'SANDBOX_URL', { production, kind: 'base', example: 'http://127.0.0.1:4000' })?.href

/**
 * A provider as the sandbox plays it: no request goes to the vendor. Other servers that the operator has set for single URLs stay.
 * @param vendors the definition without the operator's part
 * @param setOrigins those of the URLs that the operator has set
 */
export function atSandbox(
  settings: ProviderSettings,
  sandboxUrl: string,
  vendors: Provider,
  setOrigins: readonly string[]
): ProviderSettings {
  const kept = setOrigins.filter(origin => !originsOf(vendors).has(origin))
  return {
    ...settings,
    definition: playedDefinition(settings.definition, sandboxUrl, kept),
    trustedOrigins: [new URL(sandboxUrl).origin, ...kept]
  }
}

function originsOf(definition: Provider): ReadonlySet<string> {
  const origins = new Set<string>()
  const same = (template: string) => template
  const url = (template: string) => {
    origins.add(originOf(template))
    return template
  }
  mapTemplates(definition, { url, path: same, header: same, text: same })
  return origins
}

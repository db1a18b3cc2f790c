import type { Config } from '../config/config.ts'
import { variablePrefix } from '../config/provider-settings.ts'

/**
 * What somebody who has just started the gateway wants to know.
 *
 * @param sandboxKeys the keys that the built-in sandbox takes, by provider; `undefined` when it does not run
 */
export function startupBanner(config: Config, storeDescription: string, sandboxKeys: Readonly<Record<string, string>> | undefined): string {
  const names = [...config.providers.values()].map(({ definition }) => definition.title).join(', ')
  const [first] = config.providers.values()
  const prefix = first ? variablePrefix(first.definition) : 'PROVIDER'
  const keys = [...config.providers.values()].flatMap(({ definition: { name, title } }) => {
    const key = sandboxKeys?.[name]
    return key === undefined ? [] : [`${title} ${key}`]
  })
  const next = sandboxKeys
    ? [
        'Providers are played by the built-in sandbox: sign in with any address, nothing leaves this machine.',
        ...(keys.length > 0 ? [`Keys that work there: ${keys.join(', ')}`] : []),
        `To use a real one, register ${config.publicUrl}/auth/${first?.definition.name}/callback there and set ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET.`
      ]
    : config.production
      ? []
      : ['Before production: set NODE_ENV=production, PUBLIC_URL, SESSION_KEYS and TOKEN_KEYS; for several instances REDIS_URL as well.']
  return [
    '',
    `  Grantkeeper is ready: ${config.publicUrl}`,
    '',
    `  Tokens are kept, sealed, in: ${storeDescription}`,
    `  Providers: ${names}`,
    ...next.map(line => `  ${line}`),
    ...config.warnings.map(warning => `  Warning: ${warning}`),
    ''
  ].join('\n')
}

import type { Config } from '../config/config.ts'
import { variablePrefix } from '../config/provider-settings.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

/**
 * What a start prints: the URL, where tokens are stored, the providers, next steps and warnings.
 * @param sandbox `undefined` when it does not run
 */
export function startupBanner(config: Config, storeDescription: string, sandbox: Pick<Sandbox, 'apiKeys' | 'origin'> | undefined): string {
  const names = [...config.providers.values()].map(({ definition }) => definition.title).join(', ')
  const [first] = config.providers.values()
  const prefix = first ? variablePrefix(first.definition) : 'PROVIDER'
  const keys = [...config.providers.values()].flatMap(({ definition: { name, title } }) => {
    const key = sandbox?.apiKeys[name]
    return key === undefined ? [] : [`${title} ${key}`]
  })
  const nextSteps = sandbox
    ? [
        `The built-in sandbox (${sandbox.origin}) stands in for the providers: sign in with any email address, nothing leaves this machine.`,
        ...(keys.length > 0 ? [`API keys that it accepts: ${keys.join(', ')}`] : []),
        `To use a real provider, register ${config.publicUrl}/auth/${first?.definition.name}/callback there and set ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET.`
      ]
    : config.production
      ? []
      : ['Before production: set NODE_ENV=production, PUBLIC_URL, SESSION_KEYS and TOKEN_KEYS, and REDIS_URL for several instances.']
  return [
    '',
    `  Grantkeeper is ready: ${config.publicUrl}`,
    '',
    `  Tokens are stored, encrypted, in: ${storeDescription}`,
    `  Providers: ${names}`,
    ...nextSteps.map(line => `  ${line}`),
    ...config.warnings.map(warning => `  Warning: ${warning}`),
    ''
  ].join('\n')
}

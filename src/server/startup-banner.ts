import type { Config } from '../config/config.ts'
import { variablePrefix } from '../config/variable-prefix.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

/** More are hard to find in one line. */
const maxKeys = 6

/**
 * What a start prints: the URL, where tokens are stored, the providers, who the users are, next steps and warnings.
 * @param sandbox `undefined` when it does not run
 */
export function startupBanner(
  config: Config,
  storeDescription: string,
  sandbox: Pick<Sandbox, 'apiKeys' | 'examples' | 'origin'> | undefined
): string {
  const names = [...config.providers.values()].map(({ definition }) => definition.title).join(', ')
  const [first] = config.providers.values()
  const prefix = first ? variablePrefix(first.definition) : 'PROVIDER'
  const keys = [...config.providers.values()].flatMap(({ definition: { name, title } }) => {
    const key = sandbox?.apiKeys[name]
    if (key === undefined) return []
    const beside = Object.entries(sandbox?.examples[name]?.fields ?? {}).filter(([field]) => field !== 'key')
    return [`${title} ${key}${beside.map(([field, value]) => ` with ${field}=${value}`).join('')}`]
  })
  const nextSteps = sandbox
    ? [
        `The built-in sandbox (${sandbox.origin}) stands in for the providers: sign in with any email address, nothing leaves this machine.`,
        ...(keys.length > maxKeys
          ? [`Keys, and other values that it accepts, are at ${sandbox.origin}`]
          : keys.length > 0
            ? [`API keys that it accepts: ${keys.join(', ')}`]
            : []),
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
    ...usersOf(config).map(line => `  ${line}`),
    ...nextSteps.map(line => `  ${line}`),
    ...config.warnings.map(warning => `  Warning: ${warning}`),
    ''
  ].join('\n')
}

/** Who a request acts for, and what the operator registers for it. */
function usersOf({ login, bearer: { jwt, serviceKeys }, publicUrl }: Config): string[] {
  const names = [...new Set(serviceKeys.map(({ name }) => name))].join(', ')
  return [
    login
      ? `Users: sign in at ${login.issuer}; register ${publicUrl}/login/callback there, ${publicUrl}/logout for sign-out and ${publicUrl}/login/backchannel-logout`
      : 'Users: each browser is its own, without a sign-in (LOGIN_ISSUER and LOGIN_CLIENT_ID make users sign in)',
    ...(jwt
      ? [
          `Bearer tokens${jwt.issuer === undefined ? '' : ` of ${jwt.issuer}`} for ${jwt.audiences.join(', ')} name users by ${jwt.userClaim}`
        ]
      : []),
    ...(names === '' ? [] : [`Backends with a service key: ${names}`])
  ]
}

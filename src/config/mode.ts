import type { EnvironmentReader } from './environment.ts'
import { isLoopback, type ParsedOrigin } from './urls.ts'

const modes = ['production', 'development', 'test']

/**
 * `NODE_ENV`. A misspelled value must not start development mode, in which the sandbox stands in for providers, cookies work without TLS
 * and requests to private IP addresses are allowed.
 * @returns whether this is production; for an invalid value, the mode for which the other variables are checked
 */
export function readProduction(env: EnvironmentReader): boolean {
  const mode = env.exact('NODE_ENV', 'production')
  if (mode === undefined || modes.includes(mode)) return mode === 'production'
  env.addProblem(`NODE_ENV is ${env.quote('NODE_ENV', mode)}. It must be production, development or test, for example NODE_ENV=production.`)
  return !/^\W*(dev|test)/i.test(mode)
}

type Exposed = { readonly production: boolean; readonly host: string | undefined; readonly publicOrigin: ParsedOrigin | undefined }

/**
 * Refuses development mode beyond loopback, unless `ALLOW_PUBLIC_DEVELOPMENT` confirms it.
 * @param exposed host and publicOrigin as configured; `undefined` when unset or invalid
 */
export function checkExposure(env: EnvironmentReader, { production, host, publicOrigin }: Exposed): void {
  const isAllowed = env.oneOf('ALLOW_PUBLIC_DEVELOPMENT', ['1'], '1') !== undefined
  if (production) return
  const exposed = [
    ...(host !== undefined && !isLoopback(host) ? [`HOST is ${env.quote('HOST', host)}`] : []),
    ...(publicOrigin && !isLoopback(publicOrigin.hostname) ? [`PUBLIC_URL is ${env.quote('PUBLIC_URL', publicOrigin.origin)}`] : [])
  ]
  if (isAllowed && exposed.length > 0)
    env.addWarning(
      `${exposed.join(' and ')}, and this is development mode (ALLOW_PUBLIC_DEVELOPMENT): everyone who can reach it can use all of it.`
    )
  if (isAllowed) return
  for (const setting of exposed) {
    const [name] = setting.split(' ', 1)
    env.addProblem(
      `${setting}, which others can reach, but without NODE_ENV=production this is development mode: the sandbox may stand in for providers, cookies work without TLS, and private IP addresses can be requested. Set for example NODE_ENV=production or ${name === 'HOST' ? 'HOST=127.0.0.1' : 'PUBLIC_URL=http://localhost:3000'}. If this is intended, as in a container whose port is published on loopback only, set ALLOW_PUBLIC_DEVELOPMENT=1.`
    )
  }
}

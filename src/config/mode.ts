import type { EnvironmentReader } from './environment.ts'
import { isLoopback, type ParsedOrigin } from './urls.ts'

const modes = ['production', 'development', 'test']

/**
 * `NODE_ENV`. Whatever is misspelt must not start as development: of that the sandbox plays the providers, cookies need no TLS and
 * private addresses can be called.
 * @returns whether this is production; of a faulty value, what the rest is judged by
 */
export function readProduction(env: EnvironmentReader): boolean {
  const mode = env.exact('NODE_ENV', 'production')
  if (mode === undefined || modes.includes(mode)) return mode === 'production'
  env.problem(`NODE_ENV is ${env.quoted('NODE_ENV', mode)}. It must be production, development or test, for example NODE_ENV=production.`)
  return !/^\W*(dev|test)/i.test(mode)
}

type Exposed = { readonly production: boolean; readonly host: string | undefined; readonly publicOrigin: ParsedOrigin | undefined }

/** Development is for one's own machine: elsewhere only whoever says that it is meant has it. @param host, publicOrigin as they were set, and good */
export function checkExposure(env: EnvironmentReader, { production, host, publicOrigin }: Exposed): void {
  const isMeant = env.oneOf('ALLOW_PUBLIC_DEVELOPMENT', ['1'], '1') !== undefined
  if (production) return
  const exposed = [
    ...(host !== undefined && !isLoopback(host) ? [`HOST is ${env.quoted('HOST', host)}`] : []),
    ...(publicOrigin && !isLoopback(publicOrigin.hostname) ? [`PUBLIC_URL is ${env.quoted('PUBLIC_URL', publicOrigin.origin)}`] : [])
  ]
  if (isMeant && exposed.length > 0)
    env.warning(`${exposed.join(' and ')}, and this is development (ALLOW_PUBLIC_DEVELOPMENT): whoever reaches it can do all that it can.`)
  if (isMeant) return
  for (const what of exposed) {
    const [name] = what.split(' ', 1)
    env.problem(
      `${what}, which others can reach, and without NODE_ENV=production this is development: a sandbox may play the providers, cookies need no TLS, private addresses can be called. Set for example NODE_ENV=production, or ${name === 'HOST' ? 'HOST=127.0.0.1' : 'PUBLIC_URL=http://localhost:3000'}; ALLOW_PUBLIC_DEVELOPMENT=1 if it is meant, as in a container whose port is published on loopback alone.`
    )
  }
}

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { install, installPackages } from '../../test/support/install.ts'
import { onPath } from '../../test/support/programs.ts'

/** What systems need beyond this project's own dependencies. */
export type Dependency = 'nginx' | 'apache' | 'npm peers'

const peers = join(import.meta.dirname, '..', 'peers')
/** Debian's paths. On other systems these files are elsewhere and count as missing. */
export const apacheModules = '/usr/lib/apache2/modules'
const echoModule = '/usr/lib/nginx/modules/ngx_http_echo_module.so'

const onDisk = (file: string) => () => existsSync(file)
const program = (name: string) => () => onPath(name) !== undefined

/** Needed for the load and the upstream. */
const required = [
  { name: 'wrk', isInstalled: program('wrk') },
  { name: 'nginx', isInstalled: program('nginx') },
  { name: 'libnginx-mod-http-echo', isInstalled: onDisk(echoModule) },
  { name: 'redis-server', isInstalled: program('redis-server') }
]
const apache = [
  { name: 'apache2-bin', isInstalled: program('apache2') },
  { name: 'libapache2-mod-auth-openidc', isInstalled: onDisk(join(apacheModules, 'mod_auth_openidc.so')) }
]

/**
 * Installs missing dependencies where possible.
 * @returns for each unavailable dependency, why
 * @throws when the load or the upstream cannot run
 */
export function ensureDependencies(wanted: ReadonlySet<Dependency>): Map<Dependency, string> {
  const failed = ensurePackages(required)
  if (failed !== undefined) throw new Error(`The bench cannot run: ${failed}`)
  const reasons: Array<[Dependency, string | undefined]> = [
    ['apache', wanted.has('apache') ? ensurePackages(apache) : undefined],
    ['npm peers', wanted.has('npm peers') ? installPackages(peers) : undefined]
  ]
  return new Map(reasons.flatMap(([part, why]) => (why === undefined ? [] : [[part, why]])))
}

/** @throws when the build of the gateway fails */
export function build(): void {
  const { status } = spawnSync('npm', ['run', 'build', '--silent'], {
    cwd: join(peers, '..', '..'),
    stdio: ['ignore', 'ignore', 'inherit']
  })
  if (status !== 0) throw new Error('npm run build failed')
}

function ensurePackages(packages: typeof required): string | undefined {
  const missing = packages.filter(({ isInstalled }) => !isInstalled()).map(({ name }) => name)
  const failed = install(missing, 'The bench')
  return (
    failed ?? (packages.every(({ isInstalled }) => isInstalled()) ? undefined : `${missing.join(' and ')} not found in Debian's location`)
  )
}

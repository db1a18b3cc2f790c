import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'undici'
import { freePort } from '../../../test/support/free-port.ts'
import { onTestedCore } from '../cores.ts'
import { startDaemon } from '../daemon.ts'
import { apacheModules } from '../dependencies.ts'
import type { Running, System, World } from '../system.ts'
import { maxSessions } from '../workloads.ts'
import { cookieHeader } from './sign-in.ts'

const openidProvider = join(import.meta.dirname, '..', 'programs', 'openid-provider.ts')
const modules = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'headers', 'proxy', 'proxy_http', 'reqtimeout', 'auth_openidc']
const setUp =
  'event MPM with two processes of 64 threads that stay, keep-alive to the upstream, server-side sessions (the default), access log on (the default)'

/** At least as many cache entries as a sign-in takes: a session that does not fit is evicted. */
const entriesOfSession = 4

const apache = (name: string, title: string, cache: (world: World) => string): System => ({
  name,
  title,
  needs: ['apache'],
  setUp,
  authenticates: true,
  start: (world, sessions) => startApache(name, world, sessions, cache(world))
})

export const apaches: readonly System[] = [
  apache(
    'apache',
    'Apache + mod_auth_openidc, sessions in shared memory',
    () => `OIDCCacheType shm\nOIDCCacheShmMax ${maxSessions * entriesOfSession}`
  ),
  apache(
    'apache-redis',
    'Apache + mod_auth_openidc, sessions in Redis',
    ({ redisUrl }) => `OIDCCacheType redis\nOIDCRedisCacheServer ${new URL(redisUrl).host}`
  )
]

async function startApache(name: string, world: World, sessions: number, cache: string): Promise<Running> {
  const directory = join(world.directory, name)
  await mkdir(directory)
  const [port, providerPort] = [await freePort(), await freePort()]
  await startDaemon(world.owner, [process.execPath, openidProvider], {
    environment: { PORT: String(providerPort) },
    logFile: join(directory, 'provider.log'),
    ready: { port: providerPort }
  })
  const origin = `http://127.0.0.1:${port}`
  const file = join(directory, 'apache.conf')
  await writeFile(file, configuration(world, directory, port, `http://127.0.0.1:${providerPort}`, cache))
  const daemon = await startDaemon(world.owner, onTestedCore(['apache2', '-f', file, '-D', 'FOREGROUND']), {
    logFile: join(directory, 'output.log'),
    ready: { port }
  })
  const base = `${origin}/proxy/productboard`
  const credentials: string[] = []
  for (let i = 0; i < sessions; i++) credentials.push(await signIn(`${base}/small`))
  return { base, headers: {}, credentials, pids: [daemon.pid], startMs: daemon.startMs }
}

const configuration = ({ upstream }: World, directory: string, port: number, provider: string, cache: string): string => `
  ServerRoot ${directory}
  ServerName 127.0.0.1
  DefaultRuntimeDir ${directory}
  PidFile ${join(directory, 'pid')}
  ErrorLog ${join(directory, 'error.log')}
  Listen 127.0.0.1:${port}
  ${modules.map(module => `LoadModule ${module}_module ${join(apacheModules, `mod_${module}.so`)}`).join('\n  ')}
  ${process.getuid?.() === 0 ? 'User www-data\n  Group www-data' : ''}
  KeepAlive On
  MaxKeepAliveRequests 0
  ServerLimit 2
  StartServers 2
  ThreadsPerChild 64
  MinSpareThreads 128
  MaxSpareThreads 128
  MaxRequestWorkers 128
  LogFormat "%h %l %u %t \\"%r\\" %>s %O" common
  CustomLog ${join(directory, 'access.log')} common

  OIDCProviderMetadataURL ${provider}/.well-known/openid-configuration
  OIDCClientID bench
  OIDCClientSecret bench-secret
  OIDCRedirectURI http://127.0.0.1:${port}/callback
  OIDCCryptoPassphrase ${randomBytes(24).toString('hex')}
  OIDCSessionInactivityTimeout 28800
  ${cache}

  <Location />
    AuthType openid-connect
    Require valid-user
  </Location>
  <Location /proxy/productboard/>
    RequestHeader unset Cookie
    RequestHeader set Authorization "Bearer %{OIDC_access_token}e" env=OIDC_access_token
    ProxyPass ${upstream}/api/
  </Location>
`

/** Apache -> provider -> Apache's callback. Not with `fetch`: Apache responds to its Sec-Fetch-Mode with 401. */
async function signIn(page: string): Promise<string> {
  const start = await visit(page)
  const consent = await visit(start.location)
  const callback = await visit(consent.location, start.cookie)
  const session = /mod_auth_openidc_session=[^;]+/.exec(callback.cookie)?.[0]
  if (session === undefined) throw new Error(`Apache created no session: ${callback.status}`)
  return session
}

async function visit(url: string, cookie = ''): Promise<{ status: number; location: string; cookie: string }> {
  const { statusCode, headers, body } = await request(url, { headers: { accept: 'text/html', cookie } })
  await body.dump()
  return { status: statusCode, location: String(headers.location), cookie: cookieHeader([headers['set-cookie'] ?? []].flat()) }
}

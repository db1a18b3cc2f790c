import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { selfSignedCertificate } from '../support/certificate.ts'
import { freePort } from '../support/free-port.ts'
import { isRunning, killOnExit, stopProcess } from '../support/node-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { readText } from './support.ts'

/** Numbers of a version, such as 1.22.1. */
const versionOf = (text: string): number[] => /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number) ?? []
const version = versionOf(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr)

/** Whether the installed nginx is at least this one. */
const isAtLeast = (wanted: readonly number[]): boolean => {
  const different = wanted.findIndex((number, i) => number !== version[i])
  return different === -1 || (version[different] ?? 0) > (wanted[different] ?? 0)
}

type Replacement = readonly [from: string | RegExp, to: string]

/** Replaces what a test cannot have, such as an address. @throws if there is nothing to replace, so that the files cannot drift */
function replaceAll(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((result, [from, to]) => {
    const replaced = result.replaceAll(typeof from === 'string' ? from : new RegExp(from, 'g'), to)
    if (replaced === result) throw new Error(`${from} is not in the file`)
    return replaced
  }, text)
}

/** The nginx of compose.yaml in front of gateways at these ports. @returns its URL */
export async function startComposeNginx(t: Test, gatewayPorts: readonly number[], hostAddress: string): Promise<string> {
  const folder = temporaryFolder(t)
  const port = await freePort()
  const configuration = replaceAll(readText('deploy/nginx/compose.conf'), [
    ['/tmp/', `${folder}/`],
    ['/dev/stderr', 'stderr'],
    ['listen 8080', `listen 127.0.0.1:${port}`],
    [/server gateway:3000 (.*;)/, gatewayPorts.map(gatewayPort => `server 127.0.0.1:${gatewayPort} $1`).join('\n')],
    ['set_real_ip_from 10.213.0.1', `set_real_ip_from ${hostAddress}`],
    // Older ones learn addresses at their start alone.
    ...(isAtLeast([1, 27, 3])
      ? []
      : ([
          [/resolver .*;/, ''],
          [' resolve ', ' ']
        ] as const))
  ])
  await run(t, folder, configuration, port)
  return `http://localhost:${port}`
}

export type TlsNginx = { readonly port: number; readonly plainPort: number | undefined; readonly certificate: Buffer }

type TlsOptions = {
  /** In place of the host name in the file. */
  readonly host: string
  readonly gatewayPort: number
  /** The page of the application. */
  readonly frontend?: string
}

/** One of the files for /etc/nginx/conf.d, in front of one server at this port. */
export async function startTlsNginx(t: Test, file: string, { host, gatewayPort, frontend = '' }: TlsOptions): Promise<TlsNginx> {
  const folder = temporaryFolder(t)
  const [port, plainPort] = [await freePort(), await freePort()]
  const { key, cert } = await selfSignedCertificate(t, host)
  writeFileSync(join(folder, 'key.pem'), key)
  writeFileSync(join(folder, 'cert.pem'), cert)
  const text = readText('deploy/nginx', file).replaceAll(/\b(app|connect)\.example\.com/g, host)
  const hasPlain = /listen 80;/.test(text)
  const server = replaceAll(text, [
    [`/etc/ssl/${host}.key`, join(folder, 'key.pem')],
    [`/etc/ssl/${host}.pem`, join(folder, 'cert.pem')],
    ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
    ['10.0.0.11:3000', `127.0.0.1:${gatewayPort}`],
    [/server 10\.0\.0\.12:3000.*;/, ''],
    ...(hasPlain ? ([['listen 80;', `listen 127.0.0.1:${plainPort};`]] as const) : []),
    ...(/\/srv\/app/.test(text) ? ([['/srv/app', join(folder, 'app')]] as const) : []),
    // As the comment in the file says.
    ...(isAtLeast([1, 25, 1]) ? [] : ([[/(listen \S+ ssl);\n *http2 on;/, '$1 http2;']] as const))
  ])
  mkdirSync(join(folder, 'app'))
  writeFileSync(join(folder, 'app', 'index.html'), frontend)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${join(folder, kind)};`)
  const configuration = `
    pid ${join(folder, 'nginx.pid')};
    error_log stderr warn;
    worker_processes 1;
    events {}
    http {
      ${temporary.join('\n      ')}
      ${server}
    }`
  await run(t, folder, configuration, port)
  return { port, plainPort: hasPlain ? plainPort : undefined, certificate: cert }
}

/** Checks a configuration, and runs nginx with it until the test ends. */
async function run(t: Test, folder: string, configuration: string, port: number): Promise<void> {
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration)
  writeFileSync(join(folder, 'grantkeeper-proxy.conf'), readText('deploy/nginx/grantkeeper-proxy.conf'))
  const globals = `daemon off;${process.getuid?.() === 0 ? ' user root;' : ''}`
  const args = ['-e', 'stderr', '-g', globals, '-c', file]
  const check = spawnSync('nginx', ['-t', ...args], { encoding: 'utf8' })
  if (check.status !== 0) throw new Error(`nginx -t: ${check.stderr}`)
  const child = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  killOnExit(child)
  let log = ''
  child.stderr.on('data', data => (log += data))
  t.teardown(() => stopProcess({ child }))
  while (!(await accepts(port))) {
    if (!isRunning(child)) throw new Error(`nginx ended with ${child.exitCode}: ${log}`)
    await sleep(10)
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

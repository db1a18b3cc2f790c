import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestedCore } from './cores.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import type { Workspace } from './workspace.ts'

type Options = {
  /** Files in nginx's modules folder. */
  readonly modules?: readonly string[]
  /** nginx writes one by default. */
  readonly accessLog: boolean
  /** Whether it runs on the tested core; otherwise it runs on the load's. */
  readonly tested: boolean
  /** The content of `http { }`. */
  readonly http: string
  readonly port: number
}

/** Starts an nginx with one worker, for its one core. */
export async function startNginx({ owner, directory }: Workspace, name: string, options: Options): Promise<Daemon> {
  const own = join(directory, name)
  await mkdir(own)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${join(own, kind)};`)
  const configuration = `
    daemon off;
    worker_processes 1;
    ${process.getuid?.() === 0 ? 'user www-data;' : ''}
    pid ${join(own, 'pid')};
    error_log ${join(own, 'error.log')};
    ${(options.modules ?? []).map(file => `load_module modules/${file};`).join('\n')}
    events { worker_connections 4096; }
    http {
      ${temporary.join('\n      ')}
      access_log ${options.accessLog ? join(own, 'access.log') : 'off'};
      sendfile on;
      tcp_nopush on;
      keepalive_requests 100000000;
      ${options.http}
    }
  `
  const file = join(own, 'nginx.conf')
  await writeFile(file, configuration)
  const command = ['nginx', '-c', file]
  const logFile = join(own, 'output.log')
  return startDaemon(owner, options.tested ? onTestedCore(command) : command, { logFile, ready: { port: options.port } })
}

/** The `http { }` settings that nginx's documentation recommends for fast proxies. The upstream is `http://api`. */
export const proxying = (upstream: string): string => `
  upstream api { server ${new URL(upstream).host}; keepalive 64; }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  client_body_buffer_size 128k;
  proxy_max_temp_file_size 0;`

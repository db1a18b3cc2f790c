import { freePort } from '../../../test/support/free-port.ts'
import { proxying, startNginx } from '../nginx.ts'
import type { Running, System, World } from '../system.ts'
import { startProgram } from './program.ts'
import { signInAll } from './sign-in.ts'

const setUp = 'one worker; the service is bare node:http on the same core; keep-alive to both; access log on (the default)'

/** A gateway built from nginx and a small service that maps the session cookie to an access token. */
export const nginxAuth: readonly System[] = [
  {
    name: 'nginx-auth',
    title: 'nginx + auth_request, service with sessions in memory',
    needs: ['nginx'],
    setUp,
    authenticates: true,
    start: (world, sessions) => startNginxAuth('nginx-auth', world, sessions, { CACHE_MS: '30000' })
  },
  {
    name: 'nginx-auth-redis',
    title: 'nginx + auth_request, service asks Redis each time',
    needs: ['nginx'],
    setUp,
    authenticates: true,
    start: (world, sessions) => startNginxAuth('nginx-auth-redis', world, sessions, { CACHE_MS: '0' })
  }
]

async function startNginxAuth(name: string, world: World, sessions: number, environment: Record<string, string>): Promise<Running> {
  const service = await startProgram(world, 'session-service.ts', environment)
  const port = await freePort()
  const http = `
    ${proxying(world.upstream)}
    upstream sessions { server ${new URL(service.origin).host}; keepalive 64; }
    server {
      listen 127.0.0.1:${port};
      location = /session {
        internal;
        proxy_pass_request_body off;
        proxy_set_header Connection "";
        proxy_set_header Content-Length "";
        proxy_pass http://sessions;
      }
      location /proxy/productboard/ {
        auth_request /session;
        auth_request_set $token $upstream_http_x_access_token;
        proxy_set_header Connection "";
        proxy_set_header Authorization "Bearer $token";
        proxy_set_header Cookie "";
        proxy_pass http://api/api/;
      }
    }`
  const { pid, startMs } = await startNginx(world, name, { accessLog: true, tested: true, http, port })
  const credentials = await signInAll(`${service.origin}/login`, sessions)
  return { base: `http://127.0.0.1:${port}/proxy/productboard`, headers: {}, credentials, pids: [pid, ...service.pids], startMs }
}

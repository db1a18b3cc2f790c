import { freePort } from '../../../test/support/free-port.ts'
import { proxying, startNginx } from '../nginx.ts'
import type { System } from '../system.ts'
import { startProgram } from './program.ts'

const noSession = { headers: {}, credentials: [] } as const

/** Systems without authentication or credentials: the upper bound of each HTTP stack. */
export const plain: readonly System[] = [
  {
    name: 'direct',
    title: 'upstream direct',
    needs: [],
    setUp: 'nothing in between; the tested core idles',
    authenticates: false,
    start: async ({ upstream }) => ({ base: `${upstream}/api`, ...noSession, pids: [], startMs: 0 })
  },
  {
    name: 'nginx',
    title: 'nginx proxy_pass, no authentication',
    needs: ['nginx'],
    setUp: 'one worker, keep-alive to the upstream, bodies in memory and no temporary files, access log on (the default)',
    authenticates: false,
    async start(world) {
      const port = await freePort()
      const http = `
        ${proxying(world.upstream)}
        server {
          listen 127.0.0.1:${port};
          location /proxy/productboard/ { proxy_pass http://api/api/; }
        }`
      const { pid, startMs } = await startNginx(world, 'nginx', { accessLog: true, tested: true, http, port })
      return { base: `http://127.0.0.1:${port}/proxy/productboard`, ...noSession, pids: [pid], startMs }
    }
  },
  {
    name: 'dispatch',
    title: 'undici dispatch by hand, no authentication',
    needs: [],
    setUp: 'node:http in front, one Pool, no log',
    authenticates: false,
    start: async world => ({ ...noSession, ...(await startProgram(world, 'dispatch-proxy.ts')) })
  },
  {
    name: 'http-proxy',
    title: 'Fastify + @fastify/http-proxy, no authentication',
    needs: ['npm peers'],
    setUp: 'as its README has it, no log (the default)',
    authenticates: false,
    start: async world => ({ ...noSession, ...(await startProgram(world, 'fastify-http-proxy.js')) })
  }
]

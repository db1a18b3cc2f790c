// The service behind nginx's auth_request: it maps a session cookie to its access token. Sessions are in Redis. With CACHE_MS they are also
// cached here for that time, in which an ended session still works.
import { randomUUID } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { Redis } from 'ioredis'

const { PORT, REDIS_URL = '', CACHE_MS } = process.env
const cacheMs = Number(CACHE_MS)
const redis = new Redis(REDIS_URL)
const cached = new Map<string, { token: string; untilMs: number }>()
const key = (id: string) => `session-service:${id}`

async function readToken(id: string): Promise<string | undefined> {
  const token = await redis.get(key(id))
  if (token === null) return undefined
  if (cacheMs > 0) cached.set(id, { token, untilMs: Date.now() + cacheMs })
  return token
}

function respond(response: ServerResponse, token: string | undefined): void {
  if (token === undefined) response.writeHead(401, { 'content-length': '0' }).end()
  else response.writeHead(200, { 'x-access-token': token, 'content-length': '0' }).end()
}

createServer(async (request, response) => {
  if (request.url === '/login') {
    const id = randomUUID()
    await redis.set(key(id), `access-${randomUUID()}`, 'EX', 86_400)
    response.writeHead(204, { 'set-cookie': `sid=${id}; Path=/; HttpOnly; SameSite=Lax` }).end()
    return
  }
  const id = /(?:^|; )sid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1]
  const entry = id === undefined ? undefined : cached.get(id)
  if (entry && entry.untilMs > Date.now()) respond(response, entry.token)
  else respond(response, id === undefined ? undefined : await readToken(id))
}).listen(Number(PORT), '127.0.0.1')

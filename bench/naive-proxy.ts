// The baseline: a proxy as one writes it in an afternoon, with the gateway's configuration and routes. On a 401 it refreshes once for all
// requests of this process (single flight), after reading Redis again. Processes are not coordinated.
import { randomUUID } from 'node:crypto'
import fastify from 'fastify'
import { Redis } from 'ioredis'
import { request } from 'undici'

type Tokens = { access: string; refresh: string }

const { PORT = '', REDIS_URL = '', PRODUCTBOARD_TOKEN_URL: tokenUrl = '', PRODUCTBOARD_API_URL: apiUrl = '' } = process.env
const redis = new Redis(REDIS_URL)
const refreshes = new Map<string, Promise<Tokens>>()
const app = fastify()

const readTokens = async (id: string) => (await redis.hgetall(`naive:${id}`)) as Tokens

async function requestTokens(id: string, form: Record<string, string>): Promise<Tokens> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const { statusCode, body } = await request(tokenUrl, { method: 'POST', headers, body: String(new URLSearchParams(form)) })
  const response = (await body.json()) as { access_token: string; refresh_token: string }
  if (statusCode !== 200) throw Object.assign(new Error('the grant is lost'), { statusCode: 401 })
  const tokens = { access: response.access_token, refresh: response.refresh_token }
  await redis.hset(`naive:${id}`, tokens)
  return tokens
}

async function refreshUnlessDone(id: string, failed: Tokens): Promise<Tokens> {
  const tokens = await readTokens(id)
  return tokens.access === failed.access ? requestTokens(id, { grant_type: 'refresh_token', refresh_token: tokens.refresh }) : tokens
}

function refreshOnce(id: string, failed: Tokens): Promise<Tokens> {
  const flight = refreshes.get(id) ?? refreshUnlessDone(id, failed).finally(() => refreshes.delete(id))
  refreshes.set(id, flight)
  return flight
}

async function send({ access }: Tokens, path: string) {
  const { statusCode, body } = await request(apiUrl + path, { headers: { authorization: `Bearer ${access}` } })
  return { statusCode, text: await body.text() }
}

app.get('/auth/productboard', (_request, reply) => reply.redirect(`${tokenUrl}?state=${randomUUID()}`))

app.get('/auth/productboard/callback', async (_request, reply) => {
  const id = randomUUID()
  await requestTokens(id, { grant_type: 'authorization_code' })
  return reply.header('set-cookie', `id=${id}; Path=/`).redirect('/', 303)
})

app.get<{ Params: { '*': string } }>('/proxy/productboard/*', async (request, reply) => {
  const id = request.headers.cookie?.split('id=')[1] ?? ''
  const [tokens, path] = [await readTokens(id), `/${request.params['*']}`]
  let response = await send(tokens, path)
  if (response.statusCode === 401) response = await send(await refreshOnce(id, tokens), path)
  return reply.code(response.statusCode).type('application/json').send(response.text)
})

const address = await app.listen({ host: '127.0.0.1', port: Number(PORT) })
process.stdout.write(`The baseline is ready: ${address}\n`)

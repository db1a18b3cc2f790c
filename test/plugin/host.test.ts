import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import rateLimit from '@fastify/rate-limit'
import secureSession from '@fastify/secure-session'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import t, { type Test } from 'tap'
import grantkeeper from '../../src/index.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { json } from '../support/fake-provider.ts'
import { connectedBrowser, hostOptions, startHost, type TestHost } from './support.ts'

/** Everything that an application may have, and that the gateway has itself. */
const hostPlugins = fp(async (app: FastifyInstance) => {
  await app.register(cookie, { secret: 'of the application' })
  await app.register(rateLimit, { max: 1_000 })
  await app.register(cors, { origin: 'https://anywhere.example', credentials: true })
  await app.register(secureSession, { key: Buffer.alloc(32, 7), cookieName: 'app-session', cookie: { path: '/' } })
  await app.register(swagger, { openapi: { info: { title: 'The application', version: '1' } } })
})

const calls: string[] = []

const hostRoutes = fp(async (app: FastifyInstance) => {
  app.decorate('session' as 'theirs', 'of the application')
  app.decorateRequest('principal' as 'theirs', null)
  app.decorateReply('flows' as 'theirs', null)
  app.addHook('onRequest', async (request, reply) => {
    calls.push(`onRequest ${request.url}`)
    reply.header('x-app-trace', 'trace-1')
  })
  app.addHook('preHandler', async request => void calls.push(`preHandler ${request.url}`))
  app.addHook('onResponse', async (request, reply) => void calls.push(`onResponse ${request.url} ${reply.raw.statusCode}`))
  app.addHook('onSend', async (_request, _reply, payload) => payload)
  app.addContentTypeParser('application/vnd.app', { parseAs: 'string' }, (_request, body, done) => done(null, { parsed: body }))
  app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send({ app: error.message }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ app: 'nothing here' }))
  app.get('/cookies', async (request, reply) => {
    reply.setCookie('app', 'yes', { signed: true })
    return request.cookies
  })
  app.get('/session', async request => {
    const seen = request.session.get('visits' as never) ?? 0
    request.session.set('visits' as never, ((seen as number) + 1) as never)
    return { visits: seen }
  })
  app.post('/parsed', async request => request.body)
  app.get('/fails', async () => {
    throw new Error('of the application')
  })
  app.get(
    '/validated',
    { schema: { querystring: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } } },
    async request => {
      return request.query
    }
  )
  app.post(
    '/echo',
    { schema: { body: { type: 'object', properties: { one: { type: 'string' } }, additionalProperties: false } } },
    async request => {
      return request.body
    }
  )
})

/** The application's own tests: the same with and without the plugin. */
async function applicationWorks(t: Test, app: FastifyInstance): Promise<void> {
  const cookies = await app.inject({ url: '/cookies', cookies: { a: 'b' } })
  t.match(cookies.json(), { a: 'b' })
  t.match(cookies.headers['set-cookie'], /^app=yes\./)
  t.equal(cookies.headers['x-app-trace'], 'trace-1')
  t.equal(cookies.headers['x-ratelimit-limit'], '1000')
  t.equal(cookies.headers['content-security-policy'], undefined)
  t.equal(cookies.headers['x-frame-options'], undefined)

  const session = await app.inject('/session')
  t.same(session.json(), { visits: 0 })
  const sent = session.cookies.find(({ name }) => name === 'app-session')
  t.same((await app.inject({ url: '/session', cookies: { 'app-session': sent?.value ?? '' } })).json(), { visits: 1 })

  t.same((await app.inject({ method: 'POST', url: '/parsed', headers: { 'content-type': 'application/vnd.app' }, payload: 'x' })).json(), {
    parsed: 'x'
  })
  const plain = await app.inject({ method: 'POST', url: '/parsed', headers: { 'content-type': 'text/plain' }, payload: 'x' })
  t.equal(plain.body, 'x', 'Fastify’s own parser of text is still there')
  t.same((await app.inject('/fails')).json(), { app: 'of the application' })
  t.equal((await app.inject('/fails')).statusCode, 418)
  t.same((await app.inject('/nowhere')).json(), { app: 'nothing here' })
  t.same((await app.inject('/validated?n=5')).json(), { n: 5 })
  t.match((await app.inject('/validated?n=x')).json(), { app: /must be integer/ })
  t.same((await app.inject({ method: 'POST', url: '/echo', payload: { one: 1, two: '2' } })).json(), { one: '1' }, 'coerced and removed')
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/cookies',
    headers: { origin: 'https://anywhere.example', 'access-control-request-method': 'GET' }
  })
  t.equal(preflight.headers['access-control-allow-origin'], 'https://anywhere.example')
  t.equal('principal' in app, false)
  t.equal((app as unknown as { session: string }).session, 'of the application')
}

/** The gateway works as one that runs alone. */
async function gatewayWorks(t: Test, host: TestHost): Promise<void> {
  const { url, origin, provider } = host
  const browser = await connectedBrowser(host)
  provider.api = (seen, response) =>
    json(response, 200, { url: seen.url, method: seen.method, body: seen.body.toString(), authorization: seen.headers.authorization })
  const posted = await browser.fetch(`${url}/proxy/productboard/notes/a%2Fb?x=%25`, {
    method: 'POST',
    body: '{"not": "read"',
    headers: { 'content-type': 'application/json', origin }
  })
  t.equal(posted.status, 200)
  t.match(await posted.json(), { url: '/base/notes/a%2Fb?x=%25', method: 'POST', body: '{"not": "read"', authorization: /^Bearer access-/ })
  t.equal(posted.headers.get('x-app-trace'), 'trace-1', 'what the application adds to each response is there too')
  t.equal(posted.headers.get('access-control-allow-origin'), origin, 'who may read it is for the gateway to say')

  const page = await browser.visit(`${url}/`)
  t.match(page.text, '<title>')
  t.match(page.headers.get('content-security-policy'), "default-src 'none'")
  await assertProblem(t, await browser.fetch(`${url}/nowhere`), 404, 'not_found')
  await assertProblem(t, await browser.request(`${url}/connections/productboard`, { method: 'DELETE' }), 403, 'csrf_rejected')
  const foreign = await browser.fetch(`${url}/connections`, { headers: { origin: 'https://anywhere.example' } })
  t.equal(foreign.headers.get('access-control-allow-origin'), null, 'an origin of the application is none of the gateway')
  const type = await browser.fetch(`${url}/proxy/productboard/notes`, {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'no media type' }
  })
  t.equal(type.status, 200)
  t.equal(provider.seen.api.at(-1)?.headers['content-type'], 'no media type', 'what the application could not parse is forwarded')
}

t.test('an application with everything registered before the plugin', async t => {
  const host = await startHost(t, {
    before: async app => {
      await app.register(hostPlugins)
      await app.register(hostRoutes)
    }
  })
  await applicationWorks(t, host.app)
  await gatewayWorks(t, host)
})

t.test('an application with everything registered after the plugin', async t => {
  const host = await startHost(t, {
    after: async app => {
      await app.register(hostPlugins)
      await app.register(hostRoutes)
    }
  })
  await applicationWorks(t, host.app)
  const browser = await connectedBrowser(host)
  t.equal((await browser.fetch(`${host.url}/proxy/productboard/notes`)).status, 200)
})

t.test('the application’s tests have the same results without the plugin', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  await app.register(hostPlugins)
  await app.register(hostRoutes)
  await applicationWorks(t, app as unknown as FastifyInstance)
})

t.test('the application’s hooks see each request of the gateway, with its own URL', async t => {
  const { url, app } = await startHost(t, { before: app => app.register(hostRoutes) })
  calls.length = 0
  await (await fetch(`${url}/connections?x=1`)).text()
  await app.close()
  t.same(calls, [
    'onRequest /integrations/connections?x=1',
    'preHandler /integrations/connections?x=1',
    'onResponse /integrations/connections?x=1 200'
  ])
})

t.test('a hook of the application can refuse a request', async t => {
  const { url } = await startHost(t, {
    before: app =>
      app.addHook('preHandler', async (request, reply) => {
        if (request.headers['x-refuse']) return reply.code(401).send({ app: 'sign in first' })
      })
  })
  t.same(await (await fetch(`${url}/connections`, { headers: { 'x-refuse': '1' } })).json(), { app: 'sign in first' })
  t.equal((await fetch(`${url}/connections`)).status, 200)
})

t.test('the description of the application’s API has no route of the gateway', async t => {
  const { app } = await startHost(t, {
    before: async app => {
      await app.register(hostPlugins)
      await app.register(hostRoutes)
    }
  })
  const paths = Object.keys((app as unknown as { swagger(): { paths: object } }).swagger().paths)
  t.ok(paths.includes('/cookies'))
  t.same(
    paths.filter(path => path.startsWith('/integrations')),
    []
  )
})

t.test('schema compilers and options of ajv are the application’s alone', async t => {
  const { app, url } = await startHost(t, {
    server: { ajv: { customOptions: { removeAdditional: 'all', coerceTypes: false } }, routerOptions: { caseSensitive: false } },
    before: app => {
      app.setValidatorCompiler(() => value => ({ error: new Error(`refused: ${JSON.stringify(value)}`) }))
      app.get('/strict', { schema: { querystring: { type: 'object', properties: { n: { type: 'integer' } } } } }, async () => 'never')
    }
  })
  t.match((await app.inject('/strict?n=5')).json(), { message: /refused/ })
  t.equal((await fetch(`${url}/connections`)).status, 200)
})

t.test('registered twice, each has its prefix, its cookies and its connections', async t => {
  const { port, options } = await hostOptions(t)
  const app = fastify() as unknown as FastifyInstance
  t.teardown(() => app.close())
  await app.register(grantkeeper, options)
  await app.register(grantkeeper, { ...options, prefix: '/team', store: (await hostOptions(t)).options.store as { dataDir: string } })
  await app.listen({ host: '127.0.0.1', port })
  const [first, second] = [`${options.publicUrl}/integrations`, `${options.publicUrl}/team`]
  const browser = await connectedBrowser({ url: first })
  const statusAt = async (url: string) => {
    const { connections } = (await (await browser.fetch(`${url}/connections`)).json()) as { connections: Array<{ status: string }> }
    return connections[0]?.status
  }
  t.equal(await statusAt(first), 'connected')
  t.equal(await statusAt(second), 'disconnected')
  t.equal(app.grantkeeper, app.grantkeeper.at('/integrations'), 'the first is the application’s')
  t.not(app.grantkeeper.at('/team'), app.grantkeeper)
  t.throws(() => app.grantkeeper.at('/nowhere'), { message: /with \/integrations, \/team\.$/ })
})

t.test('in a scope of the application, the scope’s prefix comes first', async t => {
  const { options } = await hostOptions(t)
  const app = fastify() as unknown as FastifyInstance
  t.teardown(() => app.close())
  let connectUrl = ''
  await app.register(
    async scope => {
      await scope.register(grantkeeper, options)
      const [connection] = await scope.grantkeeper.connections('ada')
      connectUrl = connection?.connectUrl ?? ''
    },
    { prefix: '/api' }
  )
  t.equal((await app.inject('/api/integrations/connections')).statusCode, 200)
  t.equal(connectUrl, `${options.publicUrl}/api/integrations/connect/productboard`)
  t.equal('grantkeeper' in app, false, 'encapsulated as the scope is')
})

t.test('a request that is injected is served as one from a socket', async t => {
  const { app, provider, url: gateway, origin } = await startHost(t, { identify: () => 'ada' })
  const { url } = await app.grantkeeper.connectLink('ada', 'productboard', { returnTo: '/done' })
  const browser = new Browser()
  const started = await browser.request(url)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state')
  const finished = await browser.request(`${gateway}/auth/productboard/callback?code=c&state=${state}`)
  const code = new URL(finished.headers.get('location') ?? '', origin).searchParams.get('connect_code') ?? ''
  await app.grantkeeper.completeConnect('ada', code)
  provider.api = (seen, response) => json(response, 201, { body: seen.body.toString() })
  const response = await app.inject({
    method: 'POST',
    url: '/integrations/proxy/productboard/notes',
    headers: { 'x-csrf': '1' },
    payload: { one: 1 }
  })
  t.equal(response.statusCode, 201)
  t.same(response.json(), { body: '{"one":1}' })
})

t.test('behind a proxy that takes a path off, links have it and requests do not', async t => {
  const { port, options, provider } = await hostOptions(t)
  const app = fastify() as unknown as FastifyInstance
  t.teardown(() => app.close())
  await app.register(grantkeeper, { ...options, publicUrl: `${options.publicUrl}/outer/` })
  await app.listen({ host: '127.0.0.1', port })
  const { origin } = new URL(options.publicUrl)
  const started = await fetch(`${origin}/integrations/auth/productboard`, { redirect: 'manual' })
  const redirectUri = new URL(started.headers.get('location') ?? '').searchParams.get('redirect_uri')
  t.equal(redirectUri, `${origin}/outer/integrations/auth/productboard/callback`)
  t.match(await (await fetch(`${origin}/integrations/`)).text(), /(src|href)="\/outer\/integrations\/assets\//)
  t.equal((await fetch(`${origin}/outer/integrations/`)).status, 404)
  t.equal(provider.seen.token.length, 0)
})

t.test('a URL is forwarded byte for byte, however long its parts are', async t => {
  const host = await startHost(t, { server: { routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } } })
  const { url, provider } = host
  const browser = await connectedBrowser(host)
  for (const path of [`/${'x'.repeat(2_000)}`, '/a%2Fb//c/', '/', '', '?x=%', '/a;b=c?d=/../e', '/%C3%A4?%C3%A4'])
    t.match(await (await browser.fetch(`${url}/proxy/productboard${path}`)).json(), { url: `/base${path}` }, path.slice(0, 30))
  t.equal(provider.seen.api.length, 7)
})

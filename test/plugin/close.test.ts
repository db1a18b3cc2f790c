import { once } from 'node:events'
import fastify from 'fastify'
import { Redis } from 'ioredis'
import t from 'tap'
import grantkeeper from '../../src/index.ts'
import { startRedis } from '../support/redis.ts'
import { connectedBrowser, hostOptions, startHost } from './support.ts'

t.test('an application with an open event stream closes at once', async t => {
  const host = await startHost(t)
  const { app, provider, url } = host
  const browser = await connectedBrowser(host)
  provider.onHead = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    return true
  }
  const stream = await browser.fetch(`${url}/proxy/productboard/events`)
  const reader = stream.body?.getReader()
  await reader?.read()
  const ended = (async () => {
    while (!(await reader?.read())?.done);
  })().catch(() => {})
  await app.close()
  await ended
  t.equal(app.server.listening, false)
})

t.test('a request in flight gets its response before the application closes', async t => {
  const host = await startHost(t)
  const { app, provider, url } = host
  const browser = await connectedBrowser(host)
  const respond = Promise.withResolvers<() => void>()
  provider.api = (_seen, response) => respond.resolve(() => response.end('done'))
  const pending = browser.fetch(`${url}/proxy/productboard/slow`)
  const finish = await respond.promise
  const closing = app.close()
  finish()
  t.equal(await (await pending).text(), 'done')
  await closing
})

t.test('the application’s Redis client holds the connections, and stays open', async t => {
  const { port } = await startRedis(t)
  const redis = new Redis(port, '127.0.0.1', { keyPrefix: 'app:' })
  t.teardown(() => redis.disconnect())
  const host = await startHost(t, { store: redis })
  await connectedBrowser(host)
  const other = new Redis(port, '127.0.0.1')
  t.teardown(() => other.disconnect())
  const keys = await other.keys('*')
  t.ok(keys.length > 0 && keys.every(key => key.startsWith('grantkeeper')), keys.join(' '))
  await host.app.close()
  t.equal(redis.status, 'ready')
  t.equal(await redis.ping(), 'PONG')
})

t.test('a registration that fails leaves no connection behind', async t => {
  const { port } = await startRedis(t)
  const { options } = await hostOptions(t)
  const app = fastify()
  // The plugin's own routes are there already, below the same prefix.
  app.get('/integrations/*', async () => 'of the application')
  await t.rejects(async () => app.register(grantkeeper, { ...options, store: { redisUrl: `redis://127.0.0.1:${port}` } }), {
    code: 'FST_ERR_DUPLICATED_ROUTE'
  })
  await app.close()
  const client = new Redis(port, '127.0.0.1')
  t.teardown(() => client.disconnect())
  await once(client, 'ready')
  const others = async () =>
    String(await client.client('LIST'))
      .split('\n')
      .filter(line => line.startsWith('id=')).length - 1
  while ((await others()) > 0) await new Promise(resolve => setImmediate(resolve))
  t.equal(await others(), 0)
})

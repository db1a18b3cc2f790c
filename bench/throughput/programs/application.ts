// An application with the plugin below a prefix, and five hooks as applications have them: timing, a header, a check, a metric.
import fastify from 'fastify'

const dist = '../../../dist'
const { default: grantkeeper } = await import(`${dist}/src/index.js`)
const { default: productboard } = await import(`${dist}/providers/productboard.js`)

const { PORT, PUBLIC_URL, SESSION_KEYS, TOKEN_KEYS, REDIS_URL, PRODUCTBOARD_API_URL } = process.env
const app = fastify({ logger: { level: 'warn' } })
let totalMs = 0

app.decorateRequest('startedAtMs', 0)
app.addHook('onRequest', (request, _reply, done) => {
  request.setDecorator('startedAtMs', performance.now())
  done()
})
app.addHook('onRequest', (_request, reply, done) => {
  reply.header('x-app', 'bench')
  done()
})
app.addHook('preParsing', (_request, _reply, payload, done) => done(null, payload))
app.addHook('preHandler', async request => {
  if (request.headers['x-blocked']) throw new Error('blocked')
})
app.addHook('onResponse', (request, _reply, done) => {
  totalMs += performance.now() - request.getDecorator<number>('startedAtMs')
  done()
})

await app.register(grantkeeper, {
  prefix: '/integrations',
  publicUrl: PUBLIC_URL,
  keys: { session: SESSION_KEYS, token: TOKEN_KEYS },
  store: { redisUrl: REDIS_URL },
  providers: [productboard({ clientId: 'bench', clientSecret: 'bench-secret', apiUrl: PRODUCTBOARD_API_URL })]
})
app.get('/total', async () => totalMs)
await app.listen({ host: '127.0.0.1', port: Number(PORT) })
process.stdout.write('The application is ready: it listens.\n')

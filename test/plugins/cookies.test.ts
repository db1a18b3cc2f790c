import { randomBytes } from 'node:crypto'
import fastify from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import cookies from '../../plugins/cookies.ts'
import flows from '../../plugins/flows.ts'

t.test('SEC-22: a cookie that no browser would take is never sent, and the log says so', async t => {
  const logs: string[] = []
  const app = fastify({ loggerInstance: pino({}, { write: (line: string) => void logs.push(line) }) })
  const limits = { idleMs: 1000, maxMs: 1000 }
  await app.register(cookies, { keys: [randomBytes(32)], limits, publicUrl: 'http://localhost' })
  await app.register(flows, { clock: { now: Date.now } })
  const flow = { state: 's', provider: 'p', verifier: 'v', owner: 'o', first: true, startedAtMs: Date.now() }
  app.get<{ Params: { length: number } }>('/:length', (request, reply) =>
    reply.keepFlow({ ...flow, returnTo: 'x'.repeat(Number(request.params.length)) }).send('done')
  )
  t.match((await app.inject('/100')).headers['set-cookie'], /^latchkey-signin-[\w-]{12}=/)
  t.equal(logs.join('').includes('too large'), false)
  const tooLarge = await app.inject('/4000')
  t.equal(tooLarge.statusCode, 200)
  t.equal(tooLarge.headers['set-cookie'], undefined)
  t.match(logs.join(''), /"level":50.*"cookies":\["latchkey-signin-[\w-]{12}"\].*too large/)
  await app.close()
})

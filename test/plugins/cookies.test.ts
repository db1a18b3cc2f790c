import { randomBytes } from 'node:crypto'
import fastify, { type FastifyBaseLogger } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { registerCookies } from '../../plugins/hooks/cookies.ts'
import flows from '../../plugins/hooks/flows.ts'
import { originOf } from '../../src/config/urls.ts'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway } from '../support/gateway.ts'

t.test('SEC-22: a cookie too large for browsers is not sent, and is logged', async t => {
  const logs: string[] = []
  const logger: FastifyBaseLogger = pino({}, { write: (line: string) => void logs.push(line) })
  const app = fastify({ loggerInstance: logger })
  const limits = { idleMs: 1000, maxMs: 1000 }
  const sealedCookies = await registerCookies(app, { keys: [randomBytes(32)], limits, publicOrigin: originOf(new URL('http://localhost')) })
  await app.register(flows, { clock: { now: Date.now }, sealedCookies })
  const flow = { state: 's', provider: 'p', codeVerifier: 'v', owner: 'o', startsSession: true, startedAtMs: Date.now() }
  app.get<{ Params: { length: number } }>('/:length', (request, reply) =>
    reply.setFlowCookie({ ...flow, returnTo: 'x'.repeat(Number(request.params.length)) }).send('done')
  )
  t.match((await app.inject('/100')).headers['set-cookie'], /^grantkeeper-80-signin-[\w-]{12}=/)
  t.equal(logs.join('').includes('too large'), false)
  const tooLarge = await app.inject('/4000')
  t.equal(tooLarge.statusCode, 200)
  t.equal(tooLarge.headers['set-cookie'], undefined)
  t.match(logs.join(''), /"level":50.*"cookies":\["grantkeeper-80-signin-[\w-]{12}"\].*too large/)
  await app.close()
})

t.test('gateways on several ports of one host do not share sessions or sign-ins', async t => {
  const provider = await startFakeProvider(t)
  const environment = { ...provider.environment, SESSION_KEYS: newKey() }
  const gateways = [await startGateway(t, { environment }), await startGateway(t, { environment })]
  const browser = new Browser()
  for (const { url } of gateways) t.equal((await browser.request(`${url}/auth/productboard`)).status, 302)
  for (const gateway of gateways) await signIn(gateway, browser)
  for (const { url } of gateways) {
    t.equal((await browser.fetch(`${url}/proxy/productboard/x`)).status, 200)
    t.equal(browser.flows(url).length, 1, 'the unfinished sign-in')
  }
  await browser.fetch(`${gateways[0]?.url}/logout`, { method: 'POST' })
  t.equal((await browser.fetch(`${gateways[1]?.url}/proxy/productboard/x`)).status, 200)
})

async function cookieNames(publicUrl: string) {
  const app = fastify()
  const publicOrigin = originOf(new URL(publicUrl))
  const { session, flow } = await registerCookies(app, { keys: [randomBytes(32)], limits: { idleMs: 1000, maxMs: 1000 }, publicOrigin })
  await app.close()
  return { session: session.name, flow: `${flow.name}-` }
}

t.test('on http cookie names contain the port, by default 80', async t => {
  t.strictSame(await cookieNames('http://localhost'), { session: 'grantkeeper-80', flow: 'grantkeeper-80-signin-' })
  t.strictSame(await cookieNames('http://localhost:300'), { session: 'grantkeeper-300', flow: 'grantkeeper-300-signin-' })
})

t.test('no flow cookie’s name begins with that of another port', async t => {
  const [short, long] = [await cookieNames('http://localhost:300'), await cookieNames('http://[::1]:3000')]
  t.notOk(`${long.flow}x`.startsWith(short.flow))
})

t.test('on https cookies have the __Host- prefix and no port', async t => {
  const secure = { session: '__Host-grantkeeper', flow: '__Host-grantkeeper-signin-' }
  for (const publicUrl of ['https://connect.example.com', 'https://connect.example.com:8443'])
    t.strictSame(await cookieNames(publicUrl), secure, publicUrl)
})

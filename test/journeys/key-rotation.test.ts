import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { answered, problem, signIn } from '../support/connected.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'
import { reseal } from '../support/reseal.ts'

const hour = 3600_000

async function resealed(t: Test, environment: Record<string, string>, expectedCode = 0): Promise<string> {
  const { code, output } = await reseal(t, environment)
  t.equal(code, expectedCode)
  return output
}

/** Two instances that are replaced one after the other, as a balancer sees it: nothing goes to one that is on its way out. */
async function startPair(t: Test, clock: TestClock, provider: FakeProvider, common: Record<string, string>) {
  const ports = [await freePort(), await freePort()]
  const environment = { ...provider.environment, ...common, PUBLIC_URL: `http://localhost:${ports[0]}` }
  type Place = { gateway: TestGateway; calls: Set<Promise<unknown>>; isIn: boolean }
  const start = (port: number, keys: Record<string, string>) => startGateway(t, { clock, port, environment: { ...environment, ...keys } })
  const places: Place[] = []
  let turn = 0
  return {
    environment,
    async roll(keys: Record<string, string>) {
      for (const [i, port] of ports.entries()) {
        const place = places[i]
        if (place) {
          place.isIn = false
          await Promise.allSettled(place.calls)
          await place.gateway.close()
        }
        places[i] = { gateway: await start(port, keys), calls: new Set(), isIn: true }
      }
    },
    /** At the next instance that is in. */
    at<T>(work: (gateway: TestGateway) => Promise<T>): Promise<T> {
      const inside = places.filter(place => place.isIn)
      const place = inside[turn++ % inside.length] as Place
      const call = work(place.gateway)
      place.calls.add(call)
      const done = () => place.calls.delete(call)
      call.then(done, done)
      return call
    }
  }
}

t.test('SEC-23, SEC-38: both rings of keys are rotated under load, and nobody is lost', async t => {
  const redis = await startRedis(t)
  const clock = new TestClock()
  const provider = await startFakeProvider(t)
  const pair = await startPair(t, clock, provider, { REDIS_URL: redis.url })
  const [oldKeys, newKeys] = [0, 1].map(() => ({ SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() })) as [Keys, Keys]
  const failures: string[] = []
  let calls = 0

  const call = (browser: Browser) =>
    pair.at(async ({ url }) => {
      for (const path of ['/proxy/productboard/x', '/connections']) {
        const answer = await answered(() => browser.fetch(url + path))
        const text = await answer.text()
        calls++
        if (answer.status !== 200 || text.includes('"disconnected"')) failures.push(`${path}: ${answer.status} ${text}`)
      }
    })
  const newcomer = async () => {
    const browser = new Browser()
    t.equal((await pair.at(gateway => answered(() => signIn(gateway, browser)))).status, 303)
    return browser
  }

  await pair.roll(oldKeys)
  const busy = await Promise.all(Array.from({ length: 8 }, newcomer))
  // They come once in a while, and their tokens are good for longer than all of this.
  const ordinary = provider.token
  provider.token = (_, r) =>
    void r.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"long","token_type":"Bearer"}')
  const quiet = await Promise.all(Array.from({ length: 4 }, newcomer))
  provider.token = ordinary
  const cookies = () => [...busy, ...quiet].map(browser => browser.session(pair.environment.PUBLIC_URL)?.value)
  const before = cookies()

  let isOver = false
  const load = busy.map(async browser => {
    while (!isOver) {
      await call(browser)
      // Time for the instances that start meanwhile.
      await sleep(5)
    }
  })
  const renewals = () => provider.seen.token.filter(({ body }) => body.includes('grant_type=refresh_token')).length
  /** Every token of the busy ones ends, and is renewed while whatever happens next happens. */
  const tokensEnd = () => clock.advance(hour)
  const ring = (...keys: Keys[]): Keys => ({
    SESSION_KEYS: keys.map(key => key.SESSION_KEYS).join(),
    TOKEN_KEYS: keys.map(key => key.TOKEN_KEYS).join()
  })

  /** Whatever the load has come to on a busy machine: each of them was served since, and so renewed. */
  const allAreServed = async () => {
    for (let times = 0; times < 3; times++) await Promise.all(busy.map(call))
  }

  for (const keys of [ring(oldKeys, newKeys), ring(newKeys, oldKeys)]) {
    tokensEnd()
    await pair.roll(keys)
    await allAreServed()
  }
  busy.push(await newcomer())
  await Promise.all(quiet.map(call))
  tokensEnd()
  const environment = { ...pair.environment, ...ring(newKeys, oldKeys) }
  t.match(await resealed(t, environment), /^Redis at .+\n\d+ records of 13 users: [1-9]\d* resealed .+\nNo record needs the older keys/)
  await allAreServed()
  t.match(await resealed(t, environment), /26 records of 13 users: 0 resealed with the first of TOKEN_KEYS, 26 were already\./)

  tokensEnd()
  await pair.roll(newKeys)
  await Promise.all([...busy, ...quiet].map(call))
  isOver = true
  await Promise.all(load)
  t.same(failures, [])
  t.ok(calls > 100, `${calls} calls`)
  t.ok(renewals() >= 4 * 8, `${renewals()} renewals`)
  t.same(
    cookies().filter(cookie => cookie === undefined || before.includes(cookie)),
    [],
    'every cookie was sealed anew'
  )
})

type Keys = { SESSION_KEYS: string; TOKEN_KEYS: string }

t.test('SEC-38: a key that is removed takes exactly its own records with it, and their people are asked to connect again', async t => {
  const environment = { SESSION_KEYS: newKey(), DATA_DIR: t.testdir() }
  const [leaked, kept] = [newKey(), newKey()]
  const provider = await startFakeProvider(t)
  const port = await freePort()
  let gateway: TestGateway | undefined
  const restart = async (keys: string) => {
    await gateway?.close()
    gateway = await startGateway(t, { port, environment: { ...provider.environment, ...environment, TOKEN_KEYS: keys } })
    return gateway
  }
  const people = { before: new Browser(), after: new Browser() }
  const { url } = await restart(leaked)
  await signIn({ url }, people.before)
  // Whose cookie is shown for the first time is written, under the newest key.
  await people.before.fetch(`${url}/connections`)
  await restart(`${kept},${leaked}`)
  await signIn({ url }, people.after)
  const link = (await (await people.before.fetch(`${url}/connections/productboard/invitation`, { method: 'POST' })).json()) as {
    url: string
  }

  const { logs } = await restart(kept)
  t.equal((await people.after.fetch(`${url}/proxy/productboard/x`)).status, 200)
  const asked = await problem(t, await people.before.fetch(`${url}/proxy/productboard/x`), 401, 'connection_required')
  t.match(asked, { provider: 'productboard', connectUrl: `${url}/auth/productboard` })
  t.match(await (await people.before.fetch(`${url}/connections`)).text(), /"status":"disconnected"/)
  for (const [path, status] of [
    ['/', 200],
    [new URL(link.url).pathname, 200],
    ['/connections/productboard/refresh', 401],
    ['/connections/productboard/invitation', 201]
  ] as const) {
    const method = path.startsWith('/connections/') ? 'POST' : 'GET'
    t.equal((await people.before.fetch(url + path, { method, headers: { accept: 'text/html' } })).status, status, path)
  }

  const report = await resealed(t, { ...provider.environment, ...environment, TOKEN_KEYS: kept }, 1)
  t.match(report, /\n1 cannot be opened with any of TOKEN_KEYS\. If a key is missing from TOKEN_KEYS, add it/)
  t.notMatch(report, 'No record needs')
  t.equal((await signIn({ url }, people.before)).status, 303)
  t.equal((await people.before.fetch(`${url}/proxy/productboard/x`)).status, 200)
  t.equal((await people.before.fetch(`${url}/logout`, { method: 'POST' })).status, 204)
  t.notMatch(logs.join(''), /internal_error|"status":500/)
})

t.test('SEC-38, SEC-15: a revocation that waits is resealed too, and is made under the new key', async t => {
  const environment = { SESSION_KEYS: newKey(), DATA_DIR: t.testdir() }
  const [before, after] = [newKey(), newKey()]
  const clock = new TestClock()
  const provider = await startFakeProvider(t)
  const port = await freePort()
  const start = (keys: string) =>
    startGateway(t, { port, clock, environment: { ...provider.environment, ...environment, TOKEN_KEYS: keys } })
  const browser = new Browser()
  const first = await start(before)
  await signIn(first, browser)
  provider.revoke = (_, r) => void r.writeHead(503).end()
  await browser.fetch(`${first.url}/logout`, { method: 'POST' })
  await first.close()
  const variables = { ...provider.environment, ...environment, TOKEN_KEYS: `${after},${before}` }
  t.match(await resealed(t, variables), /1 records of 0 users: 1 resealed/)
  provider.revoke = (_, r) => void r.writeHead(200).end()
  clock.advance(5_000)
  await start(after)
  while (provider.seen.revoke.length < 2) await new Promise(setImmediate)
  const [asked, again] = provider.seen.revoke.map(({ body }) => body.toString())
  t.equal(again, asked)
})

import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, retryWhileUnavailable, signIn } from '../support/connected.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'
import { startRedis } from '../support/redis.ts'
import { reseal } from '../support/reseal.ts'

const hour = 3600_000

async function runReseal(t: Test, environment: Record<string, string>, expectedCode = 0): Promise<string> {
  const { code, output } = await reseal(t, environment)
  t.equal(code, expectedCode)
  return output
}

/** Two instances that restart one after the other. As behind a load balancer, a stopping instance gets no new requests. */
async function startPair(t: Test, clock: TestClock, provider: FakeProvider, common: Record<string, string>) {
  const ports = [await freePort(), await freePort()]
  const environment = { ...provider.environment, ...common, PUBLIC_URL: `http://localhost:${ports[0]}` }
  type Slot = { gateway: TestGateway; requests: Set<Promise<unknown>>; isActive: boolean }
  const start = (port: number, keys: Record<string, string>) => startGateway(t, { clock, port, environment: { ...environment, ...keys } })
  const slots: Slot[] = []
  let turn = 0
  return {
    environment,
    async restart(keys: Record<string, string>) {
      for (const [i, port] of ports.entries()) {
        const slot = slots[i]
        if (slot) {
          slot.isActive = false
          await Promise.allSettled(slot.requests)
          await slot.gateway.close()
        }
        slots[i] = { gateway: await start(port, keys), requests: new Set(), isActive: true }
      }
    },
    /** Runs `work` with the next active instance, round robin. */
    run<T>(work: (gateway: TestGateway) => Promise<T>): Promise<T> {
      const active = slots.filter(slot => slot.isActive)
      const slot = active[turn++ % active.length] as Slot
      const request = work(slot.gateway)
      slot.requests.add(request)
      const done = () => slot.requests.delete(request)
      request.then(done, done)
      return request
    }
  }
}

t.test('SEC-23, SEC-38: rotating session and token keys under load fails no request', async t => {
  const redis = await startRedis(t)
  const clock = new TestClock()
  const provider = await startFakeProvider(t)
  const pair = await startPair(t, clock, provider, { REDIS_URL: redis.url })
  const [oldKeys, newKeys] = [0, 1].map(() => ({ SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() })) as [Keys, Keys]
  const failures: string[] = []
  let requests = 0

  const send = (browser: Browser) =>
    pair.run(async ({ url }) => {
      for (const path of ['/proxy/productboard/x', '/connections']) {
        const response = await retryWhileUnavailable(() => browser.fetch(url + path))
        const text = await response.text()
        requests++
        if (response.status !== 200 || text.includes('"disconnected"')) failures.push(`${path}: ${response.status} ${text}`)
      }
    })
  const signInAnother = async () => {
    const browser = new Browser()
    t.equal((await pair.run(gateway => retryWhileUnavailable(() => signIn(gateway, browser)))).status, 303)
    return browser
  }

  await pair.restart(oldKeys)
  const busy = await Promise.all(Array.from({ length: 8 }, signInAnother))
  // Quiet users send few requests, and their tokens never expire.
  const expiringTokens = provider.token
  provider.token = (_, r) =>
    void r.writeHead(200, { 'content-type': 'application/json' }).end('{"access_token":"long","token_type":"Bearer"}')
  const quiet = await Promise.all(Array.from({ length: 4 }, signInAnother))
  provider.token = expiringTokens
  const cookies = () => [...busy, ...quiet].map(browser => browser.session(pair.environment.PUBLIC_URL)?.value)
  const before = cookies()

  let isOver = false
  const load = busy.map(async browser => {
    while (!isOver) {
      await send(browser)
      // Leave CPU time for the restarting instances.
      await sleep(5)
    }
  })
  const renewals = () => provider.seen.token.filter(({ body }) => body.includes('grant_type=refresh_token')).length
  /** Expires every token of the busy users: they are renewed during the next step. */
  const expireTokens = () => clock.advance(hour)
  const ring = (...keys: Keys[]): Keys => ({
    SESSION_KEYS: keys.map(key => key.SESSION_KEYS).join(),
    TOKEN_KEYS: keys.map(key => key.TOKEN_KEYS).join()
  })

  /** Makes sure that each busy user was served, and so renewed, even if the load lags on a busy machine. */
  const serveAll = async () => {
    for (let times = 0; times < 3; times++) await Promise.all(busy.map(send))
  }

  for (const keys of [ring(oldKeys, newKeys), ring(newKeys, oldKeys)]) {
    expireTokens()
    await pair.restart(keys)
    await serveAll()
  }
  busy.push(await signInAnother())
  await Promise.all(quiet.map(send))
  expireTokens()
  const environment = { ...pair.environment, ...ring(newKeys, oldKeys) }
  t.match(await runReseal(t, environment), /^Redis at .+\n\d+ records of 13 users: [1-9]\d* resealed .+\nNo record needs the older keys/)
  await serveAll()
  t.match(await runReseal(t, environment), /39 records of 13 users: 0 resealed with the first of TOKEN_KEYS, 39 were already\./)

  expireTokens()
  await pair.restart(newKeys)
  await Promise.all([...busy, ...quiet].map(send))
  isOver = true
  await Promise.all(load)
  t.same(failures, [])
  t.ok(requests > 100, `${requests} requests`)
  t.ok(renewals() >= 4 * 8, `${renewals()} renewals`)
  t.same(
    cookies().filter(cookie => cookie === undefined || before.includes(cookie)),
    [],
    'every cookie was resealed'
  )
})

type Keys = { SESSION_KEYS: string; TOKEN_KEYS: string }

t.test('SEC-38: removing a key invalidates exactly its own records, and their users reconnect', async t => {
  const environment = { SESSION_KEYS: newKey(), DATA_DIR: t.testdir() }
  const [leakedKey, goodKey] = [newKey(), newKey()]
  const provider = await startFakeProvider(t)
  const port = await freePort()
  let gateway: TestGateway | undefined
  const restart = async (keys: string) => {
    await gateway?.close()
    gateway = await startGateway(t, { port, environment: { ...provider.environment, ...environment, TOKEN_KEYS: keys } })
    return gateway
  }
  const users = { before: new Browser(), after: new Browser() }
  const { url } = await restart(leakedKey)
  await signIn({ url }, users.before)
  // The first request with a new cookie writes the session under the newest key.
  await users.before.fetch(`${url}/connections`)
  await restart(`${goodKey},${leakedKey}`)
  await signIn({ url }, users.after)
  const link = (await (await users.before.fetch(`${url}/connections/productboard/invitation`, { method: 'POST' })).json()) as {
    url: string
  }

  const { logs } = await restart(goodKey)
  t.equal((await users.after.fetch(`${url}/proxy/productboard/x`)).status, 200)
  const refused = await assertProblem(t, await users.before.fetch(`${url}/proxy/productboard/x`), 401, 'connection_required')
  t.match(refused, { provider: 'productboard', connectUrl: `${url}/connect/productboard` })
  t.match(await (await users.before.fetch(`${url}/connections`)).text(), /"status":"disconnected"/)
  for (const [path, status] of [
    ['/', 200],
    [new URL(link.url).pathname, 200],
    ['/connections/productboard/refresh', 401],
    ['/connections/productboard/invitation', 201]
  ] as const) {
    const method = path.startsWith('/connections/') ? 'POST' : 'GET'
    t.equal((await users.before.fetch(url + path, { method, headers: { accept: 'text/html' } })).status, status, path)
  }

  const report = await runReseal(t, { ...provider.environment, ...environment, TOKEN_KEYS: goodKey }, 1)
  t.match(report, /\n2 cannot be opened with any of TOKEN_KEYS\. If a key is missing from TOKEN_KEYS, add it/)
  t.notMatch(report, 'No record needs')
  t.equal((await signIn({ url }, users.before)).status, 303)
  t.equal((await users.before.fetch(`${url}/proxy/productboard/x`)).status, 200)
  t.equal((await users.before.fetch(`${url}/logout`, { method: 'POST' })).status, 204)
  t.notMatch(logs.join(''), /internal_error|"status":500/)
})

t.test('SEC-38, SEC-15: a pending revocation is resealed and sent under the new key', async t => {
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
  const withBothKeys = { ...provider.environment, ...environment, TOKEN_KEYS: `${after},${before}` }
  t.match(await runReseal(t, withBothKeys), /1 records of 0 users: 1 resealed/)
  provider.revoke = (_, r) => void r.writeHead(200).end()
  clock.advance(5_000)
  await start(after)
  while (provider.seen.revoke.length < 2) await new Promise(setImmediate)
  const [firstBody, secondBody] = provider.seen.revoke.map(({ body }) => body.toString())
  t.equal(secondBody, firstBody)
})

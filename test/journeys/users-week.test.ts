import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { newServiceKey } from '../../src/core/users/service-keys.ts'
import { eventually } from '../stores/redis/topologies.ts'
import { connect, fetchJson, newUser, startChromium, waitForStatus } from '../support/chromium.ts'
import { commandFile } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, startTestSandbox, TestClock } from '../support/gateway.ts'
import { startOpenidIssuer } from '../support/openid-issuer.ts'
import { startRedis } from '../support/redis.ts'
import { startRoundRobin } from '../support/round-robin.ts'

const browser = await startChromium(t)
const notes = '/proxy/productboard/v2/notes'

/** Three instances on one Redis behind a balancer, at which users sign in and a nightly job has a service key. */
async function startFleet(t: Test, variables: Readonly<Record<string, string>>) {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const [redis, sandbox] = await Promise.all([startRedis(t), startTestSandbox(t, [port])])
  const issuer = await startOpenidIssuer(t, {
    redirectUris: [`${url}/login/callback`],
    backchannelLogoutUri: `${url}/login/backchannel-logout`
  })
  const { key, entry } = newServiceKey('nightly')
  const environment = {
    PUBLIC_URL: url,
    REDIS_URL: redis.url,
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    SERVICE_KEYS: entry,
    ...issuer.environment,
    ...variables
  }
  const clock = new TestClock()
  const instances = await Promise.all([1, 2, 3].map(() => startGateway(t, { sandbox, environment, clock })))
  const urls = instances.map(instance => instance.url)
  await startRoundRobin(t, port, urls)

  /** A request of the nightly job, for a user. */
  const job = async (user: string, path = notes) => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${key.reveal()}`, 'grantkeeper-user': user } })
    return { status: response.status, code: response.headers.get('grantkeeper-error'), body: (await response.json()) as unknown }
  }

  /** Runs `connections` with the environment of the instances. */
  const connections = async (...args: string[]) => {
    const env = { PATH: process.env.PATH ?? '', ...sandbox.environment, ...environment }
    return (await promisify(execFile)(process.execPath, [commandFile, 'connections', ...args], { env })).stdout
  }

  return { url, issuer, sandbox, vendor: sandbox.vendor('productboard'), clock, job, connections }
}

/** Signs in at the identity provider in a browser of one's own, and comes back to the Connections page. */
async function signIn(t: Test, url: string, name: string) {
  const user = await newUser(t, browser)
  await user.page.goto(url)
  await user.page.getByRole('button', { name: `Sign in as ${name}` }).click()
  await user.page.getByRole('heading', { name: 'Connections' }).waitFor()
  return user
}

t.test('Monday on a laptop, Tuesday on a phone, Wednesday night a job', async t => {
  const sessionSeconds = 300
  const { url, vendor, clock, job, connections, sandbox } = await startFleet(t, { SESSION_MAX: String(sessionSeconds) })

  const laptop = await signIn(t, url, 'Ada Lovelace')
  await connect(laptop.page, 'Productboard')
  t.match(await fetchJson(laptop.page, notes), { status: 200 })

  const phone = await signIn(t, url, 'Ada Lovelace')
  await waitForStatus(phone.page, 'Productboard', 'Connected')
  t.match(await fetchJson(phone.page, notes), { status: 200 })
  const other = await signIn(t, url, 'Grace Hopper')
  t.match(await fetchJson(other.page, notes), { status: 401, body: { code: 'connection_required' } }, 'another user has nothing of it')

  t.equal((await job('ada-1')).status, 200)
  t.same([(await job('grace-2')).code, (await job('nobody')).code], ['connection_required', 'connection_required'])
  vendor.expireAccessTokens()
  const results = await Promise.all([
    ...Array.from({ length: 30 }, () => job('ada-1')),
    ...[laptop, phone].flatMap(({ page }) => Array.from({ length: 5 }, () => fetchJson(page, notes)))
  ])
  t.same([...new Set(results.map(({ status }) => status))], [200])
  t.match(vendor.counts, { tokenRequests: { authorization_code: 1, refresh_token: 1 }, reuses: 0 })

  clock.advance(sessionSeconds * 1000)
  for (const { page } of [laptop, phone])
    t.match(await fetchJson(page, '/connections'), { status: 401, body: { code: 'user_required', loginUrl: `${url}/login` } })
  t.equal((await job('ada-1')).status, 200, 'the job goes on without any session')
  // The identity provider still knows this browser.
  await laptop.page.goto(url)
  await waitForStatus(laptop.page, 'Productboard', 'Connected')
  t.match(await fetchJson(laptop.page, notes), { status: 200 })

  const token = vendor.requests.at(-1)?.headers.authorization ?? ''
  const callVendor = async () =>
    (await fetch(`${sandbox.vendor('productboard').definition.api.baseUrl}/v2/notes`, { headers: { authorization: token } })).status
  t.equal(await callVendor(), 200)
  t.match(await connections('--user', 'ada-1', '--json'), /"user":"ada-1","provider":"productboard"/)
  t.match(await connections('erase', '--user', 'ada-1'), 'Everything of "ada-1" is deleted: 1 connection, sessions and invitations.')
  t.equal(await connections('--user', 'ada-1', '--json'), '')
  t.equal(await callVendor(), 401, 'the provider’s token is dead')
  // The instances learn of it through Redis.
  await eventually('the job is told', async () => (await job('ada-1')).code === 'connection_required')
  t.match(await fetchJson(laptop.page, '/connections'), { status: 401, body: { code: 'user_required' } })
  t.match(await fetchJson(other.page, '/connections'), { status: 401 }, 'whose session has ended by its time')
})

t.test('thirty jobs on three instances renew a token once when its time is over', async t => {
  const { url, vendor, clock, job } = await startFleet(t, {})
  const laptop = await signIn(t, url, 'Ada Lovelace')
  await connect(laptop.page, 'Productboard')
  for (let expiry = 1; expiry <= 3; expiry++) {
    clock.advance(24 * 3600 * 1000)
    const results = await Promise.all(Array.from({ length: 30 }, () => job('ada-1')))
    t.same([...new Set(results.map(({ status }) => status))], [200])
    t.match(vendor.counts, { tokenRequests: { refresh_token: expiry }, reuses: 0 })
  }
})

t.test('what a user disconnects on the phone, no laptop and no job has any more', async t => {
  const { url, vendor, job } = await startFleet(t, {})
  const laptop = await signIn(t, url, 'Ada Lovelace')
  await connect(laptop.page, 'Productboard')
  t.equal((await job('ada-1')).status, 200)
  const phone = await signIn(t, url, 'Ada Lovelace')
  await phone.page.getByRole('button', { name: 'Disconnect Productboard' }).click()
  await phone.page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  await waitForStatus(phone.page, 'Productboard', 'Not connected')
  t.equal(vendor.counts.revocations, 1)
  await eventually('the job is told', async () => (await job('ada-1')).code === 'connection_required')
  await laptop.page.reload()
  await waitForStatus(laptop.page, 'Productboard', 'Not connected')
})

t.test('SEC-51: a sign-out at the identity provider reaches every instance', async t => {
  const { url, issuer, job } = await startFleet(t, {})
  const laptop = await signIn(t, url, 'Ada Lovelace')
  await connect(laptop.page, 'Productboard')
  for (let i = 0; i < 3; i++) t.match(await fetchJson(laptop.page, notes), { status: 200 })
  const phone = await signIn(t, url, 'Ada Lovelace')

  const tab = await laptop.context.newPage()
  await tab.goto(`${issuer.issuer}/session/end`)
  await Promise.all([tab.waitForURL(`${issuer.issuer}/session/end/success**`), tab.getByRole('button', { name: 'Sign out' }).click()])
  // One instance was told. The others learn of it through Redis.
  await eventually('all of them refuse', async () => {
    const results = await Promise.all([1, 2, 3].map(() => fetchJson(laptop.page, notes)))
    return results.every(({ status }) => status === 401)
  })
  for (let i = 0; i < 6; i++)
    t.match(await fetchJson(laptop.page, notes), { status: 401, body: { code: 'user_required', loginUrl: `${url}/login` } })
  t.match(await fetchJson(phone.page, notes), { status: 200 }, 'the phone is signed in')
  t.equal((await job('ada-1')).status, 200)
})

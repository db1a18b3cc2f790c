import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { administer } from '../stores/redis/topologies.ts'
import { Browser } from '../support/browser.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock } from '../support/gateway.ts'
import { raw } from '../support/raw.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

const hour = 3600_000

/** How a secret may be spelled where it should not be: as it is, encoded, or as a part of a longer base64 text. */
function spellings(secret: string): string[] {
  const inBase64 = [0, 1, 2].map(shift => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString('base64url')
    // Its ends depend on the neighbours.
    return text.slice(shift === 0 ? 0 : 4, -4)
  })
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...inBase64, ...inBase64.map(inPlainBase64)]
}
const inPlainBase64 = (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')

const holds = (text: string, secret: string) => spellings(secret).some(spelling => text.includes(spelling))

/** A browser that writes down everything it is told, but for what is meant for it or the provider alone. */
class Witness extends Browser {
  readonly heard: string[] = []
  readonly cookieValues = new Set<string>()
  readonly states = new Set<string>()

  override async request(url: string, init: RequestInit = {}): Promise<Response> {
    const response = await super.request(url, init)
    const headers = [...response.headers].filter(([name]) => name !== 'set-cookie')
    for (const { value } of this.cookies.values()) this.cookieValues.add(value)
    const toProvider = headers.findIndex(([name, value]) => name === 'location' && value.includes('/authorize?'))
    if (toProvider !== -1) {
      const [[, location] = ['', '']] = headers.splice(toProvider, 1)
      const state = new URL(location).searchParams.get('state')
      if (state) this.states.add(state)
    }
    this.heard.push(`${init.method ?? 'GET'} ${response.status} ${JSON.stringify(headers)} ${await response.clone().text()}`)
    return response
  }
}

/** @param environment where records lie. @param dump all that lies there, as text. */
async function walk(t: Test, environment: Record<string, string>, dump: () => Promise<string>, stopStore?: () => Promise<void>) {
  const secrets = { client: 'canary-client-secret', session: newKey(), token: newKey(), odd: 'canary-of-odd-places' }
  const [provider, keyed] = [await startFakeProvider(t), await startFakeProvider(t, 'OUTGROW')]
  const clock = new TestClock()
  const gateway = await startGateway(t, {
    clock,
    environment: {
      ...provider.environment,
      OUTGROW_API_URL: `${keyed.origin}/base`,
      PRODUCTBOARD_CLIENT_SECRET: secrets.client,
      SESSION_KEYS: secrets.session,
      TOKEN_KEYS: secrets.token,
      ...environment
    }
  })
  const { url } = gateway
  const port = Number(new URL(url).port)
  const found = new Set<string>([...Object.values(secrets), ...(environment.REDIS_URL?.match(/canary-[\w-]+/g) ?? [])])
  const browsers: Witness[] = []
  const newBrowser = () => browsers[browsers.push(new Witness()) - 1] as Witness
  let made = 0
  const canary = (what: string): string => {
    const secret = `canary-${what}-${++made}-${'x'.repeat(12)}`
    found.add(secret)
    return secret
  }

  provider.token = (_, r) =>
    json(r, 200, {
      access_token: canary('access'),
      refresh_token: canary('refresh'),
      id_token: canary('id'),
      token_type: 'Bearer',
      expires_in: 3600
    })
  const granting = provider.token
  const spoilt =
    (status: number): typeof granting =>
    (seen, r) =>
      json(r, status, { error: 'server_error', error_description: `${seen.body} ${canary('said')}`, access_token: canary('access') })

  const come = async (browser: Browser, query: Record<string, string> = {}, accept = 'text/html') => {
    const begun = await browser.request(`${url}/auth/productboard?return_to=/`)
    const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
    const back = new URLSearchParams({ state, code: canary('code'), ...query })
    return browser.request(`${url}/auth/productboard/callback?${back}`, { headers: { accept } })
  }
  const post = (browser: Browser, path: string, body: string, type = 'application/json') =>
    browser.fetch(url + path, { method: 'POST', body, headers: { 'content-type': type } })

  // Sign-ins that fail in every way, and one that does not.
  const person = newBrowser()
  for (const accept of ['text/html', '*/*']) {
    await come(person, { error: 'access_denied', error_description: canary('described') }, accept)
    await come(person, { iss: `https://${canary('issuer')}.example` }, accept)
    await come(person, { state: canary('state') }, accept)
    for (const status of [400, 401, 500, 200]) {
      provider.token = spoilt(status)
      await come(person, {}, accept)
    }
    provider.token = (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).end(`{"access_token":"${canary('access')}"`)
    await come(person, {}, accept)
    provider.token = (_, r) => void r.socket?.end(`HTTP/1.1 200 OK\r\nbroken ${canary('access')}\0\r\n\r\n`)
    await come(person, {}, accept)
  }
  provider.token = granting
  t.equal((await come(person)).status, 303)

  const answering: typeof provider.api = (_, r) => json(r, 200, {})
  provider.api = answering
  // Calls: good, odd, and with a provider that breaks off while it says something secret.
  const call = (init: RequestInit = {}, path = '/x') => person.fetch(`${url}/proxy/productboard${path}`, init)
  t.equal((await call()).status, 200)
  await call({ headers: { authorization: `Bearer ${canary('own')}`, 'x-note': secrets.odd } })
  await call({}, `/x?access_token=${canary('query')}`)
  await call({ method: 'POST', body: canary('body') })
  await call({}, `/%2e%2e/${canary('path-that-is-refused')}?q=${secrets.odd}`)
  provider.api = (_, r) => void r.socket?.end(`HTTP/1.1 200 OK\r\nx: y\0${canary('header')}\r\n\r\n`)
  t.equal((await call()).status, 502)
  provider.api = (seen, r) => void r.writeHead(302, { location: `/base/next?token=${seen.headers.authorization?.slice(7)}` }).end()
  await call()

  // Renewals: one that works, some that fail, and the end of the grant.
  provider.api = answering
  clock.advance(hour)
  t.equal((await call()).status, 200)
  clock.advance(hour)
  for (const status of [500, 200]) {
    provider.token = spoilt(status)
    await call()
    await post(person, '/connections/productboard/refresh', '')
    clock.advance(60_000)
  }
  // With a token beside its error the last one was a success.
  clock.advance(hour)
  provider.token = (_, r) => json(r, 400, { error: 'invalid_grant', error_description: canary('described') })
  t.equal((await call()).status, 401)
  provider.token = granting
  t.equal((await come(person)).status, 303)

  // Keys: one that is taken, and stands in a path from then on; and those that are not.
  const key = canary('key')
  keyed.api = (seen, r) => json(r, 200, { success: seen.url === `/base/get_cal/${key}` })
  for (const apiKey of [canary('wrong-key'), `${canary('key with blanks')} x`, key])
    await post(person, '/connections/outgrow', JSON.stringify({ apiKey }))
  t.equal((await person.fetch(`${url}/proxy/outgrow/get_cal`)).status, 200)
  keyed.api = (seen, r) => void r.writeHead(302, { location: `${seen.url}/next` }).end()
  await person.fetch(`${url}/proxy/outgrow/get_cal`)
  keyed.api = (_, r) => void r.destroy()
  await post(person, '/connections/outgrow', JSON.stringify({ apiKey: canary('key') }))
  await post(person, '/connections/outgrow', `{"apiKey":${canary('no-json')}}`)
  await post(person, '/connections/outgrow', canary('form'), 'application/x-www-form-urlencoded')
  await post(person, '/connections/outgrow', JSON.stringify({ apiKey: canary('long').repeat(2000) }))

  // An invitation's link is a secret too, though not from whoever opens it.
  const { url: link } = (await (await post(person, '/connections/outgrow/invitation', '{"name":"Ada"}')).json()) as { url: string }
  const guest = new Browser()
  const invited = link.split('/').at(-1) ?? ''
  for (const path of ['', 'x', '/nothing', '/accept', '/decline', '?x'])
    await guest.request(link + path, { headers: { accept: 'text/html' } })
  for (const method of ['PUT', 'OPTIONS', 'DELETE', 'HEAD']) await guest.fetch(link, { method })
  for (const address of [link, `${link}/accept`].map(text => new URL(text).pathname)) {
    for (const target of [address, address.replace('i', '%69'), `http://x${address}`]) {
      for (const method of ['GET', 'PUT', 'OPTIONS'])
        await raw(port, `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    }
  }
  const apiKey = canary('key')
  keyed.api = ({ url: path }, r) => json(r, 200, { success: path.endsWith(apiKey) })
  t.equal((await post(guest, new URL(link).pathname, JSON.stringify({ apiKey }))).status, 201)
  await guest.request(`${link}/accept`, { method: 'POST', headers: { origin: url } })

  // What is no session, no address, no HTTP.
  const stranger = newBrowser()
  for (const path of [`/${canary('nowhere')}`, `/auth/${secrets.odd}`, `/?x=${canary('query')}`, `/proxy/${secrets.odd}/x`])
    for (const accept of ['text/html', '*/*'])
      await stranger.request(url + path, { headers: { accept, cookie: `${sessionCookie(url)}=${canary('cookie')}` } })
  for (const bytes of [
    `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${sessionCookie(url)}=${canary('cookie')}\0\r\n\r\n`,
    `GET /${canary('target')} HTTP/1.1\r\nHost: x\r\nX: ${canary('long').repeat(1000)}\r\n\r\n`,
    `${canary('no-http')}\r\n\r\n`
  ])
    person.heard.push(await raw(port, bytes))

  for (const path of ['/', '/connections', '/invitations', '/connect/outgrow', '/client.js', '/health/ready'])
    await person.request(url + path)
  const stored = await dump()
  provider.revoke = spoilt(503)
  t.equal((await person.fetch(`${url}/connections/productboard`, { method: 'DELETE' })).status, 204)
  if (stopStore) {
    await stopStore()
    for (const path of ['/', '/connections', '/proxy/outgrow/x', '/auth/productboard', '/health/ready']) await person.fetch(url + path)
  }
  t.equal((await person.fetch(`${url}/logout`, { method: 'POST' })).status, stopStore ? 503 : 204)
  await gateway.close()

  const went = [provider, keyed].flatMap(({ seen }) => Object.values(seen).flat())
  const sent = went.map(({ url, headers, body }) => `${url} ${JSON.stringify(headers)} ${body}`).join('\n')
  for (const [, verifier] of sent.matchAll(/code_verifier=([\w.~-]+)/g)) if (verifier) found.add(verifier)
  for (const browser of browsers) for (const secret of [...browser.states, ...browser.cookieValues]) found.add(secret)
  const expected = ['canary-client-secret', 'canary-code', 'canary-access', 'canary-refresh', 'canary-key']
  for (const kind of expected) t.match(sent, kind, `${kind} was there to be told`)
  return { secrets: [...found], invited, heard: browsers.flatMap(({ heard }) => heard), logs: gateway.logs, stored }
}

/** @returns what told it, cut short: the secret is not to be repeated in the test's own output either. */
const tellers = (texts: readonly string[], secret: string) =>
  texts.filter(text => holds(text, secret)).map(text => `${secret.slice(0, 16)}… in ${text.slice(0, 60)}…`)

function isSilent(t: Test, { secrets, invited, heard, logs, stored }: Awaited<ReturnType<typeof walk>>) {
  t.ok(secrets.length > 80, `${secrets.length} secrets`)
  t.ok(heard.length > 60 && logs.length > 60 && stored.length > 1000, 'there is much to look through')
  for (const secret of secrets) {
    // A path that goes to the API is logged without its query; who puts a secret into it tells it to every server on the way.
    // And why a provider refused is for the log alone: its description, and the issuer that was not its own.
    const isForLog = /^canary-(nowhere|target|path|of-odd|described|said|issuer)/.test(secret)
    const told = [...tellers(heard, secret), ...(isForLog ? [] : tellers(logs, secret)), ...tellers([stored], secret)]
    if (told.length > 0) t.same(told, [])
  }
  t.same([...tellers(logs, invited), ...tellers([stored], invited)], [])
}

t.test(
  'SEC-40, SEC-38: with Redis, nothing that is secret is told: not by a log at trace, a page, an error, a header or a dump',
  async t => {
    const password = 'canary-redis-password'
    const redis = await startRedis(t, ['--requirepass', password])
    const result = await walk(t, { REDIS_URL: redis.url.replace('//', `//:${password}@`) }, () => dumpOf(redis, password), redis.stop)
    isSilent(t, result)
  }
)

t.test('SEC-40, SEC-38: so it is with the embedded store', async t => {
  const directory = t.testdir()
  const files = async () =>
    readdirSync(directory)
      .map(name => readFileSync(join(directory, name), 'latin1'))
      .join('\n')
  isSilent(t, await walk(t, { DATA_DIR: directory }, files))
})

t.test('the search itself finds a secret however it is spelled', async t => {
  const secret = 'canary-access-1-xxxxxxxxxxxx'
  const basic = Buffer.from(`client:${secret}:more`).toString('base64')
  for (const text of [
    `a ${secret}`,
    `?t=${encodeURIComponent(secret)}`,
    basic,
    Buffer.from(`.${secret}`).toString('base64url'),
    Buffer.from(secret).toString('hex')
  ])
    t.ok(holds(text, secret), text)
  t.notOk(holds('canary-access-2', secret))
})

/** Every key and what it holds. */
const dumpOf = (redis: RedisServer, password: string) =>
  administer({ ...redis, password }, async say => {
    const keys = (await say('KEYS', '*')) as string[]
    const values = await Promise.all(keys.map(async key => ((await say('TYPE', key)) === 'hash' ? say('HGETALL', key) : say('GET', key))))
    return JSON.stringify([keys, values])
  })

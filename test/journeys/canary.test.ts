import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { administer } from '../stores/redis/topologies.ts'
import { Browser } from '../support/browser.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { newKey, startGateway, TestClock } from '../support/gateway.ts'
import { sendRaw } from '../support/raw.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'

const hour = 3600_000

/** A secret as it may leak: verbatim, encoded, or within a longer base64 text. */
function encodingsOf(secret: string): string[] {
  const base64url = [0, 1, 2].map(shift => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]).toString('base64url')
    // The characters at both ends depend on the neighbouring bytes.
    return text.slice(shift === 0 ? 0 : 4, -4)
  })
  return [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex'), ...base64url, ...base64url.map(toBase64)]
}
const toBase64 = (text: string) => text.replaceAll('-', '+').replaceAll('_', '/')

const contains = (text: string, secret: string) => encodingsOf(secret).some(encoded => text.includes(encoded))

/** A browser that records every response, except for cookies and the redirect to the provider. */
class RecordingBrowser extends Browser {
  readonly responses: string[] = []
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
    this.responses.push(`${init.method ?? 'GET'} ${response.status} ${JSON.stringify(headers)} ${await response.clone().text()}`)
    return response
  }
}

/**
 * Uses every feature, mostly with failures, and plants a canary in each place that can hold a secret.
 * @param environment selects the store
 * @param dump returns everything in the store as text
 */
async function runEverything(t: Test, environment: Record<string, string>, dump: () => Promise<string>, stopStore?: () => Promise<void>) {
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
  const planted = new Set<string>([...Object.values(secrets), ...(environment.REDIS_URL?.match(/canary-[\w-]+/g) ?? [])])
  const browsers: RecordingBrowser[] = []
  const newBrowser = () => browsers[browsers.push(new RecordingBrowser()) - 1] as RecordingBrowser
  let count = 0
  const canary = (kind: string): string => {
    const secret = `canary-${kind}-${++count}-${'x'.repeat(12)}`
    planted.add(secret)
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
  const grantTokens = provider.token
  const failWith =
    (status: number): typeof grantTokens =>
    (seen, r) =>
      json(r, status, { error: 'server_error', error_description: `${seen.body} ${canary('error-text')}`, access_token: canary('access') })

  const signIn = async (browser: Browser, query: Record<string, string> = {}, accept = 'text/html') => {
    const redirect = await browser.request(`${url}/auth/productboard?return_to=/`)
    const state = new URL(redirect.headers.get('location') ?? '').searchParams.get('state') ?? ''
    const back = new URLSearchParams({ state, code: canary('code'), ...query })
    return browser.request(`${url}/auth/productboard/callback?${back}`, { headers: { accept } })
  }
  const post = (browser: Browser, path: string, body: string, type = 'application/json') =>
    browser.fetch(url + path, { method: 'POST', body, headers: { 'content-type': type } })

  // Sign-ins that fail in every way, and one that succeeds.
  const user = newBrowser()
  for (const accept of ['text/html', '*/*']) {
    await signIn(user, { error: 'access_denied', error_description: canary('described') }, accept)
    await signIn(user, { iss: `https://${canary('issuer')}.example` }, accept)
    await signIn(user, { state: canary('state') }, accept)
    for (const status of [400, 401, 500, 200]) {
      provider.token = failWith(status)
      await signIn(user, {}, accept)
    }
    provider.token = (_, r) => void r.writeHead(200, { 'content-type': 'application/json' }).end(`{"access_token":"${canary('access')}"`)
    await signIn(user, {}, accept)
    provider.token = (_, r) => void r.socket?.end(`HTTP/1.1 200 OK\r\nbroken ${canary('access')}\0\r\n\r\n`)
    await signIn(user, {}, accept)
  }
  provider.token = grantTokens
  t.equal((await signIn(user)).status, 303)

  const respondOk: typeof provider.api = (_, r) => json(r, 200, {})
  provider.api = respondOk
  // Proxied requests: valid, unusual, and with a provider whose malformed response contains a secret.
  const send = (init: RequestInit = {}, path = '/x') => user.fetch(`${url}/proxy/productboard${path}`, init)
  t.equal((await send()).status, 200)
  await send({ headers: { authorization: `Bearer ${canary('own')}`, 'x-note': secrets.odd } })
  await send({}, `/x?access_token=${canary('query')}`)
  await send({ method: 'POST', body: canary('body') })
  await send({}, `/%2e%2e/${canary('path-rejected')}?q=${secrets.odd}`)
  provider.api = (_, r) => void r.socket?.end(`HTTP/1.1 200 OK\r\nx: y\0${canary('header')}\r\n\r\n`)
  t.equal((await send()).status, 502)
  provider.api = (seen, r) => void r.writeHead(302, { location: `/base/next?token=${seen.headers.authorization?.slice(7)}` }).end()
  await send()

  // Renewals: one that succeeds, some that fail, and the end of the grant.
  provider.api = respondOk
  clock.advance(hour)
  t.equal((await send()).status, 200)
  clock.advance(hour)
  for (const status of [500, 200]) {
    provider.token = failWith(status)
    await send()
    await post(user, '/connections/productboard/refresh', '')
    clock.advance(60_000)
  }
  // The last failure had a token beside its error, which counts as a success.
  clock.advance(hour)
  provider.token = (_, r) => json(r, 400, { error: 'invalid_grant', error_description: canary('described') })
  t.equal((await send()).status, 401)
  provider.token = grantTokens
  t.equal((await signIn(user)).status, 303)

  // API keys: one is accepted and becomes part of the path, the others are rejected.
  const key = canary('key')
  keyed.api = (seen, r) => json(r, 200, { success: seen.url === `/base/get_cal/${key}` })
  for (const apiKey of [canary('wrong-key'), `${canary('key with blanks')} x`, key])
    await post(user, '/connections/outgrow', JSON.stringify({ apiKey }))
  t.equal((await user.fetch(`${url}/proxy/outgrow/get_cal`)).status, 200)
  keyed.api = (seen, r) => void r.writeHead(302, { location: `${seen.url}/next` }).end()
  await user.fetch(`${url}/proxy/outgrow/get_cal`)
  keyed.api = (_, r) => void r.destroy()
  await post(user, '/connections/outgrow', JSON.stringify({ apiKey: canary('key') }))
  await post(user, '/connections/outgrow', `{"apiKey":${canary('no-json')}}`)
  await post(user, '/connections/outgrow', canary('form'), 'application/x-www-form-urlencoded')
  await post(user, '/connections/outgrow', JSON.stringify({ apiKey: canary('long').repeat(2000) }))

  // An invitation link is secret too, but not to the guest who opens it.
  const { url: link } = (await (await post(user, '/connections/outgrow/invitation', '{"name":"Ada"}')).json()) as { url: string }
  const guest = new Browser()
  const invitationToken = link.split('/').at(-1) ?? ''
  for (const path of ['', 'x', '/nothing', '/accept', '/decline', '?x'])
    await guest.request(link + path, { headers: { accept: 'text/html' } })
  for (const method of ['PUT', 'OPTIONS', 'DELETE', 'HEAD']) await guest.fetch(link, { method })
  for (const path of [link, `${link}/accept`].map(text => new URL(text).pathname)) {
    for (const target of [path, path.replace('i', '%69'), `http://x${path}`]) {
      for (const method of ['GET', 'PUT', 'OPTIONS'])
        await sendRaw(port, `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    }
  }
  const apiKey = canary('key')
  keyed.api = ({ url: path }, r) => json(r, 200, { success: path.endsWith(apiKey) })
  t.equal((await post(guest, new URL(link).pathname, JSON.stringify({ apiKey }))).status, 201)
  await guest.request(`${link}/accept`, { method: 'POST', headers: { origin: url } })

  // Invalid sessions, unknown paths, malformed HTTP.
  const stranger = newBrowser()
  for (const path of [`/${canary('nowhere')}`, `/auth/${secrets.odd}`, `/?x=${canary('query')}`, `/proxy/${secrets.odd}/x`])
    for (const accept of ['text/html', '*/*'])
      await stranger.request(url + path, { headers: { accept, cookie: `${sessionCookie(url)}=${canary('cookie')}` } })
  for (const bytes of [
    `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${sessionCookie(url)}=${canary('cookie')}\0\r\n\r\n`,
    `GET /${canary('target')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ${canary('long').repeat(1000)}\r\n\r\n`,
    `${canary('no-http')}\r\n\r\n`
  ])
    user.responses.push(await sendRaw(port, bytes))

  for (const path of ['/', '/connections', '/invitations', '/connect/outgrow', '/client.js', '/health/ready'])
    await user.request(url + path)
  const stored = await dump()
  provider.revoke = failWith(503)
  t.equal((await user.fetch(`${url}/connections/productboard`, { method: 'DELETE' })).status, 204)
  if (stopStore) {
    await stopStore()
    for (const path of ['/', '/connections', '/proxy/outgrow/x', '/auth/productboard', '/health/ready']) await user.fetch(url + path)
  }
  t.equal((await user.fetch(`${url}/logout`, { method: 'POST' })).status, stopStore ? 503 : 204)
  await gateway.close()

  const upstreamRequests = [provider, keyed].flatMap(({ seen }) => Object.values(seen).flat())
  const sent = upstreamRequests.map(({ url, headers, body }) => `${url} ${JSON.stringify(headers)} ${body}`).join('\n')
  for (const [, verifier] of sent.matchAll(/code_verifier=([\w.~-]+)/g)) if (verifier) planted.add(verifier)
  for (const browser of browsers) for (const secret of [...browser.states, ...browser.cookieValues]) planted.add(secret)
  const expected = ['canary-client-secret', 'canary-code', 'canary-access', 'canary-refresh', 'canary-key']
  for (const kind of expected) t.match(sent, kind, `${kind} was in use`)
  return {
    secrets: [...planted],
    invitationToken,
    responses: browsers.flatMap(({ responses }) => responses),
    logs: gateway.logs,
    stored
  }
}

/** @returns where the secret leaked, truncated so that the test's own output does not repeat it. */
const leaksOf = (texts: readonly string[], secret: string) =>
  texts.filter(text => contains(text, secret)).map(text => `${secret.slice(0, 16)}… in ${text.slice(0, 60)}…`)

function assertNoLeak(t: Test, { secrets, invitationToken, responses, logs, stored }: Awaited<ReturnType<typeof runEverything>>) {
  t.ok(secrets.length > 80, `${secrets.length} secrets`)
  t.ok(responses.length > 60 && logs.length > 60 && stored.length > 1000, 'there is enough to search')
  for (const secret of secrets) {
    // Paths are logged without their query: a secret in a path is visible to every server on the way anyway. A provider's error
    // description and an unexpected issuer are logged, and shown nowhere else.
    const mayBeLogged = /^canary-(nowhere|target|path|of-odd|described|error-text|issuer)/.test(secret)
    const leaks = [...leaksOf(responses, secret), ...(mayBeLogged ? [] : leaksOf(logs, secret)), ...leaksOf([stored], secret)]
    if (leaks.length > 0) t.same(leaks, [])
  }
  t.same([...leaksOf(logs, invitationToken), ...leaksOf([stored], invitationToken)], [])
}

t.test('SEC-40, SEC-38: no log, page, error, header or Redis dump contains a secret', async t => {
  const password = 'canary-redis-password'
  const redis = await startRedis(t, ['--requirepass', password])
  const result = await runEverything(
    t,
    { REDIS_URL: redis.url.replace('//', `//:${password}@`) },
    () => dumpOf(redis, password),
    redis.stop
  )
  assertNoLeak(t, result)
})

t.test('SEC-40, SEC-38: the same holds for the embedded store', async t => {
  const directory = t.testdir()
  const files = async () =>
    readdirSync(directory)
      .map(name => readFileSync(join(directory, name), 'latin1'))
      .join('\n')
  assertNoLeak(t, await runEverything(t, { DATA_DIR: directory }, files))
})

t.test('the search finds a secret in every encoding', async t => {
  const secret = 'canary-access-1-xxxxxxxxxxxx'
  const basic = Buffer.from(`client:${secret}:more`).toString('base64')
  for (const text of [
    `a ${secret}`,
    `?t=${encodeURIComponent(secret)}`,
    basic,
    Buffer.from(`.${secret}`).toString('base64url'),
    Buffer.from(secret).toString('hex')
  ])
    t.ok(contains(text, secret), text)
  t.notOk(contains('canary-access-2', secret))
})

/** Every key with its value. */
const dumpOf = (redis: RedisServer, password: string) =>
  administer({ ...redis, password }, async say => {
    const keys = (await say('KEYS', '*')) as string[]
    const values = await Promise.all(keys.map(async key => ((await say('TYPE', key)) === 'hash' ? say('HGETALL', key) : say('GET', key))))
    return JSON.stringify([keys, values])
  })

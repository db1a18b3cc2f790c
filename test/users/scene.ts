import { createHash, randomBytes } from 'node:crypto'
import fastify from 'fastify'
import { SignJWT } from 'jose'
import type { Test } from 'tap'
import { registerCookies } from '../../plugins/hooks/cookies.ts'
import { must } from '../fuzz/property.ts'
import { Browser } from '../support/browser.ts'
import { flowCookie, sessionCookie } from '../support/cookie-names.ts'
import { newSigningKey, sign } from '../support/jwt-issuer.ts'
import { purposes, type Request, type Sender, type Step, type TokenName, tokens } from './requests.ts'
import { ada, audience, eve, frontend, openWorld, type World } from './world.ts'

/** Ada's side, and what Eve may know of it. */
export async function openScene(t: Test) {
  const world = await openWorld(t)
  const { url, issuer, gateway, productboard, processStreet, send } = world
  const { store, vault } = gateway.services
  unlimited(world)

  const adaBrowser = new Browser()
  await world.signIn(adaBrowser, ada)
  await world.connect(adaBrowser, 'ada')
  world.issueTokensFor('ada')
  await complete(await world.codeFor(ada, { account: 'add' }))
  for (const key of ['ada-key-one', 'ada-key-two'])
    await world.backendFor(ada)('POST', '/connections/process-street', { apiKey: key, account: 'add' })

  async function complete(code: string): Promise<void> {
    const completed = await world.as(ada)('POST', '/connections/complete', { code })
    must(completed.status === 201, `Ada’s own code: ${completed.status}`)
  }

  const { connections } = (await (await world.as(ada)('GET', '/connections')).json()) as {
    connections: Array<{ id: string; provider: string; account?: string }>
  }
  must(connections.length === 4, `Ada has ${connections.length} accounts`)

  const invited = (await (await world.as(ada)('POST', '/connections/productboard/invitation', { name: 'Ada Lovelace' })).json()) as Record<
    string,
    string
  >
  const link = (await (await world.as(ada)('POST', '/links', { provider: 'productboard', path: '/x' })).json()) as { url: string }
  const begun = await adaBrowser.request(`${url}/auth/productboard?account=add`, { headers: { accept: 'text/html' } })
  const state = new URL(begun.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const [flow] = adaBrowser.flows(url)
  const loginBrowser = new Browser()
  const login = await loginBrowser.request(`${url}/login`, { headers: { accept: 'text/html' } })
  const loginCallback = new URL(await issuer.signInAt(login.headers.get('location') ?? '', ada))
  const last = (address: string | undefined) => address?.split('/').at(-1) ?? ''

  const adaOwner = await world.ownerOf(ada)
  const adaSession = vault.openAll({ owner: adaOwner, user: { issuer: issuer.issuer, claim: 'sub', id: ada.subject } })
  must((await adaSession)?.connections.size === 4, 'the owner is Ada’s')
  const sessionId = [...(await store.readAll(adaOwner)).keys()].find(field => field.startsWith('session:'))?.slice('session:'.length) ?? ''

  const given: Record<TokenName, string> = {
    code: await world.codeFor(ada),
    start: last(await world.begin(ada)),
    link: last(link.url),
    invitation: last(invited.url),
    'invitation id': invited.id ?? '',
    'connection id': connections[0]?.id ?? '',
    state,
    'flow cookie': flow?.value ?? '',
    'session cookie': adaBrowser.session(url)?.value ?? ''
  }

  const foreignKey = newSigningKey('forged')
  const claims = { iss: issuer.issuer, sub: ada.subject, aud: audience, exp: Math.floor(Date.now() / 1000) + 3600 }
  const publicKey = await (await fetch(`${issuer.issuer}/jwks`)).text()
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const forgedBearers = {
    expired: await world.issuer.accessToken(ada, audience, { exp: 1 }),
    'other audience': await issuer.accessToken(ada, 'https://other.example.com'),
    'other key': await sign(claims, foreignKey, { kid: (JSON.parse(publicKey) as { keys: Array<{ kid: string }> }).keys[0]?.kid ?? '' }),
    'public key as secret': await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(publicKey)),
    unsigned: `${encode({ alg: 'none' })}.${encode(claims)}.`,
    'id token': await issuer.accessToken(ada, issuer.clientId),
    'logout token': await issuer.logoutToken({ sub: ada.subject, aud: audience }),
    'hash of a service key': createHash('sha256').update(world.serviceKey).digest('hex'),
    'guessed service key': `gk_${randomBytes(32).toString('base64url')}`
  }

  const sealed = await registerCookies(fastify(), {
    keys: [randomBytes(32)],
    limits: { idleMs: 60_000, maxMs: 60_000 },
    publicOrigin: { isHttps: false, port: 1 }
  })
  const forgedCookie = sealed.session.seal({ owner: adaOwner, id: sessionId })

  /** In no response to Eve. */
  const secrets = [
    ...connections.flatMap(({ id, account }) => [id, ...(account === undefined ? [] : [account])]),
    ada.name,
    ada.email,
    adaOwner,
    sessionId,
    invited.id ?? ''
  ]
  const ofOthers = /\b(ada|old)-(access|refresh|key)-/
  const oldOwners = (await ownersOf(store)).filter(owner => !owner.startsWith('u.') && !['owner-names', 'revocations'].includes(owner))

  /** All records of others, by owner and field. */
  async function snapshot(): Promise<ReadonlyMap<string, string>> {
    const all = await Promise.all([adaOwner, ...oldOwners].map(async owner => [owner, await store.readAll(owner)] as const))
    const named = all.flatMap(([owner, fields]) => [...fields].map(([field, record]) => [owner, field, record.toString('base64')] as const))
    // Whoever presents the old browser's cookie keeps its session alive.
    const kept = named.filter(([owner, field]) => owner === adaOwner || field.startsWith('connection:'))
    return new Map(kept.map(([owner, field, record]) => [`${owner} ${field}`, record]))
  }
  let before = await snapshot()

  const eveBrowser = new Browser()
  const eveBearer = await world.bearer(eve)
  const adaSubject = ada.subject
  const counts = { requests: 0, succeeded: 0, unauthorized: 0, compared: 0 }

  /** Eve is signed in and has accounts, whatever she did before. */
  async function resetEve(): Promise<void> {
    if ((await eveBrowser.fetch(`${url}/connections`)).status !== 200) await world.signIn(eveBrowser, eve)
    const list = (await (await world.as(eve)('GET', '/connections')).json()) as { connections: Array<{ provider: string; id?: string }> }
    if (!list.connections.some(one => one.provider === 'productboard' && one.id)) await world.connect(eveBrowser, 'eve')
    if (!list.connections.some(one => one.provider === 'process-street' && one.id))
      await world.as(eve)('POST', '/connections/process-street', { apiKey: 'eve-key-one' })
    if (list.connections.length > 6) await world.as(eve)('DELETE', '/connections')
  }

  function cookieOf(kind: Sender['cookie']): string[] {
    const [session, flows] = [sessionCookie(url), `${flowCookie(url)}-abcdefghijkl`]
    const own = eveBrowser.session(url)?.value ?? ''
    switch (kind) {
      case 'none':
        return []
      case 'eve':
        return [`${session}=${own}`]
      case 'old':
        return [`${session}=${world.oldBrowser.session(url)?.value}`]
      case 'forged':
        return [`${session}=${encodeURIComponent(forgedCookie)}`]
      case 'flow as session':
        return [`${session}=${given['flow cookie']}`]
      case 'session as flow':
        return [`${flows}=${own}; ${session}-login-abcdefghijkl=${own}`]
      case 'garbage and eve':
        return [`${session}=x; ${session}=${own}`]
    }
  }

  function bearerOf(kind: Sender['bearer']): string[] {
    if (kind === 'none') return []
    if (kind === 'basic') return [`Basic ${Buffer.from(`${adaSubject}:x`).toString('base64')}`]
    if (kind === 'eve') return [`Bearer ${eveBearer}`]
    if (kind === 'eve and expired') return [`Bearer ${eveBearer}`, `Bearer ${forgedBearers.expired}`]
    return [`Bearer ${forgedBearers[kind]}`]
  }

  /** @param id of a connection, that headers name */
  function headersOf({ cookie, bearer, extras }: Sender, id: string, authorization = bearerOf(bearer)): string[] {
    const fields: Record<Sender['extras'][number], string[]> = {
      'Grantkeeper-User': ['Grantkeeper-User', adaSubject],
      'Grantkeeper-User twice': ['Grantkeeper-User', eve.subject, 'GRANTKEEPER-USER', adaSubject],
      Grantkeeper_User: ['Grantkeeper_User', adaSubject],
      'X-Grantkeeper-User': ['X-Grantkeeper-User', adaSubject],
      'X-Forwarded-User': ['X-Forwarded-User', adaSubject],
      'Grantkeeper-Connection': ['Grantkeeper-Connection', id],
      'Grantkeeper-Connection twice': ['Grantkeeper-Connection', id, 'grantkeeper-connection', id],
      Grantkeeper_Connection: ['Grantkeeper_Connection', id],
      'Connection: Grantkeeper-User': ['Connection', 'keep-alive, Grantkeeper-User', 'Grantkeeper-User', adaSubject],
      'Origin: frontend': ['Origin', frontend],
      'Origin: preview': ['Origin', 'https://pr-1.preview.example.org'],
      'Origin: null': ['Origin', 'null'],
      'cross-site': ['Sec-Fetch-Site', 'cross-site'],
      'no X-CSRF': [],
      'a person’s page': ['Accept', 'text/html']
    }
    return [
      ...(extras.includes('no X-CSRF') ? [] : ['X-CSRF', '1']),
      ...cookieOf(cookie).flatMap(value => ['Cookie', value]),
      ...authorization.flatMap(value => ['Authorization', value]),
      ...extras.flatMap(name => fields[name])
    ]
  }

  /** @param template as in `routes` and `purposes` */
  function requestOf(step: Sender, template: string, { id = '', provider = '', token = '' }): Request {
    const [method = '', path = '', ...rest] = template.split(' ')
    const fill = (text: string) =>
      text
        .replaceAll('ID', id)
        .replace(/\bP\b/g, provider)
        .replace(/\bT\b/g, () => token)
    const tail = fill(rest.join(' '))
    const isForm = tail.startsWith('logout_token=')
    if (tail.startsWith('Bearer ')) return { method, path, headers: headersOf(step, id, [tail]) }
    if (tail === '') return { method, path: fill(path), headers: headersOf(step, id) }
    const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json'
    return { method, path: fill(path), body: tail, headers: ['Content-Type', type, ...headersOf(step, id)] }
  }

  async function exchange({ method, path, headers, body }: Request) {
    for (const fake of [productboard, processStreet]) for (const list of Object.values(fake.seen)) list.length = 0
    world.issueTokensFor('eve')
    const received = await send(method, path, headers, body)
    const shown = `${method} ${path.slice(0, 80)} -> ${received.status}`
    counts.requests++
    if (received.status < 300) counts.succeeded++
    if (received.status === 401) counts.unauthorized++
    const { location, ...others } = received.headers
    // The way to the sign-in repeats the address that Eve has sent.
    const head = JSON.stringify(String(location).startsWith(`${url}/login?return_to=`) ? others : received.headers)
    for (const secret of secrets) must(!received.body.includes(secret) && !head.includes(secret), `${shown} tells ${secret}`)
    must(!ofOthers.test(received.body) && !ofOthers.test(head), `${shown} tells a token`)
    must(received.status < 500, `${shown} ${received.body}`)
    return received
  }

  async function assertUntouched(shown: string): Promise<void> {
    const sent = [productboard, processStreet].flatMap(({ seen }) => [...seen.api, ...seen.token])
    for (const { rawHeaders, url, body } of sent)
      must(!ofOthers.test(`${rawHeaders.join(' ')} ${url} ${body}`), `${shown}: a request with another’s credential`)
    const after = await snapshot()
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(name => before.get(name) !== after.get(name))
    // What has changed stays changed: without this every shrunk scenario would fail too.
    before = after
    must(changed.length === 0, `${shown}: changed ${changed}`)
  }

  /** The response to a connection of Ada's is the response to one that does not exist. */
  async function tryConnection(step: Sender & { route: string; connection: number }): Promise<void> {
    // Who has the old browser may sign it out.
    if (step.cookie === 'old' && step.route === 'POST /logout') return
    const { id = '', provider = '' } = connections[step.connection] ?? {}
    const unknownId = randomBytes(16).toString('base64url')
    const real = await exchange(requestOf(step, step.route, { id, provider }))
    await assertUntouched(step.route)
    const unknown = await exchange(requestOf(step, step.route, { id: unknownId, provider }))
    if (real.status !== 404 && unknown.status !== 404) return
    counts.compared++
    must(comparable(real) === comparable(unknown), `${step.route}: ${comparable(real)} is not ${comparable(unknown)}`)
  }

  /** A token of Ada's at a route for another purpose is nothing. */
  async function tryToken(step: Sender & { purpose: number; token: TokenName }): Promise<void> {
    const [route = '', own = []] = purposes[step.purpose] ?? []
    if (own.includes(step.token)) return
    const request = requestOf(step, route, { token: given[step.token] })
    const { status } = await exchange(request)
    const isIdempotent = route.startsWith('DELETE /invitations/') && status === 204
    must(status >= 400 || isIdempotent, `${step.token} at ${route}: ${status}`)
    await assertUntouched(route)
  }

  async function tryPlanted(step: Sender & { planted: string }): Promise<void> {
    const headers = headersOf(step, '')
    if (step.planted === 'Ada’s code') {
      const code = await world.codeFor(ada)
      const path = '/connections/complete'
      const { status } = await exchange({
        method: 'POST',
        path,
        headers: ['Content-Type', 'application/json', ...headers],
        body: JSON.stringify({ code })
      })
      must(status === 401 || status === 403, `Ada’s code: ${status}`)
      return assertUntouched(path)
    }
    const path =
      step.planted === 'Ada’s login' ? loginCallback.pathname + loginCallback.search : `/auth/productboard/callback?code=c&state=${state}`
    // Ada's sign-in with her own cookie of it, beside Eve's session. Of her login Eve has the address alone.
    const planted = step.planted === 'Ada’s login' ? [] : ['Cookie', `${flow?.name}=${flow?.value}`]
    const { status } = await exchange({ method: 'GET', path, headers: [...headers, ...planted] })
    must(status === 400, `${step.planted}: ${status}`)
    return assertUntouched(path)
  }

  async function run(scenario: readonly Step[]): Promise<void> {
    await resetEve()
    for (const step of scenario) {
      if ('route' in step) await tryConnection(step)
      else if ('planted' in step) await tryPlanted(step)
      else await tryToken(step)
    }
  }

  /** Everything that Eve tried works for Ada: the property is not true for want of anything to find. */
  async function assertAdaCan(): Promise<void> {
    for (const { id, provider } of connections) {
      for (const fake of [productboard, processStreet]) fake.seen.api.length = 0
      must((await world.as(ada)('GET', `/proxy/${provider}@${id}/x`)).status === 200, `Ada’s own ${provider}`)
      const [seen] = [...productboard.seen.api, ...processStreet.seen.api]
      must(/\bada-(access|key)-/.test(seen?.rawHeaders.join(' ') ?? ''), 'Ada’s own credential')
    }
    must((await fetch(`${url}/links/${given.link}`)).status === 200, 'the link')
    must((await fetch(`${url}/invitations/${given.invitation}`)).status === 200, 'the invitation')
    must((await fetch(`${url}/start/${given.start}`, { redirect: 'manual' })).status === 302, 'the link of a sign-in')
    must((await adaBrowser.request(`${url}/auth/productboard/callback?code=c&state=${state}`)).status === 303, 'the sign-in')
    await complete(given.code)
    must((await loginBrowser.request(loginCallback.href)).status === 303, 'the sign-in at the identity provider')
  }

  /** Every token at every route for another purpose, with whatever Eve may send beside it. */
  async function tryAllTokens(): Promise<number> {
    await resetEve()
    let tried = 0
    for (const token of tokens)
      for (let purpose = 0; purpose < purposes.length; purpose++)
        for (const [cookie, bearer] of [
          ['none', 'none'],
          ['eve', 'none'],
          ['none', 'eve']
        ] as const) {
          await tryToken({ cookie, bearer, extras: [], purpose, token })
          tried++
        }
    return tried
  }

  return { run, counts, assertAdaCan, tryAllTokens }
}

/** Counts nothing against the limits: they are not what keeps users apart. */
function unlimited({ gateway }: World): void {
  gateway.services.store.increment = async (_key, windowMs) => ({ count: 1, endsInMs: windowMs })
}

async function ownersOf(store: World['gateway']['services']['store']): Promise<string[]> {
  const owners: string[] = []
  for await (const batch of store.scanOwners()) owners.push(...batch)
  return owners
}

/** Byte for byte, apart from what differs between any two requests. */
function comparable({ status, headers, body }: { status: number; headers: Readonly<Record<string, unknown>>; body: string }): string {
  const { date: _, 'content-length': _length, ...rest } = headers
  return JSON.stringify([status, rest, body.replace(/"requestId":"[^"]+"|<code>[^<]+<\/code>/g, '')])
}

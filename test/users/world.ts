import { Agent, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { newServiceKey } from '../../src/core/users/service-keys.ts'
import type { User } from '../../src/core/users/user.ts'
import { Browser } from '../support/browser.ts'
import { signIn as connectBrowser } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { type GatewayOptions, newKey, startGateway, TestClock, type TestGateway } from '../support/gateway.ts'
import { type IssuerUser, type OpenidIssuer, startOpenidIssuer } from '../support/openid-issuer.ts'

export const ada: IssuerUser = { subject: 'ada-1', name: 'Ada Lovelace', email: 'ada@example.com' }
export const eve: IssuerUser = { subject: 'eve-2', name: 'Eve Other', email: 'eve@example.com' }

export const audience = 'https://connect.example.com'
export const frontend = 'https://app.example.org'
const page = { accept: 'text/html' }

/** Names and values in turn, as they go over the wire: a name may be repeated. */
type HeaderList = readonly string[]

type Received = { readonly status: number; readonly headers: Readonly<Record<string, unknown>>; readonly body: string }

export type World = {
  readonly url: string
  readonly gateway: TestGateway
  /** What the gateway was started with, for commands. */
  readonly environment: Readonly<Record<string, string>>
  readonly clock: TestClock
  readonly issuer: OpenidIssuer
  /** Connected by OAuth. Each access token begins with whose it is: `ada-access-…`. */
  readonly productboard: FakeProvider
  /** Connected by API keys, whose label is the name of the account. */
  readonly processStreet: FakeProvider
  readonly serviceKey: string
  /** In which somebody had connected an account before users signed in here. */
  readonly oldBrowser: Browser
  /** Whose tokens the provider issues from now on. */
  issueTokensFor(whose: string): void
  signIn(browser: Browser, user: IssuerUser): Promise<Response>
  /** Connects an account as a browser does in which a user is signed in. */
  connect(browser: Browser, whose: string): Promise<void>
  /** Begins a sign-in for a user's bearer. @returns the link to open */
  begin(user: IssuerUser, body?: Readonly<Record<string, unknown>>): Promise<string>
  /** Opens the link in a browser that comes back. @returns the code for the user's bearer */
  codeFor(user: IssuerUser, body?: Readonly<Record<string, unknown>>): Promise<string>
  /** What a frontend sends with the user's access token. */
  as(user: IssuerUser): (method: string, path: string, body?: unknown) => Promise<Response>
  /** What a backend sends for the user. */
  backendFor(user: IssuerUser): (method: string, path: string, body?: unknown) => Promise<Response>
  bearer(user: IssuerUser): Promise<string>
  ownerOf(user: IssuerUser): Promise<string>
  /** Sends a request exactly so. */
  send(method: string, path: string, headers: HeaderList, body?: string): Promise<Received>
}

/** A gateway where users sign in, where the same identity provider's access tokens are bearers, and where a backend has a service key. */
export async function openWorld(t: Test, options: GatewayOptions = {}): Promise<World> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const clock = new TestClock()
  const issuer = await startOpenidIssuer(t, { redirectUris: [`${url}/login/callback`], users: [ada, eve] })
  const productboard = await startFakeProvider(t)
  const processStreet = await startFakeProvider(t, 'PROCESS_STREET')
  let whose = 'nobody'
  let issued = 0
  productboard.token = ({ body }, response) => {
    issued++
    // What is renewed stays whose it was.
    const name = /\b(\w+)-refresh-/.exec(`${body}`)?.[1] ?? whose
    const tokens = { access_token: `${name}-access-${issued}`, refresh_token: `${name}-refresh-${issued}` }
    json(response, 200, { ...tokens, token_type: 'Bearer', expires_in: 36_000 })
  }
  productboard.api = (_seen, response) => json(response, 200, { ok: true })
  processStreet.api = ({ rawHeaders }, response) =>
    json(response, 200, { apiKeyLabel: /(\w+)-key-(\w+)/.exec(rawHeaders.join(' '))?.slice(1).join(' account ') })

  const { key, entry } = newServiceKey('nightly', { mayReadTokens: true })
  const serviceKey = key.reveal()
  const environment = {
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    DATA_DIR: t.testdir(),
    ...productboard.environment,
    PROCESS_STREET_API_URL: `${processStreet.origin}/base`
  }

  // Before the operator has configured a sign-in of users.
  const before = await startGateway(t, { port, clock, environment })
  const oldBrowser = new Browser()
  whose = 'old'
  await connectBrowser(before, oldBrowser)
  await before.close()
  productboard.seen.token.length = 0

  const withUsers = {
    ...environment,
    ...issuer.environment,
    JWT_ISSUER: issuer.issuer,
    JWT_AUDIENCE: audience,
    SERVICE_KEYS: entry,
    ALLOWED_ORIGINS: `${frontend},https://*.preview.example.org`,
    ...options.environment
  }
  const gateway = await startGateway(t, { port, clock, ...options, environment: withUsers })

  const bearer = (user: IssuerUser) => issuer.accessToken(user, audience)

  const sendJson = (method: string, path: string, headers: Readonly<Record<string, string>>, body: unknown) =>
    fetch(url + path, {
      method,
      redirect: 'manual',
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })

  const as: World['as'] =
    user =>
    async (method, path, body): Promise<Response> =>
      sendJson(method, path, { authorization: `Bearer ${await bearer(user)}` }, body)

  const begin: World['begin'] = async (user, body = {}) => {
    const begun = await as(user)('POST', '/auth/productboard', { returnTo: frontend, ...body })
    return ((await begun.json()) as { url: string }).url
  }

  async function comeBack(started: Response, browser: Browser): Promise<string> {
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
    const back = await browser.request(`${url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`)
    return back.headers.get('location') ?? ''
  }

  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())

  return {
    url,
    gateway,
    environment: withUsers,
    clock,
    issuer,
    productboard,
    processStreet,
    serviceKey,
    oldBrowser,
    issueTokensFor: name => {
      whose = name
    },

    async signIn(browser, user) {
      const started = await browser.request(`${url}/login?prompt=login`, { headers: page })
      // Of the identity provider's own cookies, so that it shows its page to another user.
      for (const name of browser.cookies.keys()) if (name.startsWith('127.0.0.1 ')) browser.cookies.delete(name)
      return browser.request(await issuer.signInAt(started.headers.get('location') ?? '', user, browser), { headers: page })
    },

    async connect(browser, name) {
      whose = name
      const back = await comeBack(await browser.request(`${url}/auth/productboard?account=add`, { headers: page }), browser)
      if (back !== '/') throw new Error(`not connected: ${back}`)
    },

    begin,

    async codeFor(user, body) {
      const browser = new Browser()
      const started = await browser.request(await begin(user, body))
      return new URL(await comeBack(started, browser)).searchParams.get('connect_code') ?? ''
    },

    as,
    backendFor: user => (method, path, body) =>
      sendJson(method, path, { authorization: `Bearer ${serviceKey}`, 'grantkeeper-user': user.subject }, body),
    bearer,
    ownerOf: async ({ subject }) => {
      const user: User = { issuer: issuer.issuer, claim: 'sub', id: subject }
      return gateway.services.ownerNames.nameOf(user)
    },

    send: (method, path, headers, body) =>
      new Promise((resolve, reject) => {
        const list = [
          'host',
          `localhost:${port}`,
          ...headers,
          ...(body === undefined ? [] : ['content-length', `${Buffer.byteLength(body)}`])
        ]
        const sent = httpRequest({ host: '127.0.0.1', port, method, path, agent, headers: list as never })
        sent.on('error', reject)
        sent.on('response', response => {
          text(response).then(received => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }), reject)
        })
        sent.end(body)
      })
  }
}

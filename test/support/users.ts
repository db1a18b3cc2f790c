import { randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Test } from 'tap'
import { newServiceKey } from '../../src/core/users/service-keys.ts'
import { Browser } from './browser.ts'
import { type FakeProvider, startFakeProvider } from './fake-provider.ts'
import { type GatewayOptions, startGateway, TestClock, type TestGateway } from './gateway.ts'

/** What a frontend or a backend of the operator's sends. */
type UserClient = {
  /** Sends a request as this user. A body is sent as JSON. */
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>
}

export type UserGateway = {
  readonly gateway: TestGateway
  readonly clock: TestClock
  readonly provider: FakeProvider
  /** The origin of the frontend, on another site than the gateway. */
  readonly frontend: string
  /** A bearer token of the application's own sign-in. */
  token(user: string, claims?: Readonly<Record<string, unknown>>): Promise<string>
  /** A frontend with the token of a user. */
  as(user: string): UserClient
  /** A backend with a service key, on behalf of a user. */
  backendFor(user: string, key?: 'reader' | 'plain'): UserClient
  readonly keys: Readonly<Record<'reader' | 'plain', string>>
  /** Opens a sign-in's link in a browser and comes back from the provider. @returns the address of the frontend's page */
  follow(url: string, browser?: Browser): Promise<URL>
  /** A whole sign-in of a user, begun and completed by their bearer. @returns the connection */
  connect(user: string, options?: Readonly<Record<string, unknown>>): Promise<{ id: string; account?: string }>
}

export const audience = 'https://connect.example.com'
export const frontend = 'https://app.example.org'

/** The variables and secrets of a gateway that accepts bearers. */
export function bearerEnvironment() {
  const secret = randomBytes(32)
  const reader = newServiceKey('reader', { mayReadTokens: true })
  const plain = newServiceKey('nightly')
  return {
    secret,
    keys: { reader: reader.key.reveal(), plain: plain.key.reveal() },
    environment: {
      JWT_SECRETS: secret.toString('base64'),
      JWT_AUDIENCE: audience,
      SERVICE_KEYS: `${reader.entry},${plain.entry}`,
      ALLOWED_ORIGINS: `${frontend},https://*.preview.example.org`
    }
  }
}

/** A gateway for users, whose application signs its own tokens, and a provider under the test's control. */
export async function startUserGateway(t: Test, options: GatewayOptions = {}): Promise<UserGateway> {
  const clock = (options.clock as TestClock | undefined) ?? new TestClock()
  const provider = await startFakeProvider(t)
  const { secret, keys, environment } = bearerEnvironment()
  const gateway = await startGateway(t, {
    clock,
    ...options,
    environment: { ...provider.environment, ...environment, ...options.environment }
  })

  const token: UserGateway['token'] = (user, claims = {}) =>
    new SignJWT({ sub: user, aud: audience, exp: Math.floor(clock.now() / 1000) + 3600, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(secret)

  const send = (
    bearer: string,
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {}
  ): Promise<Response> =>
    fetch(gateway.url + path, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${bearer}`, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) })
    })

  const as = (user: string): UserClient => ({
    send: async (method, path, body, headers) => send(await token(user), method, path, body, headers)
  })

  async function follow(url: string, browser = new Browser()): Promise<URL> {
    const started = await browser.request(url)
    const location = started.headers.get('location')
    if (!location) throw new Error(`sign-in not started: ${started.status} ${await started.text()}`)
    const state = new URL(location).searchParams.get('state') ?? ''
    const callback = `${gateway.url}/auth/productboard/callback?${new URLSearchParams({ code: 'c', state })}`
    const back = await browser.request(callback)
    return new URL(back.headers.get('location') ?? 'none:', gateway.url)
  }

  return {
    gateway,
    clock,
    provider,
    frontend,
    keys,
    token,
    as,
    follow,
    backendFor: (user, key = 'plain') => ({
      send: (method, path, body, headers) => send(keys[key], method, path, body, { 'grantkeeper-user': user, ...headers })
    }),
    connect: async (user, connectOptions = {}) => {
      const begun = await as(user).send('POST', '/auth/productboard', { returnTo: `${frontend}/done`, ...connectOptions })
      const { url } = (await begun.json()) as { url: string }
      const code = (await follow(url)).searchParams.get('connect_code')
      const completed = await as(user).send('POST', '/connections/complete', { code })
      if (completed.status !== 201) throw new Error(`not completed: ${completed.status} ${await completed.text()}`)
      return completed.json() as Promise<{ id: string; account?: string }>
    }
  }
}

import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import ignition from '../../providers/ignition.ts'
import productboard from '../../providers/productboard.ts'
import type { ConfiguredProvider, ProviderDefinition } from '../../src/core/provider/configured-provider.ts'
import grantkeeper, { type GrantkeeperOptions } from '../../src/index.ts'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { type FakeProvider, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { newKey } from '../support/gateway.ts'

const prefix = '/integrations'

/** A definition whose servers are the fake's. */
const at = (definition: ProviderDefinition, { origin }: FakeProvider): ConfiguredProvider =>
  definition({
    clientId: 'client-1',
    clientSecret: 'client-secret-canary',
    authorizeUrl: `${origin}/authorize`,
    tokenUrl: `${origin}/token`,
    revokeUrl: `${origin}/revoke`,
    apiUrl: `${origin}/base`
  })

type Options = Partial<GrantkeeperOptions> & {
  /** Of the application. */
  readonly server?: FastifyServerOptions
  /** What the application registers before and after the plugin. */
  readonly before?: (app: FastifyInstance) => unknown
  readonly after?: (app: FastifyInstance) => unknown
}

export type TestHost = {
  readonly app: FastifyInstance
  /** Of the application. */
  readonly origin: string
  /** Of the plugin. */
  readonly url: string
  readonly provider: FakeProvider
  readonly logs: readonly string[]
}

/** Options of the plugin for an application on a free port, with two providers under the test's control. */
export async function hostOptions(t: Test): Promise<{ port: number; provider: FakeProvider; options: GrantkeeperOptions }> {
  const port = await freePort()
  const [provider, other] = [await startFakeProvider(t), await startFakeProvider(t, 'IGNITION')]
  const options: GrantkeeperOptions = {
    prefix,
    publicUrl: `http://localhost:${port}`,
    keys: { session: newKey(), token: newKey() },
    store: { dataDir: await mkdtemp(join(t.testdir(), 'data-')) },
    providers: [at(productboard, provider), at(ignition, other)]
  }
  return { port, provider, options }
}

/** An application on a loopback socket with the plugin in it, and a provider under the test's control. */
export async function startHost(t: Test, { server = {}, before, after, ...given }: Options = {}): Promise<TestHost> {
  const { port, provider, options } = await hostOptions(t)
  const logs: string[] = []
  const app = fastify({
    logger: { level: 'trace', stream: { write: (line: string) => void logs.push(line) } },
    ...server
  }) as FastifyInstance
  t.teardown(() => app.close())
  const all = { ...options, ...given }
  await before?.(app)
  await app.register(grantkeeper, all)
  await after?.(app)
  await app.listen({ host: '127.0.0.1', port })
  return { app, origin: all.publicUrl, url: all.publicUrl + all.prefix, provider, logs }
}

/** A browser in which the application has signed a user in: `identify` reads the header. */
export class UserBrowser extends Browser {
  readonly #user: string

  constructor(user: string) {
    super()
    this.#user = user
  }

  override request(url: string, init: RequestInit = {}): Promise<Response> {
    return super.request(url, { ...init, headers: { 'x-user': this.#user, ...(init.headers as Record<string, string>) } })
  }
}

export const identify: NonNullable<GrantkeeperOptions['identify']> = ({ headers }) => headers['x-user'] as string | undefined

/** A browser that has connected the provider, of a user or nobody's. */
export async function connectedBrowser({ url }: Pick<TestHost, 'url'>, user?: string): Promise<Browser> {
  const browser = user === undefined ? new Browser() : new UserBrowser(user)
  await signIn({ url }, browser)
  return browser
}

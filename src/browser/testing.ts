// The package entry `grantkeeper/testing`: a client without a gateway, for the unit tests of frontends.

import { GrantkeeperError } from './client.ts'
import type { Client, Connection, ErrorCode, FetchInit, SignInOptions } from './client-types.ts'

/** What a request gets: a `Response`, anything else as JSON, or an error that is thrown. */
type TestResponse = Response | Error | object | string | number | boolean | null
type TestRequest = { readonly provider: string; readonly path: string; readonly init: FetchInit }

export type TestClientOptions = {
  /** What `connections()` returns. Only `provider` is required: it is connected unless `status` says otherwise. */
  connections?: readonly (Partial<Connection> & { provider: string })[]
  /** By `METHOD provider path`, such as `GET github /issues?page=2`, for another base of the API `GET github~uploads /repos/1`. */
  responses?: Readonly<Record<string, TestResponse | ((request: TestRequest) => TestResponse | Promise<TestResponse>)>>
  /** By provider: why `connect`, `complete` and `connectWithKey` fail. */
  connectErrors?: Readonly<Record<string, ErrorCode>>
}

type SignIn = Pick<SignInOptions, 'account' | 'parameters'>

/** A call of a method, in the order of the calls. */
export type TestCall = { readonly method: keyof Client; readonly args: readonly unknown[] }

export type TestClient = Client & { readonly calls: readonly TestCall[] }

const gatewayUrl = 'https://gateway.example'
const expiresAt = '2038-01-01T00:00:00.000Z'

/**
 * A client for tests. It keeps its own list, which `connect`, `disconnect` and the like change as a gateway would, and records each call.
 *
 * @example
 * const client = createTestClient({
 *   connections: [{ provider: 'github' }, { provider: 'jira', status: 'disconnected' }],
 *   responses: { 'GET github /issues': [{ title: 'It breaks' }] }
 * })
 * await (await client.fetch('github', '/issues')).json()   // [{ title: 'It breaks' }]
 * client.calls                                             // [{ method: 'fetch', args: ['github', '/issues'] }]
 */
export function createTestClient({ connections = [], responses = {}, connectErrors = {} }: TestClientOptions = {}): TestClient {
  const calls: TestCall[] = []
  let created = 0
  let begun: SignIn & { readonly provider: string } = { provider: '' }

  const entryFor = (partial: Partial<Connection> & { provider: string }): Connection => {
    const { provider, status = 'connected' } = partial
    const common = { title: provider, methods: ['oauth2'] as Connection['methods'], connectUrl: `${gatewayUrl}/auth/${provider}`, status }
    if (status === 'disconnected') return { ...common, ...partial }
    const id = `${provider}-${++created}`
    return { ...common, id, method: 'oauth2', connectedAt: '2026-01-01T00:00:00.000Z', ...partial }
  }

  let list = connections.map(entryFor)
  /** Of each provider, the first account is the default, unless the test names one. */
  const ensureDefaults = () => {
    list = list.map((connection, i) => {
      const isFirst = list.findIndex(c => c.provider === connection.provider) === i
      const hasDefault = list.some(c => c.provider === connection.provider && c.isDefault)
      return connection.id !== undefined && isFirst && !hasDefault ? { ...connection, isDefault: true } : connection
    })
  }
  ensureDefaults()

  const problem = (code: ErrorCode, provider: string, status?: number): GrantkeeperError => {
    const canConnect = code === 'connection_required' || code === 'reconnect_required'
    const detail = `${provider}: ${code}`
    return new GrantkeeperError({
      code,
      provider,
      detail,
      ...(status !== undefined && { status }),
      ...(canConnect && { connectUrl: `${gatewayUrl}/auth/${provider}` })
    })
  }

  const accountsOf = (provider: string): Connection[] => {
    const accounts = list.filter(connection => connection.provider === provider)
    if (accounts.length === 0) throw problem('provider_unknown', provider, 404)
    return accounts
  }

  const find = (provider: string, account?: string): Connection => {
    const accounts = accountsOf(provider)
    const connection = accounts.find(c => (account === undefined ? c.isDefault || c.status === 'disconnected' : c.id === account))
    if (!connection) throw problem('connection_unknown', provider, 404)
    return connection
  }

  const usable = (provider: string, account?: string): Connection => {
    const connection = find(provider, account)
    if (connection.status === 'connected') return connection
    throw problem(connection.status === 'disconnected' ? 'connection_required' : 'reconnect_required', provider, 401)
  }

  const connectAs = (provider: string, method: NonNullable<Connection['method']>, { account, parameters }: SignIn = {}): Connection => {
    const error = connectErrors[provider]
    if (error !== undefined) throw problem(error, provider)
    const [first] = accountsOf(provider)
    const replaced = account === 'add' ? accountsOf(provider).find(c => c.status === 'disconnected') : find(provider, account)
    const { failingSince: _, ...kept } = replaced ?? { provider, title: first?.title ?? provider }
    const connection = entryFor({ ...kept, method, status: 'connected', ...(parameters && { parameters }) })
    list = replaced ? list.map(c => (c === replaced ? connection : c)) : [...list, connection]
    ensureDefaults()
    return list.find(c => c.id === connection.id) ?? connection
  }

  const remove = (provider: string, account?: string): void => {
    const { title } = find(provider, account)
    list = list.filter(c => c.provider !== provider || (account !== undefined && c.id !== account))
    if (!list.some(c => c.provider === provider)) list = [...list, entryFor({ provider, title, status: 'disconnected' })]
    ensureDefaults()
  }

  async function respond(provider: string, path: string, init: FetchInit): Promise<Response> {
    usable(provider, init.account)
    const key = `${(init.method ?? 'GET').toUpperCase()} ${provider}${init.base === undefined ? '' : `~${init.base}`} ${path}`
    const found = responses[key]
    if (found === undefined) throw new Error(`The test client has no response for "${key}". Add it to its responses.`)
    const response = typeof found === 'function' ? await (found as (request: TestRequest) => TestResponse)({ provider, path, init }) : found
    if (response instanceof Error) throw response
    // A body can be read once, a response of the test may serve many requests.
    return response instanceof Response ? response.clone() : Response.json(response)
  }

  const client: Client = {
    connections: async () => list.map(connection => ({ ...connection })),
    connect: async (provider, { account, parameters } = {}) => connectAs(provider, 'oauth2', { account, parameters }),
    begin: async (provider, { account, parameters }) => {
      begun = { provider, account, parameters }
      return { url: `${gatewayUrl}/start/${provider}`, expiresAt }
    },
    complete: (async (end?: string) => {
      if (end === undefined) return undefined
      return connectAs(begun.provider, 'oauth2', begun)
    }) as Client['complete'],
    // As in a browser, whose page is gone.
    login: () => new Promise<never>(() => {}),
    logout: async () => ({}),
    fetch: (provider, path, init = {}) => respond(provider, String(path), init),
    connectWithKey: async (provider, _key, options) => connectAs(provider, 'api_key', options),
    choose: async (provider, id, value) => {
      const connection = find(provider, id)
      if (!connection.choice?.options.some(option => option.value === value)) throw problem('parameters_invalid', provider, 400)
      const chosen = { ...connection, choice: { ...connection.choice, value } }
      list = list.map(c => (c.id === id ? chosen : c))
      return { ...chosen }
    },
    refresh: async (provider, { account } = {}) => ({ ...usable(provider, account) }),
    disconnect: async (provider, { account } = {}) => remove(provider, account),
    setDefault: async (provider, id) => {
      find(provider, id)
      list = list.map(c => (c.provider === provider ? { ...c, isDefault: c.id === id } : c))
    },
    invite: async provider => ({ url: `${gatewayUrl}/invitations/${provider}`, expiresAt }),
    link: async (provider, path, { account } = {}) => {
      usable(provider, account)
      return { url: new URL(String(path), `${gatewayUrl}/links/`).href, expiresAt }
    }
  }

  const recorded = Object.entries(client).map(([method, run]) => [
    method,
    (...args: unknown[]) => {
      calls.push({ method: method as keyof Client, args })
      return (run as (...args: unknown[]) => unknown)(...args)
    }
  ])
  return { ...(Object.fromEntries(recorded) as Client), calls }
}

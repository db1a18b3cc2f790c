import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'
import { ConnectionKey } from '../../src/core/connections/connection-key.ts'
import type { ApiKeyMethod, OAuth2Method, Provider } from '../../src/core/provider/definition.ts'
import type { StoredConnection } from '../../src/core/vault/owned-connections.ts'
import { oauth2With, providerWith } from '../core/support.ts'
import { Browser } from '../support/browser.ts'
import { followCallback } from '../support/connected.ts'
import { startGateway, TestClock, type TestGateway } from '../support/gateway.ts'

export type VendorRequest = {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A response: a status and a document, which is sent as JSON unless it is text. */
export type VendorResponse = readonly [status: number, document: unknown]
/** Answers a request by `METHOD /path`. */
export type Endpoints = Readonly<Record<string, (request: VendorRequest) => VendorResponse>>

export type PlayedVendor = {
  readonly origin: string
  /** All requests so far, in their order. */
  readonly requests: readonly VendorRequest[]
  /** Those for this path, as `POST /token?query body`. */
  sent(path: string): string[]
}

/**
 * A vendor on a real socket, which refuses whatever its endpoints do not know.
 * @param certificate for `localhost`: the vendor is on TLS
 */
export async function playVendor(
  t: Test,
  endpointsOf: (origin: string) => Endpoints,
  certificate?: { readonly key: Buffer; readonly cert: Buffer }
): Promise<PlayedVendor> {
  const requests: VendorRequest[] = []
  let endpoints: Endpoints = {}
  const respond = async (incoming: IncomingMessage, response: ServerResponse) => {
    const { pathname: path, search } = new URL(incoming.url ?? '', 'http://vendor')
    const request = { method: incoming.method ?? '', path, query: search.slice(1), headers: incoming.headers, body: await text(incoming) }
    requests.push(request)
    const [status, document] = endpoints[`${request.method} ${path}`]?.(request) ?? [404, { message: 'there is nothing here' }]
    const isText = typeof document === 'string'
    response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json' })
    response.end(document === undefined ? '' : isText ? document : JSON.stringify(document))
  }
  const server = certificate ? createSecureServer(certificate, respond) : createServer(respond)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `${certificate ? 'https://localhost' : 'http://127.0.0.1'}:${(server.address() as AddressInfo).port}`
  endpoints = endpointsOf(origin)
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const sent = (path: string) =>
    requests
      .filter(request => request.path === path)
      .map(({ method, query, body }) => [method, path + (query === '' ? '' : `?${query}`), body].filter(part => part !== '').join(' '))
  return { origin, requests, sent }
}

/** The fields of a form. */
export const fieldsOf = ({ body }: VendorRequest): Record<string, string> => Object.fromEntries(new URLSearchParams(body))

export type PlayedGateway = {
  readonly gateway: TestGateway
  readonly browser: Browser
  readonly clock: TestClock
  /** Begins a sign-in. @returns the authorization request */
  begin(): Promise<URL>
  /** Begins a sign-in and sends the callback, with a code unless the query says otherwise. */
  signIn(query?: Readonly<Record<string, string>>): Promise<Response>
  call(path?: string): Promise<Response>
  disconnect(): Promise<Response>
  /** The only connection, as the store has it. */
  connection(): Promise<StoredConnection | undefined>
}

/** A gateway with a provider `acme` whose definition is given, and a browser in front of it. */
export async function playGateway(
  t: Test,
  origin: string,
  method: Partial<OAuth2Method>,
  { secret = 's3cret', api, apiKey }: { secret?: string; api?: Provider['api']; apiKey?: ApiKeyMethod } = {}
): Promise<PlayedGateway> {
  const clock = new TestClock()
  const oauth2 = oauth2With({ authorizeUrl: `${origin}/authorize`, tokenUrl: `${origin}/token`, ...method })
  const definition = providerWith({ api: api ?? { baseUrl: `${origin}/api` }, methods: { oauth2, ...(apiKey && { apiKey }) } })
  const environment = { ACME_CLIENT_ID: 'client-1', ...(secret !== '' && { ACME_CLIENT_SECRET: secret }) }
  const gateway = await startGateway(t, { definitions: [definition], environment, clock })
  const browser = new Browser()
  const { store, vault } = gateway.services
  async function connection(): Promise<StoredConnection | undefined> {
    for await (const owners of store.scanOwners())
      for (const owner of owners) {
        const stored = await vault.readConnection(new ConnectionKey(owner, 'acme'))
        if (stored) return stored
      }
    return undefined
  }
  const begin = async () => new URL((await browser.request(`${gateway.url}/auth/acme`)).headers.get('location') ?? '')
  return {
    gateway,
    browser,
    clock,
    begin,
    async signIn(query = {}) {
      const state = (await begin()).searchParams.get('state') ?? ''
      return followCallback(browser, `${gateway.url}/auth/acme/callback?${new URLSearchParams({ code: 'code-1', ...query, state })}`)
    },
    call: (path = '/things') => browser.fetch(`${gateway.url}/proxy/acme${path}`),
    disconnect: () => browser.fetch(`${gateway.url}/connections/acme`, { method: 'DELETE' }),
    connection
  }
}

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Connection } from '../../src/browser/client.ts'
import { clientScript } from '../../src/pages/assets.ts'

type SeenRequest = { readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string }
type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown }
type Route = (request: SeenRequest) => Reply | Promise<Reply>

export type FakeGateway = {
  readonly url: string
  /** Requests to routes of the API, in order; neither preflights nor what a browser opens. */
  readonly requests: SeenRequest[]
  /** Replaces what the API says to `METHOD /path`, the path being below the gateway's URL. */
  readonly routes: Map<string, Route>
  readonly connections: Connection[]
  /** Headers of the provider's consent page, such as `Cross-Origin-Opener-Policy`. */
  readonly consentHeaders: Record<string, string>
}

/** A problem document of the gateway. */
export const problem = (code: string, status: number, members: object = {}): Reply => ({
  status,
  headers: { 'grantkeeper-error': code, 'content-type': 'application/problem+json' },
  body: { code, status, detail: `detail of ${code}`, ...members }
})

/**
 * The part of a gateway that the client sees, for the user whose token is `jwt-of-ada`, and in the same server a provider's consent page.
 * Serves `/client.js` as a gateway does.
 *
 * @param path of the gateway's URL
 */
export async function startFakeGateway(t: Test, path = ''): Promise<FakeGateway> {
  const requests: SeenRequest[] = []
  const routes = new Map<string, Route>()
  const connections: Connection[] = []
  const consentHeaders: Record<string, string> = {}
  /** Return URLs of sign-ins by their number. */
  const pending: string[] = []
  const codes = new Set<string>()

  const server = createServer((request, response) => {
    respond(request, response).catch(error => response.destroy(error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const url = `http://localhost:${(server.address() as AddressInfo).port}${path}`
  connections.push({ provider: 'acme', title: 'Acme', status: 'disconnected', methods: ['oauth2'], connectUrl: `${url}/auth/acme` })

  routes.set('GET /connections', () => ({ body: { connections } }))
  routes.set('POST /auth/acme', ({ body }) => {
    pending.push(JSON.parse(body).returnTo)
    return { status: 201, body: { url: `${url}/consent?sign-in=${pending.length - 1}`, expiresAt: '2026-01-01T00:10:00.000Z' } }
  })
  routes.set('POST /connections/complete', ({ body }) => {
    const { code } = JSON.parse(body)
    if (!codes.delete(code)) return problem('state_invalid', 400)
    const connected: Connection = { ...connections[0], ...connectedAcme(url) }
    connections.splice(0, 1, connected)
    return { status: 201, body: connected }
  })

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', headers } = request
    const target = new URL(request.url ?? '', url)
    const route = target.pathname.slice(path.length)
    if (route === '/client.js') return send(response, { headers: cors(headers, clientScript.type), body: String(clientScript.body) })
    if (route === '/consent') return send(response, consentPage(target))
    if (route === '/popup') return send(response, popupPage(target))
    if (method === 'OPTIONS') return send(response, { status: 204, headers: cors(headers, 'text/plain') })
    let body = ''
    for await (const chunk of request) body += chunk
    const seen = { method, path: route + target.search, headers, body }
    requests.push(seen)
    const reply = (await routes.get(`${method} ${route}`)?.(seen)) ?? problem('not_found', 404)
    send(response, { ...reply, headers: { ...cors(headers, 'application/json'), ...reply.headers } })
  }

  function consentPage({ searchParams }: URL): Reply {
    const returnTo = pending[Number(searchParams.get('sign-in'))] ?? ''
    const code = `code-${pending.length}`
    codes.add(code)
    const end = (result: string) => `${returnTo}${returnTo.includes('?') ? '&' : '?'}${result}&provider=acme`
    const html = `<!doctype html><title>Consent</title>
<a href="${attribute(end(`connect_code=${code}`))}">Allow</a> <a href="${attribute(end('connect_error=access_denied'))}">Deny</a>`
    return { headers: { 'content-type': 'text/html', ...consentHeaders }, body: html }
  }

  return { url, requests, routes, connections, consentHeaders }
}

export const connectedAcme = (url: string): Connection => ({
  id: 'acme-1',
  provider: 'acme',
  title: 'Acme',
  status: 'connected',
  methods: ['oauth2'],
  method: 'oauth2',
  account: 'Ada',
  isDefault: true,
  connectedAt: '2026-01-01T00:00:00.000Z',
  connectUrl: `${url}/auth/acme`
})

/** The last page of a sign-in in a popup: tells the opener, or goes on to the app if there is none. */
function popupPage({ searchParams }: URL): Reply {
  const [code, error] = [searchParams.get('connect_code') ?? undefined, searchParams.get('connect_error') ?? undefined]
  const message = { source: 'grantkeeper', provider: 'acme', status: error ? 'failed' : 'connected', code, error }
  const returnTo = new URL(searchParams.get('return_to') ?? '')
  if (code) returnTo.searchParams.set('connect_code', code)
  if (error) returnTo.searchParams.set('connect_error', error)
  returnTo.searchParams.set('provider', 'acme')
  const html = `<!doctype html><title>Popup</title><script>
if (opener) opener.postMessage(${JSON.stringify(message)}, ${JSON.stringify(searchParams.get('opener'))})
else location.replace(${JSON.stringify(returnTo.href)})
</script>`
  return { headers: { 'content-type': 'text/html' }, body: html }
}

const attribute = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;')

const cors = ({ origin = '' }: IncomingMessage['headers'], contentType: string): Record<string, string> => ({
  'content-type': contentType,
  'access-control-allow-origin': origin,
  'access-control-allow-headers': 'authorization, content-type, grantkeeper-connection, x-csrf',
  'access-control-allow-methods': 'DELETE, PUT',
  'access-control-expose-headers': 'grantkeeper-error'
})

function send(response: ServerResponse, { status = 200, headers = {}, body }: Reply): void {
  response.writeHead(status, headers).end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body))
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createAccess } from './api-access.ts'
import type { Location } from './api-bases.ts'
import { type ApiLocation, createApiDocuments } from './api-documents.ts'
import { buildDocument } from './documents.ts'
import { echo, findExtra } from './extra-routes.ts'
import type { Grant } from './grant-store.ts'
import { type Body, parseJson, readBody, reset, sendJson } from './http.ts'
import type { ApiRequest as PlacedRequest } from './placements.ts'
import type { PlayedVendor } from './played-vendor.ts'
import { createRateWindow } from './rate-window.ts'
import type { ApiRequest } from './state.ts'
import type { ApiFault } from './switches.ts'
import type { RouteResponse, Vendor } from './vendor.ts'

/** A request to the API, as the vendor's server has split it. */
export type ApiExchange = {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** As in `PlayedRequest`. */
  readonly address: string
  readonly query: URLSearchParams
  readonly location: Location
}

/** Handles requests to a vendor's API. @param data what the vendor has beside its definition */
export function createVendorApi(vendor: PlayedVendor, data: Vendor | undefined) {
  const { definition, prefix, facts, state } = vendor
  const { switches, counts } = state
  const problem: Problem = data?.problem ?? ((_status, message) => ({ message }))
  const routes = (data?.routes() ?? []).map(route => ({ ...route, pattern: patternOf(route.path) }))
  const countRequest = createRateWindow(definition.api.rateLimit, data?.rateLimit)
  const access = createAccess(vendor)
  const documents = {
    oauth2: createApiDocuments(definition, 'oauth2', facts, prefix),
    apiKey: createApiDocuments(definition, 'apiKey', facts, prefix)
  }

  const problemResponse = (status: number, message: string): RouteResponse => ({ status, body: problem(status, message) })

  /** The response to an invalid credential, in the words of the definition. */
  function refusal(message: string, location: ApiLocation, method?: Grant['method']): RouteResponse {
    const [declared] = definition.api.refusals ?? []
    const checked = method
      ? documents[method].refusal(location)
      : (documents.apiKey.refusal(location) ?? documents.oauth2.refusal(location))
    const status = declared ? (declared.statuses?.[0] ?? 200) : (checked?.status ?? 401)
    const entries = [...(checked?.entries ?? []), ...(declared ? [[declared.pointer, declared.oneOf[0]] as const] : [])]
    return {
      status,
      ...(status === 401 && { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } }),
      body: buildDocument(entries, problem(status, message))
    }
  }

  function route(
    method: string | undefined,
    path: string,
    query: URLSearchParams,
    { text }: Body,
    base: string
  ): RouteResponse | undefined {
    const matches = routes.flatMap(route => {
      const match = route.pattern.exec(path)
      return match ? [{ route, params: match.groups ?? {} }] : []
    })
    if (matches.length === 0) return undefined
    const match = matches.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
    if (!match) return problemResponse(405, 'This method is not allowed')
    const body = parseJson(text)
    if (text && body === undefined) return problemResponse(400, 'The body is not valid JSON')
    const search = query.size > 0 ? `?${query}` : ''
    return match.route.respond({ params: match.params, query, body, url: new URL(base + path + search) })
  }

  return async ({ req, res, address, query, location }: ApiExchange): Promise<void> => {
    const entry = observe(req, res)
    state.recordRequest(entry)
    counts.apiCalls++
    const body = await readBody(req)
    if (!body) return
    Object.assign(entry, { bodyLength: body.length, bodySha256: body.sha256 })
    if (switches.apiFault) return apiFaults[switches.apiFault](res, problem)

    const window = countRequest()
    const send = ({ status, headers, body: content }: RouteResponse) => sendJson(res, status, content, { ...window.headers, ...headers })
    if (switches.rateLimitCalls > 0) {
      switches.rateLimitCalls--
      return send({ ...problemResponse(429, 'Too many requests'), headers: window.rejectionHeaders })
    }
    const asked = { method: req.method ?? '', address, path: location.mainPath, query, body: parseJson(body.text) }
    if (switches.unauthorizedCalls > 0) {
      switches.unauthorizedCalls--
      return send(refusal('The access token is invalid or has expired', asked))
    }
    const isMain = location.mainPath === location.path
    const placedAt = ({ path, query }: PlacedRequest) => ({ ...asked, ...(isMain && { path }), query })
    const result = access(location, { query, headers: req.headers }, (method, request) => documents[method].isLookup(placedAt(request)))
    if ('rejected' in result) {
      const { rejected, message, placed } = result
      const without = placed ? placedAt(placed.request) : asked
      return send(
        rejected === 'credential' ? refusal(message, without, placed?.method) : problemResponse(rejected === 'address' ? 404 : 400, message)
      )
    }
    const { authority, request, variables } = result
    const extra = findExtra(request.path)
    if (extra) return await extra({ req, res, query: request.query, body, reject: message => send(problemResponse(400, message)) })
    const base = `${prefix}${address.slice(0, address.length - location.path.length)}`
    const found = location.base === undefined ? route(req.method, request.path, request.query, body, base) : undefined
    if (found) return send(found)
    const document = documents[authority.method].find(placedAt(request), authority.account)
    const wrong = document && facts.problemIn(document.variables, authority)
    if (wrong !== undefined) return send(problemResponse(404, wrong))
    if (document) return send(document)
    send({
      status: 200,
      headers: window.headers,
      body: {
        provider: definition.name,
        base: location.base,
        path: request.path,
        account: authority.account,
        ...echo(req, request, body),
        parameters: shown(variables)
      }
    })
  }

  /** What is no credential. */
  function shown(variables: Readonly<Record<string, string>>): Record<string, string> {
    const { parameters = {}, methods } = definition
    const isSecret = (name: string) =>
      [parameters, methods.apiKey?.fields ?? {}, methods.oauth2?.values ?? {}, methods.apiKey?.values ?? {}].some(all => all[name]?.secret)
    return Object.fromEntries(Object.entries(variables).filter(([name]) => name !== 'client_secret' && name !== 'key' && !isSecret(name)))
  }
}

type Problem = (status: number, message: string) => unknown

/** Each `:name` of a route's path stands for one segment. Not a URLPattern: Node.js 22 has none. */
const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`)

function observe(req: IncomingMessage, res: ServerResponse): ApiRequest {
  const entry: ApiRequest = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, outcome: 'open' }
  res.once('close', () => {
    entry.outcome = res.writableFinished ? 'complete' : 'aborted'
  })
  return entry
}

const apiFaults: { readonly [Fault in ApiFault]: (res: ServerResponse, problem: Problem) => void } = {
  error500: (res, problem) => sendJson(res, 500, problem(500, 'Something went wrong on our side')),
  reset,
  // The client must end the request.
  stall: () => {},
  short: res => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
    res.write('{"data":[', () => res.destroy())
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { findExtra } from './extra-routes.ts'
import { type Body, parseJson, readBody, reset, sendJson, splitTarget } from './http.ts'
import type { ApiRequest, VendorState } from './state.ts'
import type { ApiFault } from './switches.ts'
import type { RateLimit, RouteResponse, Vendor } from './vendor.ts'

type VendorApiOptions = {
  readonly vendor: Vendor
  /** Base URL of the API, with its path. */
  readonly baseUrl: string
  readonly state: VendorState
  readonly isValidToken: (accessToken: string) => Promise<boolean>
}

const bearerPattern = /^Bearer +(\S+)$/i

/** Handles requests to a vendor's API. `target` is the request target below its base path, byte for byte. */
export function createVendorApi({ vendor, baseUrl, state, isValidToken }: VendorApiOptions) {
  const { problem, apiKey } = vendor.api
  const { switches, counts } = state
  const routes = vendor.api.routes().map(route => ({ ...route, pattern: patternOf(route.path) }))
  const countRequest = createRateWindow(vendor.api.rateLimit)

  const problemResponse = (status: number, message: string): RouteResponse => ({ status, body: problem(status, message) })

  /** @returns the error response to an invalid credential */
  async function checkCredential(path: string, { headers }: IncomingMessage): Promise<RouteResponse | undefined> {
    const key = apiKey?.readKey(path, headers)
    if (key === state.apiKey) return undefined
    const token = bearerPattern.exec(headers.authorization ?? '')?.[1]
    if (token !== undefined)
      return (await isValidToken(token)) ? undefined : problemResponse(401, 'The access token is invalid or has expired')
    return problemResponse(apiKey?.rejectionStatus ?? 401, key === undefined ? 'A credential is missing' : 'The API key is not valid')
  }

  function route(req: IncomingMessage, path: string, search: string, { text }: Body): RouteResponse {
    const matches = routes.flatMap(route => {
      const match = route.pattern.exec(path)
      return match ? [{ route, params: match.groups ?? {} }] : []
    })
    const method = req.method === 'HEAD' ? 'GET' : req.method
    const match = matches.find(({ route }) => route.method === method)
    if (!match)
      return matches.length > 0 ? problemResponse(405, 'This method is not allowed') : problemResponse(404, 'There is nothing at this URL')
    const body = parseJson(text)
    if (text && body === undefined) return problemResponse(400, 'The body is not valid JSON')
    return match.route.respond({ params: match.params, query: new URLSearchParams(search), body, url: new URL(baseUrl + path + search) })
  }

  return async (req: IncomingMessage, res: ServerResponse, target: string): Promise<void> => {
    const entry = observe(req, res)
    state.recordRequest(entry)
    counts.apiCalls++
    const body = await readBody(req)
    if (!body) return
    Object.assign(entry, { bodyLength: body.length, bodySha256: body.sha256 })
    if (switches.apiFault) return apiFaults[switches.apiFault](res, problem)

    const { path, search } = splitTarget(target)
    const window = countRequest()
    const send = ({ status, headers, body: content }: RouteResponse) =>
      sendJson(res, status, content, {
        ...window.headers,
        ...(status === 401 && { 'www-authenticate': 'Bearer error="invalid_token"' }),
        ...headers
      })
    if (switches.rateLimitCalls > 0) {
      switches.rateLimitCalls--
      return send({ ...problemResponse(429, 'Too many requests'), headers: window.rejectionHeaders })
    }
    if (switches.unauthorizedCalls > 0) {
      switches.unauthorizedCalls--
      return send(problemResponse(401, 'The access token is invalid or has expired'))
    }
    const rejection = await checkCredential(path, req)
    if (rejection) return send(rejection)
    const extra = findExtra(path)
    if (extra) await extra({ req, res, query: new URLSearchParams(search), body, reject: message => send(problemResponse(400, message)) })
    else send(route(req, path, search, body))
  }
}

/** Each `:name` of a route's path stands for one segment. Not a URLPattern: Node.js 22 has none. */
const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`)

function observe(req: IncomingMessage, res: ServerResponse): ApiRequest {
  const entry: ApiRequest = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, outcome: 'open' }
  res.once('close', () => {
    entry.outcome = res.writableFinished ? 'complete' : 'aborted'
  })
  return entry
}

const apiFaults: { readonly [Fault in ApiFault]: (res: ServerResponse, problem: Vendor['api']['problem']) => void } = {
  error500: (res, problem) => sendJson(res, 500, problem(500, 'Something went wrong on our side')),
  reset,
  // The client must end the request.
  stall: () => {},
  short: res => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
    res.write('{"data":[', () => res.destroy())
  }
}

/** Counts requests in fixed windows, only for the headers: without a switch no request is rejected. */
function createRateWindow({ limit, windowSeconds, headers, rejectionHeaders }: RateLimit) {
  let resetsAtSeconds = 0
  let used = 0
  return () => {
    const now = Date.now() / 1000
    if (now >= resetsAtSeconds) {
      resetsAtSeconds = Math.floor(now) + windowSeconds
      used = 0
    }
    used++
    const window = { limit, resetsAtSeconds, secondsLeft: Math.ceil(resetsAtSeconds - now), remaining: Math.max(0, limit - used) }
    return {
      headers: headers?.(window) ?? {},
      rejectionHeaders: { ...headers?.({ ...window, remaining: 0 }), ...rejectionHeaders?.(window) }
    }
  }
}

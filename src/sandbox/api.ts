import type { IncomingMessage, ServerResponse } from 'node:http'
import { extraFor } from './extras.ts'
import { type Body, parseJson, readBody, reset, sendJson, splitTarget } from './http.ts'
import type { ApiRequest, VendorState } from './state.ts'
import type { ApiFault } from './switches.ts'
import type { Answer, RateLimit, Vendor } from './vendor.ts'

type Parts = {
  readonly vendor: Vendor
  /** Of the API with its base path. */
  readonly baseUrl: string
  readonly state: VendorState
  readonly isGoodToken: (accessToken: string) => Promise<boolean>
}

const bearerPattern = /^Bearer +(\S+)$/i

/** A vendor's API. `target` is the request target below its base, byte for byte. */
export function vendorApi({ vendor, baseUrl, state, isGoodToken }: Parts) {
  const { problem, apiKey } = vendor.api
  const { switches, counts } = state
  const routes = vendor.api.routes().map(route => ({ ...route, pattern: new URLPattern({ pathname: route.path }) }))
  const countCall = rateWindow(vendor.api.rateLimit)

  const refusal = (status: number, message: string): Answer => ({ status, body: problem(status, message) })

  /** @returns what is wrong with the request's credential, if anything is. */
  async function refused(path: string, { headers }: IncomingMessage): Promise<Answer | undefined> {
    const key = apiKey?.presented(path, headers)
    if (key === state.apiKey) return undefined
    const token = bearerPattern.exec(headers.authorization ?? '')?.[1]
    if (token !== undefined) return (await isGoodToken(token)) ? undefined : refusal(401, 'The access token is invalid or has expired')
    return refusal(apiKey?.refusalStatus ?? 401, key === undefined ? 'A credential is missing' : 'The API key is not valid')
  }

  function answer(req: IncomingMessage, path: string, search: string, { text }: Body): Answer {
    const matches = routes.flatMap(route => {
      const match = route.pattern.exec({ pathname: path })
      return match ? [{ route, params: match.pathname.groups }] : []
    })
    const method = req.method === 'HEAD' ? 'GET' : req.method
    const match = matches.find(({ route }) => route.method === method)
    if (!match) return matches.length > 0 ? refusal(405, 'This method is not allowed') : refusal(404, 'There is nothing at this address')
    const body = parseJson(text)
    if (text && body === undefined) return refusal(400, 'The body is not valid JSON')
    return match.route.answer({ params: match.params, query: new URLSearchParams(search), body, address: new URL(baseUrl + path + search) })
  }

  return async (req: IncomingMessage, res: ServerResponse, target: string): Promise<void> => {
    const entry = note(req, res)
    state.record(entry)
    counts.apiCalls++
    const body = await readBody(req)
    if (!body) return
    Object.assign(entry, { bodyLength: body.length, bodySha256: body.sha256 })
    if (switches.apiFault) return apiFaults[switches.apiFault](res, problem)

    const { path, search } = splitTarget(target)
    const window = countCall()
    const send = ({ status, headers, body: content }: Answer) =>
      sendJson(res, status, content, {
        ...window.headers,
        ...(status === 401 && { 'www-authenticate': 'Bearer error="invalid_token"' }),
        ...headers
      })
    if (switches.rateLimitCalls > 0) {
      switches.rateLimitCalls--
      return send({ ...refusal(429, 'Too many requests'), headers: window.refusalHeaders })
    }
    if (switches.unauthorizedCalls > 0) {
      switches.unauthorizedCalls--
      return send(refusal(401, 'The access token is invalid or has expired'))
    }
    const no = await refused(path, req)
    if (no) return send(no)
    const extra = extraFor(path)
    if (extra) await extra({ req, res, query: new URLSearchParams(search), body, refuse: message => send(refusal(400, message)) })
    else send(answer(req, path, search, body))
  }
}

function note(req: IncomingMessage, res: ServerResponse): ApiRequest {
  const entry: ApiRequest = { method: req.method ?? '', url: req.url ?? '', headers: req.headers, outcome: 'open' }
  res.once('close', () => {
    entry.outcome = res.writableFinished ? 'answered' : 'cut'
  })
  return entry
}

const apiFaults: { readonly [Fault in ApiFault]: (res: ServerResponse, problem: Vendor['api']['problem']) => void } = {
  error500: (res, problem) => sendJson(res, 500, problem(500, 'Something went wrong on our side')),
  reset,
  // The client is the one to end this.
  stall: () => {},
  short: res => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
    res.write('{"data":[', () => res.destroy())
  }
}

/** Counts calls in fixed windows, for the headers only: no call is refused, unless a switch says so. */
function rateWindow({ limit, windowSeconds, headers, refusalHeaders }: RateLimit) {
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
      refusalHeaders: { ...headers?.({ ...window, remaining: 0 }), ...refusalHeaders?.(window) }
    }
  }
}

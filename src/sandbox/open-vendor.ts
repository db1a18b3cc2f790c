import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from '../core/provider/definition.ts'
import { createVendorApi } from './api.ts'
import { createBases } from './api-bases.ts'
import { createAuthorization } from './authorization.ts'
import { type Asked, type EndpointResponse, type ReadRequest, send } from './endpoint.ts'
import { pause, readBody, sendJson, splitTarget } from './http.ts'
import { matchPath } from './match-template.ts'
import { addressOf, type PlayedRequest } from './played-request.ts'
import type { PlayedVendor } from './played-vendor.ts'
import { createRevocations } from './revocation.ts'
import type { VendorState } from './state.ts'
import { createTokenEndpoints } from './token-endpoint.ts'
import { tokenError } from './token-errors.ts'
import { faultApplies, formatted, tokenFaults } from './token-faults.ts'
import type { Vendor } from './vendor.ts'

/** @param target the request target after the vendor's name and its slash */
export type HandleRequest = (req: IncomingMessage, res: ServerResponse, target: string) => Promise<void>

const consentPath = '_consent/'

/** Makes a vendor's endpoints and API, at its first request. @param data what it has beside its definition */
export function openVendor(vendor: PlayedVendor, redirectUris: () => readonly string[], data: Vendor | undefined): HandleRequest {
  const { definition, prefix, state } = vendor
  const authorization = createAuthorization({ ...vendor, redirectUris, owner: data?.account ?? `your ${definition.title} account` })
  const endpoints = [...createTokenEndpoints(vendor, authorization.findCode), ...createRevocations(vendor)]
  const callApi = createVendorApi(vendor, data)
  const findLocation = createBases(definition, prefix)
  const { authorizeUrl } = definition.methods.oauth2 ?? {}
  const authorizePath = authorizeUrl === undefined ? undefined : addressOf(authorizeUrl, prefix).path

  /** What responds to a request with this head, once its body is read. */
  function findEndpoint(head: PlayedRequest): ((request: PlayedRequest, res: ServerResponse) => void | Promise<void>) | undefined {
    const { method, path } = head
    if (path.startsWith(consentPath)) return (request, res) => send(res, authorization.consent(path.slice(consentPath.length), request))
    if (authorizePath !== undefined && method === 'GET' && matchPath(authorizePath, path))
      return (request, res) => send(res, authorization.authorize(request))
    if (endpoints.some(read => read(head) !== undefined)) return (request, res) => respond(state, res, readFirst(endpoints, request))
    return undefined
  }

  return async (req, res, target) => {
    const { path, search } = splitTarget(target)
    const query = new URLSearchParams(search)
    const head = { method: req.method ?? '', path, query, headers: req.headers, body: { length: 0, sha256: '', text: '' } }
    const endpoint = findEndpoint(head)
    if (endpoint) {
      const body = await readBody(req)
      if (body) await endpoint({ ...head, body }, res)
      return
    }
    const found = findLocation(path)
    // An expression at the end of a base stands for anything, so for `{account}.json` too.
    const isAtBase = found === undefined || found.path === ''
    const location = isAtBase && isRequested(definition, prefix, path) ? { ...outside, placements: found?.placements } : found
    if (location) await callApi({ req, res, address: path, query, location })
    else sendJson(res, 404, { message: `${definition.title} has nothing at this URL` })
  }
}

/** Of a URL that is below no base. */
const outside = { base: undefined, placements: undefined, path: '', mainPath: undefined, variables: {} }

/** Of several endpoints at one address the first that understands the request, else what the first objects to. */
function readFirst(endpoints: readonly ReadRequest[], request: PlayedRequest): Asked {
  const results = endpoints.flatMap(read => read(request) ?? [])
  return results.find(result => 'respond' in result) ?? results[0] ?? { kind: '', problem: 'there is no such endpoint' }
}

/** Sends what a token or revocation endpoint responds, and the faults of the switches in place of it. */
async function respond({ switches, counts }: VendorState, res: ServerResponse, asked: Asked): Promise<void> {
  const { kind } = asked
  if (kind === 'revoke') {
    counts.revocations++
    if (switches.revokeStatus !== 200) return sendJson(res, switches.revokeStatus, { error: 'temporarily_unavailable' })
    return send(res, responseOf(asked))
  }
  counts.tokenRequests[kind] = (counts.tokenRequests[kind] ?? 0) + 1
  if (switches.tokenDelayMs > 0 && !(await pause(switches.tokenDelayMs, res))) return
  const applies = faultApplies(switches, kind)
  if (switches.tokenFault && applies) return tokenFaults[switches.tokenFault](res)
  const response = responseOf(asked)
  if (switches.dropTokenResponse && applies) res.destroy()
  else send(res, response.status === 200 ? formatted(response, switches) : response)
}

const responseOf = (asked: Asked): EndpointResponse =>
  'problem' in asked ? tokenError(undefined, 'invalid_request', asked.problem) : asked.respond()

/** Whether the definition has a request of its own to this address. */
function isRequested({ methods }: Provider, prefix: string, path: string): boolean {
  const requests = Object.values(methods).flatMap(method => [method?.check, method?.lookup, method?.account])
  return requests.some(request => {
    const url = request && 'url' in request ? request.url : undefined
    return url !== undefined && matchPath(addressOf(url, prefix).path, path) !== undefined
  })
}

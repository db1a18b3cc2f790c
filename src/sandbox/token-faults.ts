import type { ServerResponse } from 'node:http'
import type { EndpointResponse } from './endpoint.ts'
import { reset, sendJson } from './http.ts'
import type { Switches, TokenFault } from './switches.ts'

/** Whether the fault switches apply to this grant type. */
export const faultApplies = ({ tokenFaultOn }: Switches, grantType: string): boolean => tokenFaultOn === 'all' || tokenFaultOn === grantType

export const tokenFaults: { readonly [Fault in TokenFault]: (res: ServerResponse) => void } = {
  error500: res => sendJson(res, 500, { error: 'server_error' }),
  error503: res => sendJson(res, 503, { error: 'temporarily_unavailable' }, { 'retry-after': '1' }),
  busy: res => sendJson(res, 429, { error: 'rate_limited' }, { 'retry-after': '60' }),
  'invalid-client': res => sendJson(res, 401, { error: 'invalid_client' }),
  // Does not say that the grant has ended; some servers respond to a used refresh token like this.
  refused: res => sendJson(res, 400, { error: 'invalid_request' }),
  reset,
  html: res => {
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    res.end('<!doctype html><html lang="en"><title>Maintenance</title><p>We will be back soon.</p></html>')
  },
  empty: res => sendJson(res, 200, {}),
  'error-in-200': res => sendJson(res, 200, { error: 'invalid_grant' }),
  // The client must end the request.
  stall: () => {}
}

/** A token response in the format that the switches say. */
export function formatted({ body, ...response }: EndpointResponse, { tokenResponseFormat }: Switches): EndpointResponse {
  if (tokenResponseFormat === 'json') return { ...response, body }
  const [type, text] =
    tokenResponseFormat === 'text'
      ? ['text/plain; charset=utf-8', JSON.stringify(body)]
      : ['application/x-www-form-urlencoded', encodeForm(Object(body))]
  return { ...response, text, headers: { ...response.headers, 'content-type': type } }
}

const encodeForm = (document: Readonly<Record<string, unknown>>): string =>
  new URLSearchParams(Object.entries(document).map(([name, value]) => [name, String(value)])).toString()

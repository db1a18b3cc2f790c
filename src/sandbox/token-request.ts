import { IncomingMessage, type ServerResponse } from 'node:http'
import { parseJson, readBody, reset, sendJson } from './http.ts'
import type { Switches, TokenFault } from './switches.ts'

const formType = 'application/x-www-form-urlencoded'

export type TokenRequest = {
  readonly grantType: string
  /** The same request with an unread body: oidc-provider reads bodies itself, and only forms. */
  readonly form: IncomingMessage
}

/** @returns `undefined` if the vendor accepts JSON and the JSON body is not a flat object of strings */
export async function readTokenRequest(req: IncomingMessage, acceptsJson: boolean): Promise<TokenRequest | undefined> {
  const text = (await readBody(req))?.text ?? ''
  const type = req.headers['content-type']
  const isJson = acceptsJson && /^application\/json\b/i.test(type ?? '')
  const fields = isJson ? jsonFields(text) : new URLSearchParams(text)
  if (!fields) return undefined
  const form = isJson ? replay(req, fields.toString(), formType) : replay(req, text, type)
  return { grantType: fields.get('grant_type') ?? '', form }
}

function jsonFields(text: string): URLSearchParams | undefined {
  const entries = Object.entries(parseJson(text) ?? { no: undefined })
  return entries.every(([, value]) => typeof value === 'string') ? new URLSearchParams(entries) : undefined
}

function replay(req: IncomingMessage, text: string, type: string | undefined): IncomingMessage {
  const form = new IncomingMessage(req.socket)
  form.method = req.method
  form.headers = { ...req.headers, 'content-type': type, 'content-length': String(Buffer.byteLength(text)) }
  // Otherwise the end of this stream would look like a disconnected client and destroy the socket.
  form.complete = true
  form.push(text)
  form.push(null)
  return form
}

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

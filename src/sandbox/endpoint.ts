import type { ServerResponse } from 'node:http'
import { sendJson } from './http.ts'

/** What an endpoint responds: a document in JSON, a text such as a page, or nothing. */
export type EndpointResponse = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly text?: string
}

/** A request that an endpoint has understood, right or wrong in what it asks for. */
export type Ready = {
  /** The grant type, or what stands in its place: `upgrade`, `key`, `revoke`. */
  readonly kind: string
  respond(): EndpointResponse
}

export function send(res: ServerResponse, { status, headers, body, text }: EndpointResponse): void {
  if (body !== undefined) {
    sendJson(res, status, body, headers)
  } else {
    res.writeHead(status, { 'content-length': Buffer.byteLength(text ?? ''), ...headers })
    res.end(text)
  }
}

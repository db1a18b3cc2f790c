import type { ServerResponse } from 'node:http'
import { sendJson } from './http.ts'
import type { PlayedRequest } from './played-request.ts'

/** What an endpoint responds: a document in JSON, a text such as a page, or nothing. */
export type EndpointResponse = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly text?: string
}

/** A request to an endpoint, right or wrong in what it asks for. `problem`: it is not even of the form that the definition declares. */
export type Asked = {
  /** The grant type, or what stands in its place: `upgrade`, `key`, `revoke`. */
  readonly kind: string
} & ({ readonly problem: string } | { respond(): EndpointResponse })

/** Reads a request. `undefined`: it is for another endpoint. */
export type ReadRequest = (request: PlayedRequest) => Asked | undefined

export function send(res: ServerResponse, { status, headers, body, text }: EndpointResponse): void {
  if (body !== undefined) {
    sendJson(res, status, body, headers)
  } else {
    res.writeHead(status, { 'content-length': Buffer.byteLength(text ?? ''), ...headers })
    res.end(text)
  }
}

import { Writable } from 'node:stream'
import type { Connection } from '../connections/connection.ts'
import { userAgent } from '../guards/request-headers.ts'
import type { Provider } from '../provider/definition.ts'
import { apiBase } from './api-base.ts'
import { applyCredential } from './credential.ts'
import type { ResponseHead, Send, UpstreamResponse } from './upstream.ts'

const maxResponseBytes = 256 * 1024

type DocumentResponse = {
  readonly head: ResponseHead
  /** The parsed body; `undefined` if it is not JSON. */
  readonly document: unknown
}

/**
 * The gateway's own GET of a JSON document, with a connection's credential.
 * @param path below the API's base URL, with its query
 * @param timeoutMs from the request to the end of the response
 * @returns `undefined` when the response is aborted or too long
 * @throws {GatewayError} as `Send` does
 */
export async function getDocument(
  send: Send,
  definition: Provider,
  connection: Connection,
  { path, timeoutMs }: { readonly path: string; readonly timeoutMs: number }
): Promise<DocumentResponse | undefined> {
  const target = applyCredential(definition, connection, path)
  const response = await send({
    provider: definition.name,
    origin: apiBase(definition).origin,
    method: 'GET',
    path: target.path,
    headers: ['accept', 'application/json', 'user-agent', userAgent, ...Object.entries(target.headers).flat()],
    body: undefined,
    bodyLength: undefined,
    timeoutMs,
    signal: AbortSignal.timeout(timeoutMs)
  })
  const body = await readBody(response)
  return body && { head: response, document: parseJson(body) }
}

/** @returns `undefined` when the body is aborted or too long */
async function readBody(response: UpstreamResponse): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size <= maxResponseBytes) chunks.push(chunk)
      done()
    }
  })
  const outcome = await response.pipeTo(sink)
  return outcome === 'complete' && size <= maxResponseBytes ? Buffer.concat(chunks) : undefined
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

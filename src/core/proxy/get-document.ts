import { Writable } from 'node:stream'
import type { Connection } from '../connections/connection.ts'
import { userAgent } from '../guards/request-headers.ts'
import { credentialOrigins } from '../provider/define-provider.ts'
import type { Provider } from '../provider/definition.ts'
import type { GatewayRequest } from '../provider/request-template.ts'
import { isResolved } from '../provider/template.ts'
import { apiBase, withOrigin } from './api-base.ts'
import { applyCredential } from './credential.ts'
import type { ResponseHead, Send, UpstreamResponse } from './upstream.ts'

const maxResponseBytes = 256 * 1024

type DocumentResponse = {
  readonly head: ResponseHead
  /** The parsed body; `undefined` if it is not JSON. */
  readonly document: unknown
}

/**
 * A request of the gateway's own for a JSON document, with a connection's credential.
 * @param definition resolved for the connection
 * @param timeoutMs from the request to the end of the response
 * @returns `undefined` when the response is aborted or too long
 * @throws {GatewayError} as `Send` does
 */
export async function getDocument(
  send: Send,
  definition: Provider,
  connection: Connection,
  request: GatewayRequest,
  timeoutMs: number
): Promise<DocumentResponse | undefined> {
  const { at, path } = targetOf(definition, request)
  const target = applyCredential(at, connection, path)
  const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
  const response = await send({
    provider: definition.name,
    origin: apiBase(at).origin,
    method: request.method ?? 'GET',
    path: target.path,
    headers: Object.entries({
      accept: 'application/json',
      'user-agent': userAgent,
      ...(body && { 'content-type': 'application/json' }),
      ...target.headers
    }).flat(),
    body: body && [body],
    bodyLength: body?.length,
    timeoutMs,
    signal: AbortSignal.timeout(timeoutMs)
  })
  const content = await readBody(response)
  return content && { head: response, document: parseJson(content) }
}

/**
 * Whether a request of the gateway's own can be sent: no value that it needs is missing, and a URL is of the servers that see the credential in any
 * case. The operator may have configured others than the vendor's.
 * @param definition resolved as far as it is known
 */
export function isRequestable(definition: Provider, { path = '', url }: GatewayRequest): boolean {
  if (!isResolved(url ?? definition.api.baseUrl + path)) return false
  return url === undefined || credentialOrigins(definition).includes(new URL(url).origin)
}

/** An absolute URL is a path below its own origin. */
function targetOf(definition: Provider, { path = '', url }: GatewayRequest): { at: Provider; path: string } {
  if (url === undefined) return { at: definition, path }
  const parsed = new URL(url)
  return { at: withOrigin(definition, parsed), path: parsed.pathname + parsed.search }
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

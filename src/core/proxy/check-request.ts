import { Writable } from 'node:stream'
import type { Connection } from '../connections/connection.ts'
import { userAgent } from '../guards/request-headers.ts'
import type { CredentialCheck, Provider } from '../provider/definition.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import { apiBase } from './api-base.ts'
import { applyCredential } from './credential.ts'
import { isUnauthorized } from './unauthorized-memo.ts'
import type { ResponseHead, Send, UpstreamResponse } from './upstream.ts'

const maxResponseBytes = 256 * 1024
const checkTimeoutMs = 10_000

/**
 * What a check call says of a credential: it is good; it is not; it is, but may not do this; the provider cannot say now; or nothing
 * that its definition knows.
 */
type Verdict = 'accepted' | 'refused' | 'forbidden' | 'unavailable' | 'unknown'

type CheckResponse = { readonly head: ResponseHead; readonly verdict: Verdict /** Of JSON that parses. */; readonly document: unknown }

/**
 * Makes the check call of a definition with a connection's credential.
 * @returns `undefined` when the response broke off, or had no end
 * @throws {GatewayError} as `Send` does
 */
export async function sendCheckRequest(
  send: Send,
  definition: Provider,
  connection: Connection,
  check: CredentialCheck
): Promise<CheckResponse | undefined> {
  const { path, headers } = applyCredential(definition, connection, check.path)
  const request = {
    provider: definition.name,
    origin: apiBase(definition).origin,
    method: 'GET' as const,
    path,
    headers: ['accept', 'application/json', 'user-agent', userAgent, ...Object.entries(headers).flat()],
    body: undefined,
    bodyLength: undefined,
    timeoutMs: checkTimeoutMs,
    signal: AbortSignal.timeout(checkTimeoutMs)
  }
  const response = await send(request)
  const body = await bodyOf(response)
  if (!body) return undefined
  const document = asJson(body)
  return { head: response, document, verdict: verdictOf(check, response, document) }
}

/** `undefined` when it was aborted, or is too long. */
async function bodyOf(response: UpstreamResponse): Promise<Buffer | undefined> {
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

function verdictOf({ status: accepted, expect }: CredentialCheck, head: ResponseHead, document: unknown): Verdict {
  const { status } = head
  if ([accepted].flat().includes(status)) {
    if (!expect) return 'accepted'
    const said = resolvePointer(document, expect.pointer)
    if (said === expect.equals) return 'accepted'
    // What is no such document, a page of maintenance in a 200 for one, says nothing of the credential.
    return said === undefined ? 'unknown' : 'refused'
  }
  if (isUnauthorized(head)) return 'refused'
  if (status === 403) return 'forbidden'
  // RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4: try again.
  if (status >= 500 || status === 408 || status === 425 || status === 429 || (status >= 300 && status < 400)) return 'unavailable'
  return 'unknown'
}

function asJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

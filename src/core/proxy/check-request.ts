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
 * What a check request says of a credential. `forbidden`: it is good but lacks a permission. `unavailable`: the provider cannot say now.
 * `unknown`: the definition does not expect this response.
 */
type Verdict = 'accepted' | 'refused' | 'forbidden' | 'unavailable' | 'unknown'

type CheckResult = {
  readonly head: ResponseHead
  readonly verdict: Verdict
  /** The parsed body; `undefined` if it is not JSON. */
  readonly document: unknown
}

/**
 * Sends the check request of a definition with a connection's credential.
 * @returns `undefined` when the response is aborted or too long
 * @throws {GatewayError} as `Send` does
 */
export async function sendCheckRequest(
  send: Send,
  definition: Provider,
  connection: Connection,
  check: CredentialCheck
): Promise<CheckResult | undefined> {
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
  const body = await readBody(response)
  if (!body) return undefined
  const document = parseJson(body)
  return { head: response, document, verdict: verdictOf(check, response, document) }
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

function verdictOf({ status: expected, expect }: CredentialCheck, head: ResponseHead, document: unknown): Verdict {
  const { status } = head
  if ([expected].flat().includes(status)) {
    if (!expect) return 'accepted'
    const actual = resolvePointer(document, expect.pointer)
    if (actual === expect.equals) return 'accepted'
    // A body without the member, as a maintenance page with status 200, says nothing about the credential.
    return actual === undefined ? 'unknown' : 'refused'
  }
  if (isUnauthorized(head)) return 'refused'
  if (status === 403) return 'forbidden'
  // 408, 425, 429: retry later (RFC 9110 §15.5.9, RFC 8470 §5.2, RFC 6585 §4).
  if (status >= 500 || status === 408 || status === 425 || status === 429 || (status >= 300 && status < 400)) return 'unavailable'
  return 'unknown'
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

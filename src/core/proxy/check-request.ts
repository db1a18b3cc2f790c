import type { Connection } from '../connections/connection.ts'
import type { CredentialCheck, Provider } from '../provider/definition.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import { getDocument } from './get-document.ts'
import { saysRefusal } from './refusals.ts'
import { isUnauthorized } from './unauthorized-memo.ts'
import type { ResponseHead, Send } from './upstream.ts'

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
  const response = await getDocument(send, definition, connection, check, checkTimeoutMs)
  return response && { ...response, verdict: verdictOf(definition, check, response.head, response.document) }
}

function verdictOf({ api }: Provider, { status: expected, expect }: CredentialCheck, head: ResponseHead, document: unknown): Verdict {
  const { status } = head
  if (saysRefusal(api.refusals ?? [], status, document)) return 'refused'
  if ([expected].flat().includes(status)) {
    if (!expect) return 'accepted'
    const actual = resolvePointer(document, expect.pointer)
    // Any value will do: a document without it is the only refusal that there is.
    if (!('equals' in expect)) return actual !== undefined && actual !== null ? 'accepted' : document === undefined ? 'unknown' : 'refused'
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

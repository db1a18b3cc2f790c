import { readAccount } from '../connections/account.ts'
import { type Connection, newConnectionId } from '../connections/connection.ts'
import { GatewayError } from '../errors.ts'
import { guardPath } from '../guards/path.ts'
import type { ApiKeyMethod, Provider } from '../provider/definition.ts'
import { Secret } from '../secret.ts'
import { retryAtMs } from '../util/retry-after.ts'
import { sendCheckRequest } from './check-request.ts'
import { describeMalformedKey, unwrapPastedKey } from './pasted-key.ts'
import type { ResponseHead, Send } from './upstream.ts'

/** Some vendors' keys are signed tokens of more than a kilobyte. */
const maxKeyLength = 4096
/** With the text around the key. */
const maxPastedLength = 2 * maxKeyLength

/**
 * Extracts the key from text that a user pasted.
 * @throws {GatewayError} `api_key_malformed`, with a description of the mistake that never contains the key
 */
export function parseApiKey(pasted: unknown, provider: string): Secret {
  const malformed = (why: string) => new GatewayError('api_key_malformed', why, { provider })
  if (typeof pasted !== 'string') throw malformed('Send {"apiKey":"…"} with the key as text.')
  // Before any regular expression runs on it.
  if (pasted.length > maxPastedLength) throw malformed(`The key is longer than ${maxKeyLength} characters. Copy the key alone.`)
  const key = unwrapPastedKey(pasted)
  // Headers and URLs take no other characters.
  const mistake = describeMalformedKey(key)
  if (mistake !== undefined) throw malformed(`${mistake} Copy it again, the key alone, and paste it here.`)
  if (key.length > maxKeyLength) throw malformed(`The key is longer than ${maxKeyLength} characters. Copy the key alone.`)
  return new Secret(key)
}

/**
 * Verifies a key with the check request of the provider's definition.
 * @returns a connection with the key, and with its account if the definition says where the response has it
 * @throws {GatewayError} `api_key_malformed` when the key cannot be placed in the URL, `api_key_rejected` when the provider refuses it,
 * `provider_unavailable` or `provider_timeout` when the provider cannot say
 */
export async function connectWithApiKey(
  send: Send,
  definition: Provider,
  method: ApiKeyMethod,
  key: Secret,
  nowMs: number
): Promise<Connection> {
  const { check, placements, account } = method
  // In a path segment a key could traverse, where a server decodes before it resolves dots (CWE-22).
  if (placements.some(placement => placement.in === 'path') && !isGuarded(`/${encodeURIComponent(key.reveal())}`))
    throw new GatewayError('api_key_malformed', 'The key contains a character that no key has. Copy it again.', {
      provider: definition.name
    })
  const connection: Connection = {
    id: newConnectionId(),
    provider: definition.name,
    method: 'api_key',
    status: 'connected',
    credential: key,
    connectedAtMs: nowMs
  }
  if (!check) return connection
  const result = await sendCheckRequest(send, definition, connection, check)
  if (!result) throw unavailable(definition, 'its response was incomplete or too long')
  const { verdict, head, document } = result
  if (verdict === 'unavailable') throw unavailable(definition, `it returned status ${head.status}`, retryAfterOf(definition, head, nowMs))
  if (verdict === 'forbidden') throw notAllowed(definition)
  if (verdict !== 'accepted') throw rejected(definition)
  return account?.from === 'check' ? { ...connection, ...readAccount(document, account) } : connection
}

function isGuarded(path: string): boolean {
  try {
    guardPath(path)
    return true
  } catch {
    return false
  }
}

/** Whole seconds for which the provider wants no further request, if it says so. */
function retryAfterOf({ api }: Provider, { headers }: ResponseHead, nowMs: number): number | undefined {
  const standardMs = retryAtMs({ header: 'retry-after', unit: 'seconds' }, headers, nowMs)
  const untilMs = (api.rateLimit && retryAtMs(api.rateLimit, headers, nowMs)) ?? standardMs
  return untilMs === undefined ? undefined : Math.ceil((untilMs - nowMs) / 1000)
}

const rejected = ({ name, title }: Provider) =>
  new GatewayError(
    'api_key_rejected',
    `${title} does not accept this key. Check that it is the whole key and still active there, and paste it again.`,
    {
      provider: name
    }
  )

/** The provider knows the key, but the key lacks a permission: another key of the same kind would fail too. */
const notAllowed = ({ name, title }: Provider) =>
  new GatewayError(
    'api_key_rejected',
    `${title} knows this key, but does not let it read what is needed here. Give the key that permission there, or let an admin make one that has it, and paste it again.`,
    { provider: name }
  )

const unavailable = ({ name, title }: Provider, why: string, retryAfter?: number) =>
  new GatewayError('provider_unavailable', `${title} could not check the key: ${why}. Nothing was stored; try again in a moment.`, {
    provider: name,
    ...(retryAfter !== undefined && { retryAfter })
  })

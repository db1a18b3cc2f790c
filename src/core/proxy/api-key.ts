import type { Connection } from '../connections/connection.ts'
import { GatewayError } from '../errors.ts'
import { guardPath } from '../guards/path.ts'
import type { ApiKeyMethod, Provider } from '../provider/definition.ts'
import { Secret } from '../secret.ts'
import { toAccountName } from '../util/display-text.ts'
import { resolvePointer } from '../util/json-pointer.ts'
import { retryAtMs } from '../util/retry-after.ts'
import { sendCheckRequest } from './check-request.ts'
import { describeMalformedKey, unwrapPastedKey } from './pasted-key.ts'
import type { ResponseHead, Send } from './upstream.ts'

/** Some vendors' keys are signed tokens of a kilobyte and more. */
const maxCharacters = 4096
/** With what is around it. */
const maxPasted = 2 * maxCharacters

/**
 * A key as a person pasted it, without what was copied along with it.
 * @throws {GatewayError} `api_key_malformed`, saying what was seen; the key is never repeated
 */
export function parseApiKey(pasted: unknown, provider: string): Secret {
  const malformed = (why: string) => new GatewayError('api_key_malformed', why, { provider })
  if (typeof pasted !== 'string') throw malformed('Send {"apiKey":"…"} with the key as text.')
  // Before anything looks through it.
  if (pasted.length > maxPasted) throw malformed(`The key is longer than ${maxCharacters} characters. Copy the key alone.`)
  const key = unwrapPastedKey(pasted)
  // Neither header nor URL takes anything else.
  const fault = describeMalformedKey(key)
  if (fault !== undefined) throw malformed(`${fault} Copy it again, the key alone, and paste it here.`)
  if (key.length > maxCharacters) throw malformed(`The key is longer than ${maxCharacters} characters. Copy the key alone.`)
  return new Secret(key)
}

/**
 * Shows the key to the provider, by the check call of its definition.
 * @returns the connection that it makes, with the account's name where the answer tells it
 * @throws {GatewayError} `api_key_malformed` when it could not stand where it has to, `api_key_rejected` when the provider refuses it, `provider_unavailable` or `provider_timeout` when it cannot say
 */
export async function connectWithApiKey(
  send: Send,
  definition: Provider,
  method: ApiKeyMethod,
  key: Secret,
  nowMs: number
): Promise<Connection> {
  const { check, placements } = method
  // As a segment of a path a key could climb, where a server decodes before it resolves dots (CWE-22).
  if (placements.some(placement => placement.in === 'path') && !isGuarded(`/${encodeURIComponent(key.reveal())}`))
    throw new GatewayError('api_key_malformed', 'The key holds a character that no key has. Copy it again.', { provider: definition.name })
  const connection: Connection = {
    provider: definition.name,
    method: 'api_key',
    status: 'connected',
    credential: key,
    connectedAtMs: nowMs
  }
  const response = await sendCheckRequest(send, definition, connection, check)
  if (!response) throw unavailable(definition, 'its response broke off or had no end')
  const { verdict, head, document } = response
  if (verdict === 'unavailable') throw unavailable(definition, `it answered ${head.status}`, waitOf(definition, head, nowMs))
  if (verdict === 'forbidden') throw notAllowed(definition)
  if (verdict !== 'accepted') throw rejected(definition)
  const account = check.account === undefined ? undefined : toAccountName(resolvePointer(document, check.account))
  return account === undefined ? connection : { ...connection, account }
}

function isGuarded(path: string): boolean {
  try {
    guardPath(path)
    return true
  } catch {
    return false
  }
}

/** Whole seconds until which the provider wants no further call, where it says so. */
function waitOf({ api }: Provider, { headers }: ResponseHead, nowMs: number): number | undefined {
  const usual = retryAtMs({ header: 'retry-after', unit: 'seconds' }, headers, nowMs)
  const untilMs = (api.rateLimit && retryAtMs(api.rateLimit, headers, nowMs)) ?? usual
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

/** A key that is known, and may not do what the check asks for: another one would do no better. */
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

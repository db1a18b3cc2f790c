import { Writable } from 'node:stream'
import { accountName } from './account-name.ts'
import { apiBase } from './api-base.ts'
import type { Connection } from './connection.ts'
import { targetFor } from './credential.ts'
import { GatewayError } from './errors.ts'
import type { AnswerHead, Send } from './forward.ts'
import { valueAt } from './json-pointer.ts'
import { guardedPath } from './path.ts'
import type { ApiKeyMethod, Provider } from './provider.ts'
import { Secret } from './secret.ts'

/** Some vendors' keys are signed tokens of a kilobyte and more. */
const mostCharacters = 4096
const mostAnswerBytes = 256 * 1024
const checkTimeoutMs = 10_000

/**
 * A key as a person pasted it, without the blanks and line breaks around it.
 * @throws {GatewayError} `api_key_malformed`; the key is never repeated
 */
export function apiKeyFrom(pasted: unknown, provider: string): Secret {
  const malformed = (why: string) => new GatewayError('api_key_malformed', why, { provider })
  if (typeof pasted !== 'string') throw malformed('Send {"apiKey":"…"} with the key as text.')
  const key = pasted.trim()
  if (key === '') throw malformed('The key is empty. Copy it again and paste it here.')
  if (key.length > mostCharacters) throw malformed(`The key is longer than ${mostCharacters} characters. Copy the key alone.`)
  // Neither header nor URL takes anything else, and no vendor's key has it: it is a slip in copying.
  if (!/^[\x21-\x7e]+$/.test(key)) throw malformed('The key holds a blank, a line break or a character that no key has. Copy it again.')
  return new Secret(key)
}

/**
 * Shows the key to the provider, by the check call of its definition.
 * @returns the connection that it makes, with the account's name where the answer tells it
 * @throws {GatewayError} `api_key_malformed` when it could not stand where it has to, `api_key_rejected` when the provider refuses it, `provider_unavailable` or `provider_timeout` when it cannot say
 */
export async function connectionByKey(
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
  const { status, body } = await ask(send, definition, connection, check.path)
  if (status >= 500 || status === 429 || (status >= 300 && status < 400)) throw unavailable(definition, `it answered ${status}`)
  if (status !== check.status) throw rejected(definition)
  const answer = asJson(body)
  if (check.expect && valueAt(answer, check.expect.pointer) !== check.expect.equals) throw rejected(definition)
  const account = check.account === undefined ? undefined : accountName(valueAt(answer, check.account))
  return account === undefined ? connection : { ...connection, account }
}

function isGuarded(path: string): boolean {
  try {
    guardedPath(path)
    return true
  } catch {
    return false
  }
}

async function ask(send: Send, definition: Provider, connection: Connection, check: string): Promise<{ status: number; body: Buffer }> {
  const { path, headers } = targetFor(definition, connection, check)
  const over = AbortSignal.timeout(checkTimeoutMs)
  const chunks: Buffer[] = []
  let size = 0
  let head: AnswerHead | undefined
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size <= mostAnswerBytes) chunks.push(chunk)
      done()
    }
  })
  const request = {
    origin: apiBase(definition).origin,
    method: 'GET' as const,
    path,
    headers: ['accept', 'application/json', 'user-agent', 'latchkey', ...Object.entries(headers).flat()],
    body: undefined,
    bodyLength: undefined,
    timeoutMs: checkTimeoutMs,
    signal: over
  }
  const outcome = await send(request, answered => {
    head = answered
    return sink
  })
  if (outcome !== 'streamed' || !head || size > mostAnswerBytes) throw unavailable(definition, 'its answer broke off or had no end')
  return { status: head.status, body: Buffer.concat(chunks) }
}

function asJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

const rejected = ({ name, title }: Provider) =>
  new GatewayError(
    'api_key_rejected',
    `${title} does not accept this key. Check that it is the whole key and still active there, and paste it again.`,
    {
      provider: name
    }
  )

const unavailable = ({ name, title }: Provider, why: string) =>
  new GatewayError('provider_unavailable', `${title} could not check the key: ${why}. Nothing was stored; try again in a moment.`, {
    provider: name
  })

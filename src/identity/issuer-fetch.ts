import http, { type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { GatewayError } from '../core/errors.ts'
import type { LookupFor } from '../core/ports.ts'
import { Timeout } from '../core/util/timeout.ts'
import { IssuerError } from './issuer-errors.ts'

type RequestOptions = {
  /** Names the resource in errors: a URL may have an API key in its query. */
  readonly what: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | undefined
  readonly signal?: AbortSignal
}

/** Complete. The status is one with which a response may have a body. */
export type IssuerResponse = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Buffer<ArrayBuffer> }

/**
 * Sends a request to the issuer. Redirects are not followed: they could lead to hosts that nobody configured.
 * @throws {IssuerError} when there is no response, or not a complete one of at most 512 KiB in time
 */
export type IssuerFetch = (url: string, options: RequestOptions) => Promise<IssuerResponse>

type IssuerFetchOptions = {
  readonly lookupFor: LookupFor
  /** For one exchange, from the connection to the end of the response. */
  readonly timeoutMs?: number | undefined
}

const defaultTimeoutMs = 5_000
/** Far above what issuers send: a key with its certificates has 5 kB. */
const maxBytes = 512 * 1024

/** The built-in `fetch` takes no `lookup`, and so would connect to whatever the host name resolves to. */
export const createIssuerFetch =
  ({ lookupFor, timeoutMs = defaultTimeoutMs }: IssuerFetchOptions): IssuerFetch =>
  async (url, options) => {
    const timer = new AbortController()
    const timeout = new Timeout(timeoutMs, () => timer.abort())
    const signal = options.signal ? AbortSignal.any([timer.signal, options.signal]) : timer.signal
    try {
      return await send(url, { ...options, signal }, lookupFor)
    } catch (error) {
      if (timer.signal.aborted) throw new IssuerError(`${options.what} did not arrive in time`, { code: 'ETIMEDOUT' })
      throw toIssuerError(error, options.what)
    } finally {
      timeout.clear()
    }
  }

/**
 * A JSON document of the issuer, whatever its Content-Type.
 * @throws {IssuerError}
 */
export async function fetchJson(fetch: IssuerFetch, url: string, options: Pick<RequestOptions, 'what' | 'signal'>): Promise<unknown> {
  const { what } = options
  const { status, body } = await fetch(url, { ...options, headers: { accept: 'application/json' } })
  if (status !== 200) throw wrongStatus(what, status)
  try {
    return JSON.parse(body.toString().replace(/^\ufeff/, ''))
  } catch {
    throw new IssuerError(`${what} is not JSON`)
  }
}

async function send(url: string, { what, method = 'GET', headers, body, signal }: RequestOptions, lookupFor: LookupFor) {
  const received = Promise.withResolvers<IncomingMessage>()
  const { request } = url.startsWith('https:') ? https : http
  const lookup = lookupFor(url)
  // A connection of its own: the global agent would reuse one that another lookup has allowed.
  request(url, { method, headers: { ...headers, 'user-agent': 'grantkeeper' }, lookup, agent: false, ...(signal && { signal }) })
    .on('response', received.resolve)
    .on('error', received.reject)
    .end(body)
  const response = await received.promise
  const bytes = await readBody(response, what)
  const { statusCode: status = 0 } = response
  // These have no body, and others are none of HTTP (RFC 9110 §15).
  if (status === 204 || status === 205 || status === 304 || status < 200 || status > 599) throw wrongStatus(what, status)
  return { status, headers: response.headers, body: bytes }
}

async function readBody(response: IncomingMessage, what: string): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new IssuerError(`${what} is larger than ${maxBytes / 1024} KiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function wrongStatus(what: string, status: number): IssuerError {
  const hint = status >= 300 && status < 400 && status !== 304 ? ', and redirects are not followed' : ''
  return new IssuerError(`${what} has the status ${status}${hint}`, { status })
}

/** The system's message may repeat an address that a client should not learn, so only its code is used. */
function toIssuerError(error: unknown, what: string): IssuerError {
  if (error instanceof IssuerError) return error
  // The lookup's refusal of a private address is an error around the one with the code.
  if (error instanceof GatewayError) return new IssuerError(`${what} is at an IP address that is not public`, { code: codeOf(error.cause) })
  return new IssuerError(`${what} could not be fetched`, { code: codeOf(error) })
}

const codeOf = (error: unknown): string | undefined => (error as { readonly code?: string } | undefined)?.code

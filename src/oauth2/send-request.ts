import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { hasCode } from '../core/errors.ts'
import { TokenEndpointError } from '../core/oauth/token-response.ts'
import type { LookupFor } from '../core/ports.ts'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import { expand, type Variables } from '../core/provider/template.ts'
import { withTimeout } from '../core/util/timeout.ts'

/** A request to an authorization server that `@fastify/oauth2` has no form for. */
export type OwnRequest = {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Complete, whatever its status. */
export type OwnResponse = { readonly status: number; readonly retryAfter: string | undefined; readonly body: Buffer }

/** @throws {TokenEndpointError} `timeout` or `unavailable`, in our words */
export type SendRequest = (request: OwnRequest, timeoutMs: number) => Promise<OwnResponse>

/** Of a response: far above what any vendor sends. */
export const maxResponseBytes = 128 * 1024

export const userAgent = 'grantkeeper'

/**
 * Expands a template. Values are encoded for their place: in a form or a query by the form, in JSON by JSON.
 * @param headers sent beside the template's own, which replace those of the same names
 * @throws {TemplateError} for a value that is not known, or must not stand where the template has it
 */
export function expandRequest(template: RequestTemplate, variables: Variables, headers: Readonly<Record<string, string>> = {}): OwnRequest {
  const { method = 'POST', format = method === 'GET' ? 'query' : 'form', basic } = template
  const text = (value: string) => expand.text(value, variables)
  const credentials = basic && Buffer.from(`${text(basic.username)}:${text(basic.password)}`).toString('base64')
  return ownRequest({
    url: expand.url(template.url, variables),
    method,
    format,
    params: mapValues(template.params ?? {}, text),
    headers: {
      ...headers,
      ...(credentials !== undefined && { authorization: `Basic ${credentials}` }),
      ...mapValues(template.headers ?? {}, value => expand.header(value, variables))
    }
  })
}

type Parts = Pick<OwnRequest, 'url' | 'method' | 'headers'> & {
  readonly format: 'form' | 'json' | 'query'
  readonly params: Readonly<Record<string, string>>
}

/** @param parts with header names in lower case */
export function ownRequest({ url, method, format, params, headers }: Parts): OwnRequest {
  const target = new URL(url)
  const isSent = Object.keys(params).length > 0
  if (format === 'query') for (const [name, value] of Object.entries(params)) target.searchParams.append(name, value)
  const body =
    !isSent || format === 'query' ? undefined : format === 'json' ? JSON.stringify(params) : new URLSearchParams(params).toString()
  return {
    url: target.href,
    method,
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(body !== undefined && { 'content-type': format === 'json' ? 'application/json' : 'application/x-www-form-urlencoded' }),
      ...headers
    },
    ...(body !== undefined && { body })
  }
}

/**
 * Sends requests on connections of their own: a shared agent would reuse one that another lookup has allowed. Redirects are not followed, since
 * they could lead credentials to hosts that no definition names.
 */
export const createSendRequest =
  (lookupFor: LookupFor): SendRequest =>
  async (request, timeoutMs) => {
    const given = new AbortController()
    try {
      return await withTimeout(timeoutMs, send(request, lookupFor, given.signal), timedOut)
    } catch (error) {
      throw error instanceof TokenEndpointError ? error : unreachable(error)
    } finally {
      given.abort()
    }
  }

async function send({ url, method, headers, body = '' }: OwnRequest, lookupFor: LookupFor, signal: AbortSignal): Promise<OwnResponse> {
  const received = Promise.withResolvers<IncomingMessage>()
  const { request } = url.startsWith('https:') ? https : http
  const hasBody = method !== 'GET'
  request(url, {
    method,
    headers: { ...headers, ...(hasBody && { 'content-length': Buffer.byteLength(body) }) },
    lookup: lookupFor(url),
    agent: false,
    signal
  })
    .on('response', received.resolve)
    .on('error', received.reject)
    .end(body)
  const response = await received.promise
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxResponseBytes) throw new TokenEndpointError('invalid_response', 'the response is too long')
    chunks.push(chunk)
  }
  return { status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body: Buffer.concat(chunks) }
}

/** The system's message may repeat an address that nobody should learn, and Node's own a header that it refuses to send. */
function unreachable(error: unknown): TokenEndpointError {
  return hasCode(error, 'provider_unavailable') ? notPublic() : closed()
}

export const timedOut = (status?: number) =>
  new TokenEndpointError('timeout', 'the token endpoint did not respond in time', undefined, { status })

/** Thrown by the lookup. */
export const notPublic = () =>
  new TokenEndpointError('unavailable', 'the token endpoint’s host name resolves to an IP address that is not public')

export const closed = () =>
  new TokenEndpointError('unavailable', 'the token endpoint could not be reached, or closed the connection without a response')

const mapValues = (record: Readonly<Record<string, string>>, change: (value: string) => string): Record<string, string> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))

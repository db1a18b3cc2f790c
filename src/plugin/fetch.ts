import { PassThrough, Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { readStream } from '../../plugins/routes/proxy/body.ts'
import { bodyTooLarge } from '../../plugins/routes/proxy/upload.ts'
import { problemOf } from '../core/connections/problem.ts'
import { GatewayError } from '../core/errors.ts'
import { buildResponseHeaders } from '../core/guards/response-headers.ts'
import { type HttpMethod, httpMethods, type Provider } from '../core/provider/definition.ts'
import { findProvider } from '../core/provider/find-provider.ts'
import { assertHasBase } from '../core/proxy/api-base.ts'
import { credentialDetector, rewriteLocation } from '../core/proxy/credential.ts'
import { guardHeaderSize, guardTarget } from '../core/proxy/policy.ts'
import { type ReadBody, usableConnection } from '../core/proxy/proxied-call.ts'
import type { ForwardResult } from '../core/proxy/proxied-request.ts'
import type { NamedUser } from '../core/users/named-user.ts'
import type { UserPrincipal } from '../core/users/principal.ts'
import type { Services } from '../services.ts'
import type { FetchInit } from './types.ts'

type Options = Pick<
  Services,
  'principalOf' | 'providers' | 'publicUrl' | 'publicOrigin' | 'basePath' | 'loginUrl' | 'vault' | 'clock' | 'sendCall'
> & {
  readonly nextId: () => string
  readonly onUnexpected: (error: Error, requestId: string) => void
}

/** Fetch Standard, "HTTP-redirect fetch". */
const maxRedirects = 20
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** Fetch Standard, "null body status". */
const bodylessStatuses: ReadonlySet<number> = new Set([204, 205, 304])
/** Of `Request`, which needs an absolute URL. Nothing is sent there. */
const anyUrl = 'http://provider.invalid/'

/** One request of a call; a redirect makes another. */
type Call = {
  readonly method: HttpMethod
  /** Of the API; a redirect may lead to another one. */
  readonly base: string | undefined
  readonly target: string
  readonly headers: Headers
  readonly body: Buffer | Readable | undefined
}

type Redirect = Pick<Call, 'base' | 'target'>

/** The application's `fetch`: a proxied call without a request of a browser. */
export function createFetch(options: Options) {
  const { principalOf, providers, publicUrl, publicOrigin, basePath, loginUrl, vault, clock, sendCall, nextId, onUnexpected } = options

  return async function fetchAs(user: NamedUser, provider: string, path: string, init: FetchInit = {}): Promise<Response> {
    const { account, base, ...requestInit } = init
    if (typeof path !== 'string') throw new TypeError('The path must be a string: it is what follows the base URL of the API.')
    const principal = await principalOf(user)
    const request = new Request(anyUrl, { ...requestInit, ...(isStream(requestInit.body) && { duplex: 'half' }) } as RequestInit)
    const { signal = null } = requestInit
    signal?.throwIfAborted()
    try {
      const { definition } = findProvider(providers, provider)
      const method = httpMethods.find(name => name === request.method)
      if (!method) throw new GatewayError('method_not_allowed', `${request.method} is not forwarded to a provider.`, { provider })
      const body = await bodyOf(request, requestInit.body)
      assertHasBase(definition, base)
      let call: Call = { method, base, target: targetOf(path), headers: request.headers, body }
      for (let redirects = 0; ; redirects++) {
        const { response, redirect } = await send(principal, definition, account, call, signal ?? new AbortController().signal)
        const next = redirect === undefined || request.redirect === 'manual' ? undefined : redirected(call, response.status, redirect)
        if (!next) return response
        await response.body?.cancel()
        if (request.redirect === 'error') throw new TypeError('The provider redirected, and redirect is "error".')
        if (redirects === maxRedirects) throw new TypeError(`The provider redirected more than ${maxRedirects} times.`)
        call = next
      }
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (!(error instanceof GatewayError)) throw error
      return problemResponse(error, provider)
    }
  }

  /** @returns the response from its head on; its body streams. `redirect`: where it redirects to within the API. */
  async function send(principal: UserPrincipal, definition: Provider, account: string | undefined, call: Call, signal: AbortSignal) {
    const { method, base, target, headers, body } = call
    const rawHeaders = [...headers].flat()
    guardTarget(definition, method, target)
    guardHeaderSize(definition, rawHeaders)
    const opened = await vault.open(principal, { provider: definition.name, id: account })
    const stored = usableConnection(opened?.connection, definition, account, clock)
    if (opened) vault.touch(opened, stored)?.catch(() => {})

    const left = new AbortController()
    const started = Promise.withResolvers<{ response: Response; redirect: Redirect | undefined }>()
    const proxied = {
      definition,
      base,
      method,
      target,
      rawHeaders,
      hasBody: body !== undefined,
      stored,
      signal: AbortSignal.any([signal, left.signal]),
      readBody: (maxBytes: number) => readBody(body, headers, maxBytes),
      // Calls of the application share what one client may take.
      network: () => 'application'
    }
    sendCall(proxied, async result => {
      const sink = new PassThrough()
      // Nobody reads the rest: the body was cancelled.
      sink.on('close', () => {
        if (!sink.readableEnded) left.abort()
      })
      started.resolve(responseOf(definition, call, result, sink))
      // An abort is seen by whoever reads the body.
      await result.response.pipeTo(sink)
    }).catch(started.reject)
    return started.promise
  }

  function responseOf(definition: Provider, { method }: Call, result: ForwardResult, body: PassThrough) {
    const { sent, provider, connection, response } = result
    if (response.status < 200 || response.status > 599)
      throw new GatewayError('provider_unavailable', `${definition.title} responded with a status that HTTP does not have.`, {
        provider: definition.name
      })
    const hasBody = method !== 'HEAD' && !bodylessStatuses.has(response.status)
    if (!hasBody) body.resume()
    let location: string | undefined
    const raw = buildResponseHeaders(
      response.status,
      response.headers,
      text => {
        const rewritten = rewriteLocation(provider, connection, { sent: sent.path, ownHost: publicOrigin.host, basePath }, text)
        location = rewritten
        return rewritten
      },
      credentialDetector(provider, connection),
      'same-origin'
    )
    const headers = new Headers()
    for (let i = 0; i + 1 < raw.length; i += 2) headers.append(raw[i] as string, raw[i + 1] as string)
    const stream = hasBody ? (Readable.toWeb(body) as ConstructorParameters<typeof Response>[0]) : null
    return {
      response: new Response(stream, { status: response.status, headers }),
      redirect: redirectStatuses.has(response.status) ? withinApi(definition, location) : undefined
    }
  }

  /** The part of the API that a rewritten `Location` leads to. */
  function withinApi({ name }: Provider, location = ''): Redirect | undefined {
    const own = `${basePath}/proxy/${name}`
    const match = location.startsWith(own) ? /^(?:~([a-z0-9-]+))?([/?][^#]*)?(?:#|$)/.exec(location.slice(own.length)) : null
    return match ? { base: match[1], target: match[2] ?? '' } : undefined
  }

  function problemResponse(error: GatewayError, provider: string): Response {
    const requestId = nextId()
    if (error.code === 'internal_error') onUnexpected(error, requestId)
    const problem = problemOf(error, { requestId, settings: providers.get(provider), publicUrl, loginUrl })
    return Response.json(problem, {
      status: problem.status,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'grantkeeper-error': problem.code,
        ...(problem.retryAfter !== undefined && { 'retry-after': String(problem.retryAfter) }),
        ...(error.allow && { allow: error.allow.join(', ') })
      }
    })
  }
}

/** Below the API's base, as it is sent: what a URL has to encode is encoded, and nothing else. */
function targetOf(path: string): string {
  if (/^[a-z][a-z\d+.-]*:/i.test(path))
    throw new GatewayError('path_rejected', "The path must be below the API's base, such as /issues?page=2, without scheme and host.")
  const encoded = path.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent)
  return encoded === '' || /^[/?]/.test(encoded) ? encoded : `/${encoded}`
}

const isStream = (body: unknown): boolean =>
  body instanceof globalThis.ReadableStream || (typeof body === 'object' && body !== null && Symbol.asyncIterator in body)

/** A body in memory is sent again after a renewal; a stream that is too large to buffer is not. */
async function bodyOf(request: Request, given: unknown): Promise<Buffer | Readable | undefined> {
  if (!request.body) return undefined
  if (isStream(given)) return Readable.fromWeb(request.body as ReadableStream)
  return Buffer.from(await request.arrayBuffer())
}

function readBody(body: Buffer | Readable | undefined, headers: Headers, maxBytes: number): ReadBody | Promise<ReadBody> {
  if (body === undefined) return { body: undefined, bodyLength: undefined }
  if (Buffer.isBuffer(body)) {
    if (body.length > maxBytes) throw bodyTooLarge(maxBytes)
    return { body: [body], bodyLength: body.length }
  }
  const declared = headers.get('content-length')
  const bodyLength = declared !== null && /^\d+$/.test(declared) ? Number(declared) : undefined
  if (bodyLength !== undefined && bodyLength > maxBytes) throw bodyTooLarge(maxBytes)
  return readStream(body, { maxBytes, bodyLength, onStream: () => {}, discard: () => body.destroy() })
}

/** Fetch Standard, "HTTP-redirect fetch". @returns `undefined` when the body is a stream, which cannot be sent again */
function redirected({ method, headers, body }: Call, status: number, redirect: Redirect): Call | undefined {
  const becomesGet = status === 303 ? method !== 'GET' && method !== 'HEAD' : (status === 301 || status === 302) && method === 'POST'
  if (!becomesGet) return body instanceof Readable ? undefined : { method, ...redirect, headers, body }
  const bodyless = new Headers(headers)
  for (const name of ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']) bodyless.delete(name)
  return { method: 'GET', ...redirect, headers: bodyless, body: undefined }
}

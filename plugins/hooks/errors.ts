import type { FastifyContextConfig, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { problemOf } from '../../src/core/connections/problem.ts'
import { type ErrorCode, GatewayError, stackFrames } from '../../src/core/errors.ts'
import { TokenEndpointError } from '../../src/core/oauth/token-response.ts'
import { errorPage } from '../../src/pages/error-page.ts'
import type { Services } from '../../src/services.ts'
import { sendPage } from '../send-page.ts'
import { prefersPage } from './accept.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The provider that a route belongs to. */
    provider?: string
  }
}

/** Sends an error as a response. Fastify's error handler calls it; so does the gateway for requests that reach no route. */
export type ErrorResponder = (error: Error, request: FastifyRequest, reply: FastifyReply) => FastifyReply

type ErrorOptions = Pick<Services, 'providers' | 'publicUrl' | 'bearers' | 'loginUrl' | 'pageContexts'>

/** The one place where an error becomes a response: a problem document, or for a browser that prefers HTML a page that says the same. */
export function createErrorResponder({ providers, publicUrl, bearers, loginUrl, pageContexts }: ErrorOptions): ErrorResponder {
  function settingsOf(error: GatewayError, request: FastifyRequest) {
    const provider = error.provider ?? configOf(request).provider ?? providerIn(request.params)
    return provider === undefined ? undefined : providers.get(provider)
  }

  /** RFC 6750 §3. A browser without a session is not told about tokens that it does not have. */
  function challengeOf({ code }: GatewayError): string | undefined {
    if (code === 'token_invalid') return 'Bearer error="invalid_token"'
    return code === 'user_required' && bearers && loginUrl === undefined ? 'Bearer' : undefined
  }

  return (thrown, request, reply) => {
    const error = thrown instanceof GatewayError ? thrown : translate(thrown)
    const settings = settingsOf(error, request)
    if (error.status >= 500) log(request, error, settings?.definition.name)
    const problem = problemOf(error, { requestId: request.id, settings, publicUrl, loginUrl })
    reply.code(problem.status).header('grantkeeper-error', problem.code)
    if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter))
    const challenge = error.status === 401 ? challengeOf(error) : undefined
    if (challenge !== undefined) reply.header('www-authenticate', challenge)
    if (error.allow) reply.header('allow', error.allow.join(', '))
    if (prefersPage(request.headers)) return sendPage(reply, pageContexts, context => errorPage(context, problem, settings?.definition))
    return reply.type('application/problem+json').send(JSON.stringify(problem))
  }
}

async function errors(app: FastifyInstance, { sendError }: { sendError: ErrorResponder }) {
  app.setErrorHandler<Error>(sendError)

  app.setNotFoundHandler(request => {
    if (!app.supportedMethods.includes(request.method))
      throw new GatewayError('method_not_allowed', `${request.method} is not a method of this gateway.`, { allow: [] })
    throw new GatewayError('not_found', 'There is nothing at this address. Calls to a provider go to /proxy/PROVIDER/….')
  })
}

/** A request whose URL could not be decoded has no route. */
const configOf = (request: FastifyRequest): FastifyContextConfig => request.routeOptions?.config ?? {}

/** Errors of the store and of the identity provider, whose causes are in our words. */
const explained: ReadonlySet<ErrorCode> = new Set(['store_unavailable', 'issuer_unavailable', 'client_rejected'])

/**
 * Names and codes only: messages and properties of a library's error may hold what was sent, the client secret included. The store's own
 * errors are in our words, and say what is wrong with it.
 */
function log(request: FastifyRequest, error: GatewayError, provider: string | undefined): void {
  const { cause } = error
  const token = cause instanceof TokenEndpointError ? cause : undefined
  const reason = explained.has(error.code) && cause instanceof Error && !token ? cause.message : undefined
  const facts = token && { kind: token.kind, status: token.details.status }
  const loggedCause =
    cause instanceof Error ? { name: cause.name, code: (cause as NodeJS.ErrnoException).code, ...facts, reason } : undefined
  const stack = error.code === 'internal_error' && cause instanceof Error ? stackFrames(cause) : undefined
  // Only the operator can end what concerns their own client.
  const isOperators = error.code === 'internal_error' || (error.code === 'client_rejected' && !token)
  request.log[isOperators ? 'error' : 'warn'](
    { code: error.code, provider, cause: loggedCause, stack },
    // Its message is ours, and more exact than the title.
    token?.message ?? error.title
  )
}

/** Fastify's own errors, in our words. */
function translate(error: Error & Partial<FastifyError>): GatewayError {
  if (error.code === 'FST_ERR_BAD_URL')
    return new GatewayError('path_rejected', 'The path holds a percent sign that begins no valid encoding.', { cause: error })
  if (error.code === 'FST_ERR_MAX_PARAM_LENGTH')
    return new GatewayError('provider_unknown', 'There is no provider of this name.', { cause: error })
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new GatewayError('body_too_large', 'The body is larger than this route takes.', { cause: error })
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new GatewayError('header_rejected', 'The Content-Type is not one that this route takes.', { cause: error })
  if (typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500) {
    return new GatewayError('request_malformed', 'The request could not be read. Check its body and headers.', { cause: error })
  }
  return new GatewayError('internal_error', 'This is an error in Grantkeeper. Give the request id to its operator.', { cause: error })
}

/** Of a proxied request too, whose segment may name an account and a base (`plugins/routes/proxy/target.ts`). */
const providerIn = (params: unknown): string | undefined => (params as { provider?: string } | undefined)?.provider?.split(/[@~]/, 1)[0]

export default fp(errors, { name: 'errors' })

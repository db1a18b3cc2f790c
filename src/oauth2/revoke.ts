import { RevocationError } from '../core/oauth/revocation-error.ts'
import type { RevocableGrant, TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import { TokenEndpointError } from '../core/oauth/token-response.ts'
import type { OAuth2Method } from '../core/provider/definition.ts'
import type { RequestTemplate } from '../core/provider/request-template.ts'
import { requestVariables } from '../core/provider/request-variables.ts'
import { type Variables, variablesIn } from '../core/provider/template.ts'
import { expandRequest, type OwnRequest, ownRequest, type SendRequest } from './send-request.ts'
import { orThrow } from './template-errors.ts'
import type { TokenEndpointOptions } from './token-endpoint.ts'

/** What simple-oauth2 throws: a Boom error around the server's response. */
type ClientError = { output?: { statusCode?: number }; data?: { isResponseError?: boolean; payload?: unknown } | null }

/** Revokes by RFC 7009 or by the vendor's own request. A success whose body says that it failed counts as a failure. */
export function createRevoke(options: TokenEndpointOptions, refresh: TokenEndpoint['refresh']): TokenEndpoint['revoke'] {
  const { method, resolve, client, authentication, instanceOf, sendRequest, lookupFor, timeouts } = options
  const timeoutMs = timeouts.exchangeMs

  async function revokeByPackage(known: OAuth2Method, revokeUrl: string, { token, type }: RevocableGrant): Promise<void> {
    const { oauth2 } = await instanceOf(known)()
    const client = oauth2.createToken({ [type]: token.reveal() })
    // Not parsed as JSON: by RFC 7009 §2.2 the body of a success is empty or meaningless. A redirect is not followed and counts as a failure.
    const http = { lookup: lookupFor(revokeUrl), timeout: timeoutMs, json: false, redirects: 0 } as const
    const body = await client.revoke(type, http).catch(error => {
      throw failureOf(error as ClientError, token.reveal())
    })
    assertSuccess(200, body, token.reveal())
  }

  /** RFC 7009 with a signed assertion, which the package has no place for. */
  async function revokeWithAssertion(known: OAuth2Method, url: string, { token, type }: RevocableGrant): Promise<void> {
    const { params, headers } = await authentication.proof(known.tokenUrl)
    const form = { token: token.reveal(), token_type_hint: type, ...params }
    await sendRevocation(
      sendRequest,
      ownRequest({ url, method: 'POST', format: 'form', params: form, headers: { ...known.tokenHeaders, ...headers } }),
      timeoutMs,
      { sent: token.reveal() }
    )
  }

  /**
   * An access token that has expired ends no grant where the vendor takes it to revoke: it is renewed for that.
   * @throws {RevocationError} with the new tokens, where the second attempt failed
   */
  async function revokingRenewed(grant: RevocableGrant, template: RequestTemplate, revoke: (grant: RevocableGrant) => Promise<void>) {
    try {
      await revoke(grant)
    } catch (error) {
      const isExpired = error instanceof RevocationError && error.isGone && grant.type === 'refresh_token'
      if (!isExpired || requestVariables(template).has('refresh_token')) throw error
      const renewed = await renew(grant)
      await revoke(renewed).catch(error => {
        if (error instanceof RevocationError) error.renewed = renewed
        throw error
      })
    }
  }

  async function renew(grant: RevocableGrant): Promise<RevocableGrant> {
    const { token, accessToken = token } = grant
    try {
      const { accessToken: next, refreshToken = token } = await refresh({ ...grant, credential: accessToken, refreshToken: token })
      return { ...grant, token: refreshToken, accessToken: next }
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      throw new RevocationError('the access token to revoke with could not be renewed', {
        status: error.details.status,
        isGone: error.isInvalidGrant
      })
    }
  }

  return async grant => {
    const variables = { ...grant.parameters, ...grant.values }
    const known = await orThrow(unknownValue, async () => resolve(variables))
    const { revokeRequest } = method
    if (revokeRequest) {
      const secret = await authentication.secret(known.tokenUrl)
      const sent = { ...variables, client_id: client.id, client_secret: secret }
      return revokingRenewed(grant, revokeRequest, current => revokeByTemplate(sendRequest, revokeRequest, current, sent, timeoutMs))
    }
    const { revokeUrl } = known
    if (revokeUrl === undefined) return
    if (variablesIn(revokeUrl).length > 0) throw unknownValue()
    return method.clientAssertion ? revokeWithAssertion(known, revokeUrl, grant) : revokeByPackage(known, revokeUrl, grant)
  }
}

/** Sends the vendor's own form of a revocation; nothing for a grant without a token that it needs. @throws {RevocationError} */
export async function revokeByTemplate(
  sendRequest: SendRequest,
  template: RequestTemplate,
  { token, type, accessToken = type === 'access_token' ? token : undefined, key }: RevocableGrant,
  variables: Variables,
  timeoutMs: number
): Promise<void> {
  const tokens = {
    ...(accessToken && { access_token: accessToken.reveal() }),
    ...(type === 'refresh_token' && { refresh_token: token.reveal() }),
    ...(key && { key: key.reveal() })
  }
  const needed = requestVariables(template)
  if (['access_token', 'refresh_token'].some(name => needed.has(name) && !Object.hasOwn(tokens, name))) return
  const isBearer = Object.values(template.headers ?? {}).some(header => variablesIn(header).includes('access_token'))
  const request = await orThrow(unknownValue, async () => expandRequest(template, { ...variables, ...tokens }))
  await sendRevocation(sendRequest, request, timeoutMs, {
    sent: token.reveal(),
    goneStatuses: isBearer ? [401, 404, 410] : [404, 410]
  })
}

type Expected = {
  readonly sent: string
  /** Statuses that say that the token is invalid already. */
  readonly goneStatuses?: readonly number[]
}

async function sendRevocation(sendRequest: SendRequest, request: OwnRequest, timeoutMs: number, { sent, goneStatuses = [] }: Expected) {
  const { status, body } = await sendRequest(request, timeoutMs).catch(error => {
    throw error instanceof TokenEndpointError ? new RevocationError(unreachable) : error
  })
  if (status >= 200 && status < 300) return assertSuccess(status, body, sent)
  throw new RevocationError('the provider refused', { status, code: readResult(body, sent).code, isGone: goneStatuses.includes(status) })
}

function assertSuccess(status: number, body: unknown, sent: string): void {
  const { isFailure, code } = readResult(body, sent)
  if (isFailure) throw new RevocationError(`the provider reported a failure in a ${status} response`, { status, code })
}

const unreachable = 'the revocation endpoint could not be reached, or its response could not be read'

/** The definition has changed since the connection was made. */
const unknownValue = () => new RevocationError('the request needs a value that the connection was made without', { isFinal: true })

function failureOf({ output, data }: ClientError, sent: string): RevocationError {
  const status = output?.statusCode
  if (!data?.isResponseError) return new RevocationError(unreachable)
  return new RevocationError('the provider refused', { status, code: readResult(data.payload, sent).code })
}

/**
 * Reads a response in JSON or as a form, whatever its Content-Type. Logs show the code, so it is left out unless it is a plain word that
 * holds nothing of what was sent.
 */
function readResult(body: unknown, sent: string): { isFailure: boolean; code: string | undefined } {
  const text = Buffer.isBuffer(body) ? body.toString() : typeof body === 'string' ? body : JSON.stringify(body ?? null)
  const { error, ok, success } = parseFields(text.replace(/^\ufeff/, '').trim())
  const code = typeof error === 'string' && /^[\w.-]{1,64}$/.test(error) && !error.includes(sent) ? error : undefined
  const hasError = error !== undefined && error !== null && error !== false && error !== ''
  return { isFailure: ok === false || success === false || hasError, code }
}

function parseFields(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return /^error=/.test(text) ? Object.fromEntries(new URLSearchParams(text)) : {}
  }
}

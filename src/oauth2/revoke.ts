import { RevocationError } from '../core/oauth/revocation-error.ts'
import type { RevocableToken, TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method } from '../core/provider/definition.ts'
import type { OpenOAuth2Client } from './client.ts'

/** What simple-oauth2 throws: a Boom error around the server's response. */
type ClientError = { output?: { statusCode?: number }; data?: { isResponseError?: boolean; payload?: unknown } | null }

/** Revokes by RFC 7009. A 200 whose body says that it failed counts as a failure. */
export const createRevoke =
  (openClient: OpenOAuth2Client, { revokeUrl }: OAuth2Method, lookupFor: LookupFor, timeoutMs: number): TokenEndpoint['revoke'] =>
  async ({ token, type }) => {
    if (revokeUrl === undefined) return
    const { oauth2 } = await openClient()
    const client = oauth2.createToken({ [type]: token.reveal() })
    // Not parsed as JSON: by RFC 7009 §2.2 the body of a success is empty or meaningless. A redirect is not followed and counts as a failure.
    const http = { lookup: lookupFor(revokeUrl), timeout: timeoutMs, json: false, redirects: 0 } as const
    const body = await client.revoke(type, http).catch(error => {
      throw failureOf(error as ClientError, token)
    })
    const { isFailure, code } = readResult(body, token)
    if (isFailure) throw new RevocationError('the provider reported a failure in a 200 response', { status: 200, code })
  }

function failureOf({ output, data }: ClientError, token: RevocableToken['token']): RevocationError {
  const status = output?.statusCode
  if (!data?.isResponseError) return new RevocationError('the revocation endpoint could not be reached, or its response could not be read')
  return new RevocationError('the provider refused', { status, code: readResult(data.payload, token).code })
}

/**
 * Reads a response in JSON or as a form, whatever its Content-Type. Logs show the code, so it is left out unless it is a plain word that
 * holds nothing of what was sent.
 */
function readResult(body: unknown, token: RevocableToken['token']): { isFailure: boolean; code: string | undefined } {
  const text = Buffer.isBuffer(body) ? body.toString() : typeof body === 'string' ? body : JSON.stringify(body ?? null)
  const { error, ok, success } = parseFields(text.replace(/^\ufeff/, '').trim())
  const code = typeof error === 'string' && /^[\w.-]{1,64}$/.test(error) && !error.includes(token.reveal()) ? error : undefined
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

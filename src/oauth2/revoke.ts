import { RevocationError } from '../core/oauth/revocation-error.ts'
import type { RevocableToken, TokenEndpoint } from '../core/oauth/token-endpoint.ts'
import type { LookupFor } from '../core/ports.ts'
import type { OAuth2Method } from '../core/provider/provider.ts'
import type { OpenOAuth2Client } from './client.ts'

/** The parts that its errors have: Boom around what came from the server. */
type ClientError = { output?: { statusCode?: number }; data?: { isResponseError?: boolean; payload?: unknown } | null }

/** RFC 7009, by a provider's `@fastify/oauth2` instance. A 200 that says no is no yes. */
export const createRevoke =
  (openClient: OpenOAuth2Client, { revokeUrl }: OAuth2Method, lookupFor: LookupFor, timeoutMs: number): TokenEndpoint['revoke'] =>
  async ({ token, type }) => {
    if (revokeUrl === undefined) return
    const { oauth2 } = await openClient()
    const client = oauth2.createToken({ [type]: token.reveal() })
    // As bytes: RFC 7009 §2.2 leaves the body of a success empty or without meaning. A redirect is neither followed nor a success.
    const http = { lookup: lookupFor(revokeUrl), timeout: timeoutMs, json: false, redirects: 0 } as const
    const body = await client.revoke(type, http).catch(error => {
      throw failureOf(error as ClientError, token)
    })
    const { isNo, code } = refusalIn(body, token)
    if (isNo) throw new RevocationError('the provider said no inside a success', { status: 200, code })
  }

function failureOf({ output, data }: ClientError, token: RevocableToken['token']): RevocationError {
  const status = output?.statusCode
  if (!data?.isResponseError) return new RevocationError('the revocation endpoint could not be reached, or its response could not be read')
  return new RevocationError('the provider refused', { status, code: refusalIn(data.payload, token).code })
}

/**
 * What the body of a response says against it, in JSON or as a form, whatever its label. A code is shown in logs: one that is no
 * plain word, or holds what was sent, is left out.
 */
function refusalIn(body: unknown, token: RevocableToken['token']): { isNo: boolean; code: string | undefined } {
  const text = Buffer.isBuffer(body) ? body.toString() : typeof body === 'string' ? body : JSON.stringify(body ?? null)
  const values = fieldsOf(text.replace(/^\ufeff/, '').trim())
  const said = values.error
  const code = typeof said === 'string' && /^[\w.-]{1,64}$/.test(said) && !said.includes(token.reveal()) ? said : undefined
  const hasError = said !== undefined && said !== null && said !== false && said !== ''
  return { isNo: values.ok === false || values.success === false || hasError, code }
}

function fieldsOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return /^error=/.test(text) ? Object.fromEntries(new URLSearchParams(text)) : {}
  }
}

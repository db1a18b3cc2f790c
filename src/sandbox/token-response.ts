import type { Context } from 'oidc-provider/lib/provider.js'
import type { VendorState } from './state.ts'
import type { Switches } from './switches.ts'
import { faultApplies } from './token-request.ts'

type TokenResponseOptions = {
  readonly state: VendorState
  readonly hasScopes: boolean
  readonly wasConsumed: (refreshToken: string) => boolean
}

/** Counts the results of oidc-provider's token requests and alters its responses as the switches say. */
export function alterTokenResponse(ctx: Context, { state, hasScopes, wasConsumed }: TokenResponseOptions): void {
  const { switches, counts } = state
  const { grant_type: grantType = '', refresh_token: refreshToken = '' } = ctx.oidc?.params ?? {}
  const body = (ctx.body ?? {}) as Record<string, unknown>
  if (body.error === 'invalid_grant' && grantType === 'refresh_token') {
    counts.refusedRefreshes++
    if (wasConsumed(refreshToken)) counts.reuses++
  }
  if (switches.dropTokenResponse && faultApplies(switches, grantType)) {
    ctx.respond = false
    ctx.req.socket.destroy()
  } else if (body.access_token !== undefined) {
    const response = alterFields(body, switches, hasScopes)
    ctx.body = response
    if (switches.tokenResponseFormat !== 'json')
      ctx.body = Buffer.from(switches.tokenResponseFormat === 'text' ? JSON.stringify(response) : encodeForm(response))
    if (switches.tokenResponseFormat === 'text') ctx.response.set({ 'content-type': 'text/plain; charset=utf-8' })
    if (switches.tokenResponseFormat === 'form') ctx.response.set({ 'content-type': 'application/x-www-form-urlencoded' })
  }
}

const encodeForm = (response: object): string =>
  new URLSearchParams(Object.entries(response).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()

function alterFields(
  body: Record<string, unknown>,
  { omitExpiresIn, omitRefreshToken, omitScope, tokenType }: Switches,
  hasScopes: boolean
) {
  const { access_token, token_type, expires_in, refresh_token, scope } = body
  return {
    access_token,
    token_type: tokenType ?? token_type,
    ...(!omitExpiresIn && { expires_in }),
    ...(!omitRefreshToken && { refresh_token }),
    ...(!omitScope && hasScopes && { scope })
  }
}

import type { Context } from 'oidc-provider/lib/provider.js'
import type { VendorState } from './state.ts'
import type { Switches } from './switches.ts'
import { isAimedAt } from './token-request.ts'

type Parts = { readonly state: VendorState; readonly hasScopes: boolean; readonly wasSpent: (refreshToken: string) => boolean }

/** Counts what oidc-provider made of a token request and bends its answer as the switches say. */
export function bendTokenAnswer(ctx: Context, { state, hasScopes, wasSpent }: Parts): void {
  const { switches, counts } = state
  const { grant_type: grantType = '', refresh_token: refreshToken = '' } = ctx.oidc?.params ?? {}
  const body = (ctx.body ?? {}) as Record<string, unknown>
  if (body.error === 'invalid_grant' && grantType === 'refresh_token') {
    counts.refusedRefreshes++
    if (wasSpent(refreshToken)) counts.reuses++
  }
  if (switches.answerLost && isAimedAt(switches, grantType)) {
    ctx.respond = false
    ctx.req.socket.destroy()
  } else if (body.access_token !== undefined) {
    const answer = bent(body, switches, hasScopes)
    ctx.body = answer
    if (switches.tokenAnswerAs !== 'json')
      ctx.body = Buffer.from(switches.tokenAnswerAs === 'text' ? JSON.stringify(answer) : formOf(answer))
    if (switches.tokenAnswerAs === 'text') ctx.response.set({ 'content-type': 'text/plain; charset=utf-8' })
    if (switches.tokenAnswerAs === 'form') ctx.response.set({ 'content-type': 'application/x-www-form-urlencoded' })
  }
}

const formOf = (answer: object): string =>
  new URLSearchParams(Object.entries(answer).filter((entry): entry is [string, string] => entry[1] !== undefined)).toString()

function bent(body: Record<string, unknown>, { omitExpiresIn, omitRefreshToken, omitScope, tokenType }: Switches, hasScopes: boolean) {
  const { access_token, token_type, expires_in, refresh_token, scope } = body
  return {
    access_token,
    token_type: tokenType ?? token_type,
    ...(!omitExpiresIn && { expires_in }),
    ...(!omitRefreshToken && { refresh_token }),
    ...(!omitScope && hasScopes && { scope })
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider/lib/provider.js'
import { type Client, createAuthorizationServer, scopesOf } from './authorization-server.ts'
import { createConsentHandler } from './consent.ts'
import type { GrantStore } from './grant-store.ts'
import { pause, readBody, sendJson, splitTarget } from './http.ts'
import type { VendorState } from './state.ts'
import { faultApplies, readTokenRequest, tokenFaults } from './token-request.ts'
import { alterTokenResponse } from './token-response.ts'
import type { Vendor } from './vendor.ts'

type VendorOAuthOptions = {
  readonly vendor: Vendor
  readonly issuer: string
  readonly client: Client
  readonly state: VendorState
  readonly store: GrantStore
  readonly report: (error: unknown) => void
}

export type VendorOAuth = {
  /** `target` is the request target below the issuer. */
  handle(req: IncomingMessage, res: ServerResponse, target: string): Promise<void>
  isValidToken(accessToken: string): Promise<boolean>
}

/** A vendor's OAuth endpoints: oidc-provider, with the vendor's quirks and the switches applied to its requests and responses. */
export function createVendorOAuth({ vendor, issuer, client, state, store, report }: VendorOAuthOptions): VendorOAuth {
  const { switches, counts } = state
  const provider = createAuthorizationServer({ vendor, issuer, client, switches, store })
  const mount = new URL(issuer).pathname
  const interact = createConsentHandler(provider, vendor)
  const hasScopes = Object.keys(vendor.oauth.scopes).length > 0

  provider.use(async (ctx, next) => {
    await next()
    if (ctx.path === '/token') alterTokenResponse(ctx, { state, hasScopes, wasConsumed: store.wasConsumed })
    if (switches.omitIss) ctx.response.set(withoutIss(ctx.response.get('location')))
  })
  reportErrors(provider, report)
  const respond = provider.callback()

  function forward(req: IncomingMessage, res: ServerResponse, target: string) {
    // oidc-provider derives its mount path from the difference of the two.
    Object.assign(req, { originalUrl: mount + target, url: target })
    return respond(req, res)
  }

  async function token(req: IncomingMessage, res: ServerResponse, target: string) {
    const request = await readTokenRequest(req, vendor.oauth.acceptsJson === true)
    if (!request) return sendJson(res, 400, { error: 'invalid_request', error_description: 'the body must be an object of strings' })
    const { grantType, form } = request
    counts.tokenRequests[grantType] = (counts.tokenRequests[grantType] ?? 0) + 1
    if (switches.tokenDelayMs > 0 && !(await pause(switches.tokenDelayMs, res))) return
    if (switches.tokenFault && faultApplies(switches, grantType)) return tokenFaults[switches.tokenFault](res)
    await forward(form, res, target)
  }

  async function revoke(req: IncomingMessage, res: ServerResponse, target: string) {
    counts.revocations++
    if (switches.revokeStatus === 200) return await forward(req, res, target)
    await readBody(req)
    sendJson(res, switches.revokeStatus, { error: 'temporarily_unavailable' })
  }

  const postRoutes = new Map([
    ['/token', token],
    ['/revoke', revoke]
  ])

  return {
    async handle(req, res, target) {
      const { path, search } = splitTarget(target)
      if (path.startsWith('/interaction/')) return await interact(req, res)
      if (path === '/authorize') return await forward(req, res, path + withScopes(search, vendor))
      const post = req.method === 'POST' ? postRoutes.get(path) : undefined
      if (!post) return await forward(req, res, target)
      // These vendors accept only client_secret_post; oidc-provider would accept Basic as well.
      if (req.headers.authorization === undefined) return await post(req, res, target)
      await readBody(req)
      sendJson(res, 401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="client_secret_post only"' })
    },
    async isValidToken(accessToken) {
      const found = await provider.AccessToken.find(accessToken)
      // A grant that was revoked while this token was being saved invalidates the token.
      return found !== undefined && (await provider.Grant.find(found.grantId)) !== undefined
    }
  }
}

/** Converts the vendor's scope syntax to the standard's. A request without scopes gets all (RFC 6749 §3.3). */
function withScopes(search: string, vendor: Vendor): string {
  const query = new URLSearchParams(search)
  if (query.getAll('scope').length > 1) return search
  const scopes = query.get('scope')?.replaceAll(vendor.oauth.scopeSeparator ?? ' ', ' ')
  query.set('scope', scopes || scopesOf(vendor).join(' '))
  return `?${query}`
}

function withoutIss(location: string): Record<string, string> {
  const url = URL.parse(location)
  url?.searchParams.delete('iss')
  return url ? { location: url.href } : {}
}

function reportErrors(provider: Provider, report: (error: unknown) => void) {
  provider.on('server_error', (_ctx, error) => report(error))
  // Koa also emits `error` for a client that disconnected.
  provider.on('error', (error, ctx) => {
    if (!ctx?.res.destroyed) report(error)
  })
}

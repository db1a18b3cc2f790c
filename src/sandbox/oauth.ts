import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Provider } from 'oidc-provider/lib/provider.js'
import { authorizationServer, type Client, scopesOf } from './authorization-server.ts'
import { consent } from './consent.ts'
import type { GrantStore } from './grant-store.ts'
import { pause, readBody, sendJson, splitTarget } from './http.ts'
import type { VendorState } from './state.ts'
import { isAimedAt, readTokenRequest, tokenFaults } from './token-request.ts'
import { bendTokenAnswer } from './token-response.ts'
import type { Vendor } from './vendor.ts'

type Parts = {
  readonly vendor: Vendor
  readonly issuer: string
  readonly client: Client
  readonly state: VendorState
  readonly store: GrantStore
  readonly report: (error: unknown) => void
}

export type OAuth = {
  /** `target` is the request target below the issuer. */
  handle(req: IncomingMessage, res: ServerResponse, target: string): Promise<void>
  isGoodToken(accessToken: string): Promise<boolean>
}

/** A vendor's OAuth addresses: oidc-provider with the vendor's quirks in front of it and the switches around it. */
export function vendorOAuth({ vendor, issuer, client, state, store, report }: Parts): OAuth {
  const { switches, counts } = state
  const provider = authorizationServer({ vendor, issuer, client, switches, store })
  const mount = new URL(issuer).pathname
  const interact = consent(provider, vendor)
  const hasScopes = Object.keys(vendor.oauth.scopes).length > 0

  provider.use(async (ctx, next) => {
    await next()
    if (ctx.path === '/token') bendTokenAnswer(ctx, { state, hasScopes, wasSpent: store.wasSpent })
    if (switches.omitIss) ctx.response.set(withoutIss(ctx.response.get('location')))
  })
  reportErrors(provider, report)
  const respond = provider.callback()

  function passOn(req: IncomingMessage, res: ServerResponse, target: string) {
    // oidc-provider learns where it is mounted by comparing the two.
    Object.assign(req, { originalUrl: mount + target, url: target })
    return respond(req, res)
  }

  async function token(req: IncomingMessage, res: ServerResponse, target: string) {
    const request = await readTokenRequest(req, vendor.oauth.acceptsJson === true)
    if (!request) return sendJson(res, 400, { error: 'invalid_request', error_description: 'the body must be an object of texts' })
    const { grantType, form } = request
    counts.tokenRequests[grantType] = (counts.tokenRequests[grantType] ?? 0) + 1
    if (switches.tokenDelayMs > 0 && !(await pause(switches.tokenDelayMs, res))) return
    if (switches.tokenFault && isAimedAt(switches, grantType)) return tokenFaults[switches.tokenFault](res)
    await passOn(form, res, target)
  }

  async function revoke(req: IncomingMessage, res: ServerResponse, target: string) {
    counts.revocations++
    if (switches.revokeStatus === 200) return await passOn(req, res, target)
    await readBody(req)
    sendJson(res, switches.revokeStatus, { error: 'temporarily_unavailable' })
  }

  const posts = new Map([
    ['/token', token],
    ['/revoke', revoke]
  ])

  return {
    async handle(req, res, target) {
      const { path, search } = splitTarget(target)
      if (path.startsWith('/interaction/')) return await interact(req, res)
      if (path === '/authorize') return await passOn(req, res, path + withScopes(search, vendor))
      const post = req.method === 'POST' ? posts.get(path) : undefined
      if (!post) return await passOn(req, res, target)
      // These vendors take client_secret_post and nothing else; oidc-provider would take Basic as well.
      if (req.headers.authorization === undefined) return await post(req, res, target)
      await readBody(req)
      sendJson(res, 401, { error: 'invalid_client' }, { 'www-authenticate': 'Basic realm="client_secret_post only"' })
    },
    async isGoodToken(accessToken) {
      const found = await provider.AccessToken.find(accessToken)
      // A grant that fell while this token was being written takes it along.
      return found !== undefined && (await provider.Grant.find(found.grantId)) !== undefined
    }
  }
}

/** The vendor's way to write scopes, turned into the standard's. None asked for: all (RFC 6749 §3.3). */
function withScopes(search: string, vendor: Vendor): string {
  const query = new URLSearchParams(search)
  if (query.getAll('scope').length > 1) return search
  const asked = query.get('scope')?.replaceAll(vendor.oauth.scopeSeparator ?? ' ', ' ')
  query.set('scope', asked || scopesOf(vendor).join(' '))
  return `?${query}`
}

function withoutIss(location: string): Record<string, string> {
  const url = URL.parse(location)
  url?.searchParams.delete('iss')
  return url ? { location: url.href } : {}
}

function reportErrors(provider: Provider, report: (error: unknown) => void) {
  provider.on('server_error', (_ctx, error) => report(error))
  // Koa also says `error` of a client that went away.
  provider.on('error', (error, ctx) => {
    if (!ctx?.res.destroyed) report(error)
  })
}

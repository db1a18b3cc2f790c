import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { checkAccount } from '../../../src/core/connections/check-account.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { createFlow, evictedFlows, newSessionOwner } from '../../../src/core/flow.ts'
import { parseReturnTo } from '../../../src/core/guards/return-to.ts'
import { parseSignInParams, type SignInParams } from '../../../src/core/oauth/sign-in-params.ts'
import { newId } from '../../../src/core/session.ts'
import { connectedUrl } from '../../../src/pages/connect-methods.ts'
import { refuseEmbedded } from '../../hooks/navigation.ts'
import { sendConnectPage } from '../send-connect-page.ts'
import type { ProviderRouteOptions } from './options.ts'

type StartQuery = { return_to?: unknown; account?: unknown; login_hint?: unknown; prompt?: unknown; scopes?: unknown }

/** `GET /auth/NAME`: begins a sign-in and redirects the browser to the provider. */
export async function start(app: FastifyInstance, options: ProviderRouteOptions) {
  const { definition, client, oauthProvider, publicOrigin, basePath, allowedOrigins, clock } = options
  const { name } = definition

  app.get<{ Querystring: StartQuery }>(
    `/auth/${name}`,
    { exposeHeadRoute: false, config: { provider: name, signInFirst: true } },
    async (request, reply) => {
      const returnTo = (fallback: string) => parseReturnTo(request.query.return_to, fallback, publicOrigin.origin, allowedOrigins)
      refuseEmbedded(request)
      // Any site can send a browser here, and a provider that remembers the consent does not ask: the user has to confirm on our page.
      if (request.headers['sec-fetch-site'] !== 'cross-site')
        return begin(request, reply, returnTo(`${basePath}/`), paramsOf(request.query))
      const { account } = paramsOf(request.query)
      return sendConnectPage(options, request, reply, name, { returnTo: returnTo(connectedUrl(name, basePath, account)), account })
    }
  )

  const paramsOf = ({ account, login_hint: loginHint, prompt, scopes }: StartQuery) =>
    parseSignInParams({ account, loginHint, prompt, scopes }, client.scopes)

  async function begin(
    request: FastifyRequest,
    reply: FastifyReply,
    returnTo: string,
    { account, scopes, loginHint, prompt }: SignInParams
  ): Promise<FastifyReply> {
    await request.consumeRateLimit('sign-in')

    const opened = await request.open()
    if (opened?.session) request.touch(opened)
    if (request.hasBearer) throw beginsByPost(name)
    // A browser without a session gets one at its callback. Its tabs share the owner, so that they end in one session.
    const owner = opened?.owner ?? newSessionOwner(request.flows) ?? newId()
    if (account !== undefined) checkAccount((await request.openAll())?.connections, definition, account)
    const startsSession = opened === undefined
    const optional = { ...(account !== undefined && { account }), ...(scopes && { scopes }) }
    const flow = createFlow({ provider: name, returnTo, owner, startsSession, ...optional }, clock.now())

    const url = await oauthProvider.authorizeUrl(flow, { loginHint, prompt })
    return reply.clearFlowCookies(evictedFlows(request.flows, flow)).setFlowCookie(flow).redirect(url, 302)
  }
}

/** The callback would come without the bearer, and what it brings would belong to nobody. */
const beginsByPost = (provider: string) =>
  new GatewayError('method_not_allowed', `With a bearer a sign-in begins by POST /auth/${provider}, which gives a link for the browser.`, {
    allow: ['POST']
  })

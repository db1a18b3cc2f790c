import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { checkAccount } from '../../../src/core/connections/check-account.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { createFlow, evictedFlows, type Flow, newSessionOwner } from '../../../src/core/flow.ts'
import { parseReturnTo } from '../../../src/core/guards/return-to.ts'
import {
  checkedParameters,
  missingParameters,
  parametersIn,
  parseSignInParams,
  type SignInParams,
  signInQuery
} from '../../../src/core/oauth/sign-in-params.ts'
import { findProvider } from '../../../src/core/provider/find-provider.ts'
import { newId } from '../../../src/core/session.ts'
import { connectedUrl, connectPageUrl } from '../../../src/pages/connect-methods.ts'
import { isNavigation, refuseEmbedded } from '../../hooks/navigation.ts'
import { sendConnectPage } from '../send-connect-page.ts'
import type { ProviderRouteOptions } from './options.ts'

/** The parameters of the provider's definition too, by their names. */
type StartQuery = { return_to?: unknown; account?: unknown; login_hint?: unknown; prompt?: unknown; scopes?: unknown }

/** `GET /auth/NAME`: begins a sign-in and redirects the browser to the provider. */
export async function start(app: FastifyInstance, options: ProviderRouteOptions) {
  const { providers, definition, client, oauthProvider, site, publicOrigin, basePath, allowedOrigins, clock } = options
  const { name } = definition
  const settings = findProvider(providers, name)

  app.get<{ Querystring: StartQuery }>(
    `/auth/${name}`,
    { exposeHeadRoute: false, config: { provider: name, signInFirst: true } },
    async (request, reply) => {
      const { return_to, account: rawAccount, login_hint: loginHint, prompt, scopes } = request.query
      const returnTo = (fallback: string) => parseReturnTo(return_to, fallback, publicOrigin.origin, allowedOrigins)
      refuseEmbedded(request)
      const params = parseSignInParams({ account: rawAccount, loginHint, prompt, scopes }, client.scopes)
      const { account } = params
      const given = parametersIn(request.query, settings)
      const page = { account, signInQuery: signInQuery(params), given }
      // Any site can send a browser here, and a provider that remembers the consent does not ask: the user has to confirm on our page.
      if (request.headers['sec-fetch-site'] === 'cross-site')
        return sendConnectPage(options, request, reply, name, { ...page, returnTo: returnTo(connectedUrl(name, basePath, account)) })
      if (isNavigation(request) && missingParameters(definition, given).length > 0)
        return reply.redirect(connectPageUrl(name, site, { ...page, returnTo: returnTo('') }), 303)
      const checked = checkedParameters(settings, given)
      if (!(checked instanceof GatewayError)) return begin(request, reply, returnTo(`${basePath}/`), { ...params, ...checked })
      if (!isNavigation(request) || !Object.hasOwn(definition.parameters ?? {}, checked.parameter ?? '')) throw checked
      // The form says what is wrong with which field, and keeps what was typed.
      return sendConnectPage(options, request, reply, name, {
        ...page,
        returnTo: returnTo(connectedUrl(name, basePath, account)),
        problem: checked
      })
    }
  )

  async function begin(
    request: FastifyRequest,
    reply: FastifyReply,
    returnTo: string,
    { account, scopes, loginHint, prompt, parameters }: SignInParams & Pick<Flow, 'parameters'>
  ): Promise<FastifyReply> {
    await request.consumeRateLimit('sign-in')

    const opened = await request.open()
    if (opened?.session) request.touch(opened)
    if (request.hasBearer) throw beginsByPost(name)
    // A browser without a session gets one at its callback. Its tabs share the owner, so that they end in one session.
    const owner = opened?.owner ?? newSessionOwner(request.flows) ?? newId()
    if (account !== undefined) checkAccount((await request.openAll())?.connections, definition, account)
    const startsSession = opened === undefined
    const optional = { ...(account !== undefined && { account }), ...(scopes && { scopes }), ...(parameters && { parameters }) }
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

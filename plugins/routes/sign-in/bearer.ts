import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { checkAccount } from '../../../src/core/connections/check-account.ts'
import { connectionView } from '../../../src/core/connections/view.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { createFlow, evictedFlows, type Flow } from '../../../src/core/flow.ts'
import { appendParams } from '../../../src/core/guards/return-to.ts'
import type { SignInLink } from '../../../src/core/oauth/connect-codes.ts'
import { checkedParameters, parametersIn } from '../../../src/core/oauth/sign-in-params.ts'
import { leadsToProvider } from '../../../src/core/oauth/user-sign-ins.ts'
import type { ProviderSettings } from '../../../src/core/provider/definition.ts'
import { findProvider } from '../../../src/core/provider/find-provider.ts'
import { asksUsers } from '../../../src/core/provider/parse-parameters.ts'
import { parseGivenKey } from '../../../src/core/proxy/api-key.ts'
import type { UserPrincipal } from '../../../src/core/users/principal.ts'
import { userRequired } from '../../../src/core/users/user.ts'
import { connectPage } from '../../../src/pages/connect-page.ts'
import { refuseEmbedded } from '../../hooks/navigation.ts'
import { sendPage } from '../../send-page.ts'
import { textsOf } from '../send-connect-page.ts'
import type { BearerSignInOptions } from './options.ts'

type ByToken = { Params: { token: string }; Querystring: { method?: unknown } }

/**
 * A sign-in that a bearer begins and the same user's bearer completes. The browser in between needs no session here, and its pages may be
 * on any site.
 */
export async function bearerSignIn(app: FastifyInstance, options: BearerSignInOptions) {
  const { providers, pageContexts, publicUrl, basePath, clock, oauthProviders, connectCodes, userSignIns, connectWithKey } = options
  const { links, codes } = connectCodes

  for (const settings of providers.values())
    app.post<{ Body: unknown }>(`/auth/${settings.definition.name}`, { config: { provider: settings.definition.name } }, (request, reply) =>
      begin(request, reply, settings)
    )
  app.post<{ Params: { provider: string } }>('/auth/:provider', (request, reply) =>
    begin(request, reply, findProvider(providers, request.params.provider))
  )

  async function begin(request: FastifyRequest, reply: FastifyReply, settings: ProviderSettings): Promise<FastifyReply> {
    const principal = await requireUser(request)
    const body = (request.body ?? {}) as Record<string, unknown>
    // By the name of the query's parameter too.
    const link = userSignIns.prepare(principal, settings, { ...body, loginHint: body.loginHint ?? body.login_hint })
    await request.consumeRateLimit('sign-in')
    if (link.account !== undefined) checkAccount((await request.openAll())?.connections, settings.definition, link.account)
    return reply.code(201).send(await userSignIns.issue(link))
  }

  /** Whoever opens the link: straight to the provider, or to a choice where there is one. */
  app.get<ByToken>('/start/:token', { exposeHeadRoute: false, config: { secretPath: true } }, async (request, reply) => {
    refuseEmbedded(request)
    const { token } = request.params
    const link = await links.find(token)
    if (!link) throw linkInvalid()
    const settings = findProvider(providers, link.provider)
    const { client } = settings
    const isAnswered = request.query.method === 'oauth2'
    if (client === undefined || (!leadsToProvider(settings, link.offersChoice === true) && !isAnswered)) return choose(reply, token, link)
    const given = isAnswered ? parametersIn(request.query, settings) : {}
    const asked = link.parameters && Object.keys(given).length === 0 ? { parameters: link.parameters } : checkedParameters(settings, given)
    if (asked instanceof GatewayError) return choose(reply, token, link, { given, problem: asked })
    return toProvider(request, reply, token, asked)
  })

  async function toProvider(
    request: FastifyRequest,
    reply: FastifyReply,
    token: string,
    asked: Pick<Flow, 'parameters'>
  ): Promise<FastifyReply> {
    const link = await links.redeem(token)
    const oauthProvider = link && oauthProviders.get(link.provider)
    if (!link || !oauthProvider) throw linkInvalid()
    const { provider, returnTo, owner, account, scopes, loginHint, prompt } = link
    const optional = { ...(account !== undefined && { account }), ...(scopes && { scopes }), ...asked }
    const flow = createFlow({ provider, returnTo, owner, startsSession: false, endsWithCode: true, ...optional }, clock.now())
    const url = await oauthProvider.authorizeUrl(flow, { loginHint, prompt })
    return reply.clearFlowCookies(evictedFlows(request.flows, flow)).setFlowCookie(flow).redirect(url, 302)
  }

  function choose(
    reply: FastifyReply,
    token: string,
    { provider, returnTo, parameters }: SignInLink,
    { given = {}, problem }: { readonly given?: Readonly<Record<string, unknown>>; readonly problem?: GatewayError } = {}
  ): FastifyReply {
    const settings = findProvider(providers, provider)
    const path = `${basePath}/start/${token}`
    const view = connectionView(settings, { publicUrl })
    const connectMethods = view.methods.map(method => ({ method, url: `${path}?method=${method}` }))
    const prefill = { values: { ...parameters, ...textsOf(given) }, invalid: problem?.parameter }
    const options = { connectMethods, returnTo, keyAction: path, isOwn: false, prefill }
    if (problem) reply.code(problem.status).header('grantkeeper-error', problem.code)
    return sendPage(reply.header('x-robots-tag', 'noindex'), pageContexts, context => connectPage(context, settings.definition, options), {
      formsLeave: asksUsers(settings.definition)
    })
  }

  app.post<ByToken & { Body: { apiKey?: unknown } | null }>('/start/:token', { config: { secretPath: true } }, async (request, reply) => {
    const link = await links.find(request.params.token)
    if (!link) throw linkInvalid()
    const settings = findProvider(providers, link.provider)
    const { definition } = settings
    if (!definition.methods.apiKey) throw new GatewayError('method_not_allowed', `${definition.title} has no API keys.`, { allow: [] })
    const given = parseGivenKey(settings, request.body)
    const connection = await request.consumeKeyRateLimit(definition.name, () => connectWithKey(definition, given, link))
    if (!(await links.redeem(request.params.token))) throw linkInvalid()
    const { owner, account, returnTo } = link
    const { token } = await codes.issue({ owner, connection, ...(account !== undefined && { account }) })
    return reply.code(201).send({ location: appendParams(returnTo, { connect_code: token, provider: definition.name }) })
  })

  app.post<{ Body: { code?: unknown } | null }>('/connections/complete', async (request, reply) => {
    return reply.code(201).send(await userSignIns.complete(await requireUser(request), request.body?.code))
  })

  async function requireUser(request: FastifyRequest): Promise<UserPrincipal> {
    const principal = await request.userPrincipal()
    if (principal) return principal
    throw userRequired('This begins and ends with the bearer token of a user. In a page that has the cookie, open connectUrl instead.')
  }
}

const linkInvalid = () =>
  new GatewayError(
    'state_invalid',
    'This link was opened before, or is older than ten minutes. Nothing was connected. Go back and start again.'
  )

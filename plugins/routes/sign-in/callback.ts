import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../../../src/core/errors.ts'
import type { CompletedSignIn, SignInProvider } from '../../../src/core/oauth/complete-sign-in.ts'
import { connectedUrl } from '../../../src/pages/connect-methods.ts'
import { prefersPage } from '../../hooks/accept.ts'
import { sendConnectPage } from '../send-connect-page.ts'
import { parseCallbackParams, unsolicitedNotice } from './callback-params.ts'
import { logFailure, logRefusal } from './failures.ts'
import { createIssuerCheck } from './issuer.ts'
import type { ProviderRouteOptions } from './options.ts'

/** `GET /auth/NAME/callback`: the browser comes back from the provider with a code or an error. */
export async function callback(app: FastifyInstance, options: ProviderRouteOptions) {
  const { definition, method, client, oauthProvider, basePath, completeSignIn } = options
  const { name } = definition
  const { redirectUri, tokenEndpoint } = oauthProvider
  const checkIssuer = createIssuerCheck(app.log, definition, method)
  const provider: SignInProvider = { name, requestedScopes: client.scopes, redirectUri, tokenEndpoint, checkIssuer }
  const clientSecret = client.secret?.reveal()
  const clientSecrets = clientSecret === undefined ? [] : [clientSecret, Buffer.from(`${client.id}:${clientSecret}`).toString('base64')]

  app.get(`/auth/${name}/callback`, { exposeHeadRoute: false, config: { provider: name } }, async (request, reply) => {
    const { description, ...params } = parseCallbackParams(request)
    if (params.state === undefined && params.code !== undefined) return offerOwnSignIn(request, reply)
    const verifier = request.flows.find(({ state }) => state === params.state)?.codeVerifier
    const result = await completeSignIn(provider, params, {
      flows: request.flows,
      sessionRef: request.sessionRef,
      user: request.hasBearer ? undefined : await request.userPrincipal(),
      sentCookies: request.headers.cookie !== undefined,
      findSession: () => request.findSession()
    })
    const sent = [params.code ?? '', params.state ?? '', verifier ?? '', ...clientSecrets].filter(text => text !== '')
    const failure = result.kind === 'redirect' ? result.failure : undefined
    if (failure === 'authorization') logRefusal(request.log, name, params.error, description, sent)
    else if (failure) logFailure(request.log, name, failure, sent)
    return respond(request, reply, result)
  })

  async function respond(request: FastifyRequest, reply: FastifyReply, result: CompletedSignIn): Promise<FastifyReply> {
    switch (result.kind) {
      case 'redirect':
        if (result.session) reply.deliverSession(result.session)
        if (result.owner !== undefined) reply.reassignFlows(result.owner)
        if (result.completed) reply.clearFlowCookies([result.completed])
        return reply.redirect(result.location, 303)
      case 'resend': {
        const resent = await reply.resendSession(result.presented, result.started)
        if (result.isOwner || resent) reply.clearFlowCookies([result.flow])
        return reply.redirect(result.location, 303)
      }
      case 'ask-again':
        return reply.redirect(redirectUri + request.url.slice(request.url.indexOf('?')), 303)
    }
  }

  /** Installed from the provider's marketplace: the code stays unused, and a browser gets the page that begins our own sign-in. */
  function offerOwnSignIn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (!prefersPage(request.headers)) throw new GatewayError('state_invalid', unsolicitedNotice(definition.title))
    reply.code(400).header('grantkeeper-error', 'state_invalid')
    return sendConnectPage(options, request, reply, name, { returnTo: connectedUrl(name, basePath), isUnsolicited: true })
  }
}

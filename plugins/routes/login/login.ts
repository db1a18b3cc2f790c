import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { GatewayError } from '../../../src/core/errors.ts'
import { evictedFlows, flowId, flowLifetimeMs } from '../../../src/core/flow.ts'
import { parseReturnTo } from '../../../src/core/guards/return-to.ts'
import { createLoginFlow, type LoginFlow } from '../../../src/core/users/login-flow.ts'
import { loginRefusedPage, signedOutPage } from '../../../src/pages/login-pages.ts'
import type { Services } from '../../../src/services.ts'
import { prefersPage } from '../../hooks/accept.ts'
import type { SealedCookies } from '../../hooks/cookies.ts'
import { createFlowCookies } from '../../hooks/flow-cookies.ts'
import { isPrefetch, refuseEmbedded } from '../../hooks/navigation.ts'
import { sendPage } from '../../send-page.ts'
import { backchannelLogout } from './backchannel-logout.ts'
import { takeover } from './takeover.ts'

export type LoginRouteOptions = Pick<
  Services,
  | 'login'
  | 'pageContexts'
  | 'publicUrl'
  | 'publicOrigin'
  | 'basePath'
  | 'allowedOrigins'
  | 'clock'
  | 'store'
  | 'vault'
  | 'revocation'
  | 'providers'
>
type Query = { return_to?: unknown; prompt?: unknown }

/** By which a user who is signed in signs in anew, as the same or as another. */
const prompts = ['login', 'select_account'] as const

/** Sign-in of users at the operator's OpenID provider (OpenID Connect Core, authorization code flow with PKCE). */
async function loginRoutes(app: FastifyInstance, options: LoginRouteOptions & { readonly sealedCookies: SealedCookies }) {
  const { login, pageContexts, publicUrl, publicOrigin, basePath, allowedOrigins, clock, store, sealedCookies } = options
  if (!login) return
  const flows = createFlowCookies<LoginFlow>({ cookie: sealedCookies.login, clock })

  // A prefetch must not begin or finish a sign-in. It fails, so that the browser requests again when its user navigates.
  app.addHook('onRequest', async (request, reply) => (isPrefetch(request) ? reply.code(503).send() : undefined))

  app.get<{ Querystring: Query }>('/login', { exposeHeadRoute: false }, async (request, reply) => {
    refuseEmbedded(request)
    const returnTo = parseReturnTo(request.query.return_to, `${basePath}/`, publicOrigin.origin, allowedOrigins)
    const prompt = prompts.find(one => one === request.query.prompt)
    // Another tab has finished meanwhile.
    if (!prompt && (await request.isSignedIn())) return reply.redirect(returnTo, 302)
    await request.consumeRateLimit('sign-in')
    const flow = createLoginFlow(returnTo, clock.now())
    const url = await login.client.authorizationUrl(flow, prompt ? { prompt } : {})
    const inFlight = flows.read(request)
    return flows.set(flows.clear(reply, evictedFlows(inFlight, flow)), flow).redirect(url, 302)
  })

  app.get('/login/callback', { exposeHeadRoute: false }, async (request, reply) => {
    const params = new URLSearchParams(request.url.slice(request.url.indexOf('?') + 1))
    const flow = flows.read(request).find(({ state }) => params.getAll('state').length === 1 && params.get('state') === state)
    if (!flow) throw flowUnknown(request)
    // The same callback again: the browser has got what it brings, or it never will.
    if (!(await store.claim(`login:${flowId(flow)}`, flowLifetimeMs))) {
      if (await request.isSignedIn()) return reply.redirect(flow.returnTo, 303)
      throw flowUnknown(request)
    }
    // The cookie stays until it expires: by it the same callback again finds where it led.
    const result = await login.client.complete(params, flow)
    if (result.kind === 'refused') {
      request.log.warn({ error: result.error }, 'the identity provider signed nobody in')
      if (!prefersPage(request.headers))
        throw new GatewayError('not_allowed', `The identity provider signed nobody in: ${result.error}. Open /login to try again.`)
      reply.code(403).header('grantkeeper-error', 'not_allowed')
      return sendPage(reply, pageContexts, context => loginRefusedPage(context, result.error, loginUrl(publicUrl, flow.returnTo)))
    }
    const session = await login.userLogin.signIn(result.user, request.sessionRef, request)
    return reply.setSessionCookie(session).redirect(flow.returnTo, 303)
  })

  app.get('/logout', (_request, reply) => sendPage(reply, pageContexts, signedOutPage))

  app.register(backchannelLogout, { ...options, login })
  app.register(takeover, options)
}

const loginUrl = (publicUrl: string, returnTo: string): string => `${publicUrl}/login?return_to=${encodeURIComponent(returnTo)}`

const flowUnknown = ({ headers }: FastifyRequest) =>
  new GatewayError(
    'state_invalid',
    headers.cookie === undefined
      ? 'This browser sent no cookie: it blocks them, or the sign-in was started in another browser. Allow cookies for this site and sign in again.'
      : 'This sign-in was started in another browser, or too long ago, or it is finished already. Sign in again.'
  )

export default fp(loginRoutes, {
  name: 'login',
  dependencies: ['principal', 'session', 'rate-limits', 'errors', 'security'],
  encapsulate: true
})

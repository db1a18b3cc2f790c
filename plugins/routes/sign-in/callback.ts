import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { connectionFromGrant, type Grant } from '../../../src/core/connections/connection.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { type Flow, flowId, flowLifetimeMs } from '../../../src/core/flow.ts'
import { authorizationErrors } from '../../../src/core/oauth/error-codes.ts'
import { TokenEndpointError } from '../../../src/core/oauth/token-response.ts'
import type { Session } from '../../../src/core/session.ts'
import { connectedUrl } from '../../../src/pages/connect-methods.ts'
import { prefersPage } from '../../hooks/accept.ts'
import { sendConnectPage } from '../send-connect-page.ts'
import { invalid, parseCallbackParams, unknownState, unsolicitedNotice } from './callback-params.ts'
import { connectErrorOf, logFailure, logRefusal } from './failures.ts'
import { createFinish } from './finish.ts'
import { createIssuerCheck } from './issuer.ts'
import type { ProviderContextOptions } from './provider-context.ts'

type Options = ProviderContextOptions & { redirectUri: string }

/** Any other is told as `provider_error`: what a URL says is not repeated. */
const knownErrors: ReadonlySet<string> = new Set(authorizationErrors)

/** `GET /auth/NAME/callback`: the browser comes back, with a code or a refusal. Nothing is sent to the provider before the state has proved itself. */
export async function callback(app: FastifyInstance, { definition, method, client, clock, publicUrl, redirectUri }: Options) {
  const { title } = definition
  const { host } = new URL(publicUrl)
  const checkIssuer = createIssuerCheck(app.log, definition, method)
  const unknown = (request: FastifyRequest) => unknownState(request, host)
  const { refused, noted, finish, finishInvited, earlier, repeat, repeatFirst } = createFinish(app, {
    provider: definition.name,
    redirectUri,
    clock,
    unknown
  })

  app.get(
    `/auth/${definition.name}/callback`,
    { exposeHeadRoute: false, config: { provider: definition.name } },
    async (request, reply) => {
      const startedAtMs = clock.now()
      const params = parseCallbackParams(request)
      const { state, code, error, iss } = params
      if (state === undefined && code !== undefined) return offerOwn(request, reply)
      const flow = request.flows.find(f => f.state === state && f.provider === definition.name)
      const outcome = await earlier(request, flow, state)
      if (outcome) return repeat(request, reply, flow, outcome)
      if (!flow) throw unknown(request)
      const invited = flow.invitation === undefined ? undefined : await app.invitations.findById(flow.owner, flow.invitation)
      const session = invited ? undefined : await sessionOf(request, flow)
      checkIssuer(iss)
      if (!(await app.store.claim(`flow:${flowId(flow)}`, flowLifetimeMs))) return repeatFirst(request, reply, flow)

      return noted(flow, async () => {
        if (error !== undefined || code === undefined) {
          logRefusal(request.log, definition.name, params, [flow.state, code ?? ''])
          return refused(reply, flow, error !== undefined && knownErrors.has(error) ? error : 'provider_error')
        }

        const grant = await exchange(request, code, flow)
        if (typeof grant === 'string') return refused(reply, flow, grant)
        const connection = connectionFromGrant(grant, definition.name, client.scopes, clock.now())
        return invited
          ? finishInvited(reply, flow, invited, connection)
          : finish(request, reply, { flow, startedAtMs }, session, connection)
      })
    }
  )

  /** The flow is this browser's, and nobody signed out or in as another in between. */
  async function sessionOf(request: FastifyRequest, flow: Flow): Promise<Session | undefined> {
    const session = await request.findSession()
    if (session ? session.owner === flow.owner : flow.startsSession) return session
    throw invalid('The session in which it was begun has ended.')
  }

  /** @returns the grant, or the code of `connect_error` that says why there is none. */
  async function exchange(request: FastifyRequest, code: string, flow: Flow): Promise<Grant | string> {
    try {
      const endpoint = app.tokenEndpoints.get(definition.name)
      if (!endpoint) throw new TypeError('the context has no token endpoint')
      return await endpoint.exchange(code, redirectUri, flow.codeVerifier)
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      const secret = client.secret.reveal()
      const basic = Buffer.from(`${client.id}:${secret}`).toString('base64')
      logFailure(request.log, definition.name, error, [code, flow.state, flow.codeVerifier, secret, basic])
      return connectErrorOf(error)
    }
  }

  /** Installed from the provider's marketplace: the code stays unused, and a person gets the page that begins our own sign-in. */
  function offerOwn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const notice = unsolicitedNotice(title)
    if (!prefersPage(request.headers)) throw new GatewayError('state_invalid', notice)
    reply.code(400).header('grantkeeper-error', 'state_invalid')
    return sendConnectPage(app, request, reply, definition.name, { publicUrl, returnTo: connectedUrl(definition.name), notice })
  }
}

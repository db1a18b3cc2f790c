import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Connection, connectionFrom, type Grant } from '../../src/core/connection.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { type Flow, firstOwner, flowId, flowLifetimeMs } from '../../src/core/flow.ts'
import type { Invited } from '../../src/core/invitation.ts'
import { authorizationErrors } from '../../src/core/oauth-errors.ts'
import type { OAuth2Method } from '../../src/core/provider.ts'
import { withParams } from '../../src/core/return-to.ts'
import type { Session } from '../../src/core/session.ts'
import { TokenEndpointError } from '../../src/core/token-answer.ts'
import type { ProviderContextOptions } from './provider-context.ts'

type Options = ProviderContextOptions & { redirectUri: string }

/** Any other is told as `provider_error`: what a URL says is not repeated. */
const knownErrors: ReadonlySet<string> = new Set(authorizationErrors)

/** `GET /auth/NAME/callback`: the browser comes back, with a code or a refusal. Nothing is sent to the provider before the state has proved itself. */
export async function callback(app: FastifyInstance, { definition, method, client, clock, redirectUri }: Options) {
  app.get(
    `/auth/${definition.name}/callback`,
    { exposeHeadRoute: false, config: { provider: definition.name } },
    async (request, reply) => {
      const begunAtMs = clock.now()
      const { state, code, error, iss } = answerParams(request)
      const flow = request.flows.find(f => f.state === state && f.provider === definition.name)
      if (!flow) throw invalid('It was begun in another browser, or too long ago, or it has been finished already.')
      const invited = flow.invitation === undefined ? undefined : await app.invitations.findById(flow.owner, flow.invitation)
      const session = invited ? undefined : await sessionOf(request, flow)
      checkIssuer(method, iss)
      if (!(await app.store.claim(`flow:${flowId(flow)}`, flowLifetimeMs))) throw invalid('It has been finished already.')
      reply.dropFlows([flow])

      if (error !== undefined) return refused(reply, flow, knownErrors.has(error) ? error : 'provider_error')
      if (code === undefined) throw invalid('The provider sent neither a code nor an error.')

      const grant = await exchange(code, flow)
      if (typeof grant === 'string') return refused(reply, flow, grant)
      const connection = connectionFrom(grant, definition.name, client.scopes, clock.now())
      return invited ? finishInvited(reply, invited, connection) : finish(request, reply, flow, session, connection, begunAtMs)
    }
  )

  async function finish(
    request: FastifyRequest,
    reply: FastifyReply,
    flow: Flow,
    session: Session | undefined,
    connection: Connection,
    begunAtMs: number
  ): Promise<FastifyReply> {
    const owner = session?.owner ?? firstOwner(request.flows) ?? flow.owner
    const shown = request.flows.map(flowId)
    const kept = await app.vault.connect(owner, session, connection, { begunAtMs, flow: flowId(flow), shown })
    if (kept === 'ended') {
      void app.revoke(connection)
      throw invalid('The session was ended while it was under way.')
    }
    // Tabs that began in the same moment could not know of each other.
    reply.adoptFlows(kept === 'joined' ? owner : kept.owner, flow)
    if (kept !== 'joined') reply.giveSession(kept)
    return reply.redirect(flow.returnTo, 303)
  }

  /** This browser has no part in the session that gets the connection. */
  async function finishInvited(reply: FastifyReply, { owner, spend }: Invited, connection: Connection): Promise<FastifyReply> {
    if (!(await app.vault.connectInvited(owner, connection, spend))) {
      void app.revoke(connection)
      throw new GatewayError('invitation_invalid', 'It was used or withdrawn while you were at the provider. Nothing was connected.')
    }
    return reply.redirect(`/invitations/thanks?provider=${definition.name}`, 303)
  }

  /** The flow is this browser's, and nobody signed out or in as another in between. */
  async function sessionOf(request: FastifyRequest, flow: Flow): Promise<Session | undefined> {
    const session = await request.liveSession()
    if (session ? session.owner === flow.owner : flow.first) return session
    throw invalid('The session in which it was begun has ended.')
  }

  /** @returns the grant, or the OAuth error code with which the provider refused the code. */
  async function exchange(code: string, flow: Flow): Promise<Grant | string> {
    try {
      const endpoint = app.tokenEndpoints.get(definition.name)
      if (!endpoint) throw new TypeError('the context has no token endpoint')
      return await endpoint.exchange(code, redirectUri, flow.verifier)
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      app.log.warn({ provider: definition.name, kind: error.kind, reason: error.reason }, error.message)
      if (error.kind === 'refused') return error.reason ?? 'provider_error'
      const [errorCode, what] =
        error.kind === 'timeout'
          ? (['provider_timeout', 'did not answer in time'] as const)
          : (['provider_unavailable', 'gave no usable answer'] as const)
      throw new GatewayError(errorCode, `${definition.title} ${what}, so nothing was connected. Connect again in a moment.`, {
        provider: definition.name,
        cause: error
      })
    }
  }

  function refused(reply: FastifyReply, flow: Flow, reason: string): FastifyReply {
    return reply.redirect(withParams(flow.returnTo, { connect_error: reason, provider: definition.name }), 303)
  }
}

/** @throws {GatewayError} `state_invalid` when a parameter is given twice (RFC 6749 §3.1). */
function answerParams(request: FastifyRequest): Partial<Record<'state' | 'code' | 'error' | 'iss', string>> {
  const query = request.query as Record<string, string | string[] | undefined>
  const single = (name: string): Record<string, string> => {
    const value = query[name]
    if (Array.isArray(value)) throw invalid(`Its answer holds ${name} twice.`)
    return value === undefined || value === '' ? {} : { [name]: value }
  }
  return { ...single('state'), ...single('code'), ...single('error'), ...single('iss') }
}

/** RFC 9207 §2.4. A definition without an issuer still refuses an answer that names a stranger. */
function checkIssuer({ issuer, authorizeUrl, tokenUrl }: OAuth2Method, iss: string | undefined): void {
  const trusted =
    issuer !== undefined
      ? iss === issuer
      : iss === undefined || [authorizeUrl, tokenUrl].some(url => new URL(url).origin === URL.parse(iss)?.origin)
  if (!trusted) throw invalid('The answer does not come from the provider that it was begun at.')
}

const invalid = (why: string) => new GatewayError('state_invalid', `${why} Nothing was connected. Go back and connect again.`)

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { connectionFrom, type Grant } from '../../src/core/connection.ts'
import { GatewayError } from '../../src/core/errors.ts'
import { type Flow, flowId, flowLifetimeMs } from '../../src/core/flow.ts'
import { authorizationErrors } from '../../src/core/oauth-errors.ts'
import type { OAuth2Method } from '../../src/core/provider.ts'
import type { Session } from '../../src/core/session.ts'
import { TokenEndpointError } from '../../src/core/token-answer.ts'
import { finishing, invalid, unknown } from './finish.ts'
import type { ProviderContextOptions } from './provider-context.ts'

type Options = ProviderContextOptions & { redirectUri: string }

/** Any other is told as `provider_error`: what a URL says is not repeated. */
const knownErrors: ReadonlySet<string> = new Set(authorizationErrors)

/** `GET /auth/NAME/callback`: the browser comes back, with a code or a refusal. Nothing is sent to the provider before the state has proved itself. */
export async function callback(app: FastifyInstance, { definition, method, client, clock, redirectUri }: Options) {
  const { refused, noted, finish, finishInvited, earlier, repeat, repeatFirst } = finishing(app, definition.name, redirectUri, clock)

  app.get(
    `/auth/${definition.name}/callback`,
    { exposeHeadRoute: false, config: { provider: definition.name } },
    async (request, reply) => {
      const begunAtMs = clock.now()
      const { state, code, error, iss } = answerParams(request)
      const flow = request.flows.find(f => f.state === state && f.provider === definition.name)
      const outcome = await earlier(request, flow, state)
      if (outcome) return repeat(request, reply, flow, outcome)
      if (!flow) throw unknown()
      const invited = flow.invitation === undefined ? undefined : await app.invitations.findById(flow.owner, flow.invitation)
      const session = invited ? undefined : await sessionOf(request, flow)
      checkIssuer(method, iss)
      if (!(await app.store.claim(`flow:${flowId(flow)}`, flowLifetimeMs))) return repeatFirst(request, reply, flow)

      return noted(flow, async () => {
        if (error !== undefined) return refused(reply, flow, knownErrors.has(error) ? error : 'provider_error')
        if (code === undefined) throw invalid('The provider sent neither a code nor an error.')

        const grant = await exchange(code, flow)
        if (typeof grant === 'string') return refused(reply, flow, grant)
        const connection = connectionFrom(grant, definition.name, client.scopes, clock.now())
        return invited ? finishInvited(reply, flow, invited, connection) : finish(request, reply, { flow, begunAtMs }, session, connection)
      })
    }
  )

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

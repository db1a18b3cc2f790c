import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { GatewayError, isErrorCode } from '../../../src/core/errors.ts'
import { type Flow, flowId, flowLifetimeMs, newSessionOwner } from '../../../src/core/flow.ts'
import { appendParams } from '../../../src/core/guards/return-to.ts'
import { type SignInOutcome, sessionRefOf } from '../../../src/core/oauth/sign-in-outcome.ts'
import type { Clock } from '../../../src/core/ports.ts'
import { newId, type Session } from '../../../src/core/session.ts'
import type { RedeemableInvitation } from '../../../src/core/vault/invitations.ts'
import { invalid } from './callback-params.ts'

/** How long a callback that comes again waits for the first one, which is still at work: longer than a token endpoint may take. */
const repeatPatienceMs = 35_000

/** Between one time that a browser is asked for its session and the next, while its response is on the way. */
const pausesMs = [50, 150, 450]

type FinishingOptions = {
  provider: string
  redirectUri: string
  clock: Clock
  /** What a callback is told whose sign-in this browser does not show. */
  unknown: (request: FastifyRequest) => GatewayError
}

/** How a sign-in ends, and what its callback says when it comes again. */
export function createFinish(app: FastifyInstance, { provider, redirectUri, clock, unknown }: FinishingOptions) {
  /** An outcome that cannot be kept is not told again; the first response has it all the same. */
  async function keep(flow: Flow, outcome: OutcomeOf): Promise<void> {
    try {
      await app.outcomes.save(flowId(flow), { provider, ...outcome })
    } catch (error) {
      app.log.warn({ provider, code: (error as { code?: unknown }).code }, 'the outcome of a sign-in could not be kept')
    }
  }

  const refusal = (reason: string, flow: Flow) => appendParams(flow.returnTo, { connect_error: reason, provider })

  /** A browser without a session has nothing but the sign-in's cookie to be known again by, so that stays until its time is over. */
  async function refused(reply: FastifyReply, flow: Flow, reason: string): Promise<FastifyReply> {
    const location = refusal(reason, flow)
    // Any other is known by its session, but for a guest's, who has no part in the owner's.
    await keep(flow, { location, ...(!flow.startsSession && flow.invitation === undefined && { owner: flow.owner }) })
    if (!flow.startsSession) reply.clearFlowCookies([flow])
    return reply.redirect(location, 303)
  }

  /** Ends a sign-in, and notes why when it fails, for whoever waits for it. */
  async function noted(flow: Flow, work: () => Promise<FastifyReply>): Promise<FastifyReply> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof GatewayError && error.code !== 'store_unavailable')
        await keep(flow, { refusal: { code: error.code, detail: error.message } })
      throw error
    }
  }

  /** The browser showed the session, or none. */
  async function finish(request: FastifyRequest, reply: FastifyReply, came: Came, session: Session | undefined, connection: Connection) {
    const { flow } = came
    const owner = session?.owner ?? newSessionOwner(request.flows) ?? flow.owner
    const kept = await connect(request, owner, came, session, connection)
    return kept === 'unproven' ? askOnceMore(request, reply, flow, connection) : connected(reply, flow, owner, kept)
  }

  async function connect(request: FastifyRequest, owner: string, came: Came, session: Session | undefined, connection: Connection) {
    const arrival = { flow: flowId(came.flow), presentedFlows: request.flows.map(flowId), startedAtMs: came.startedAtMs }
    try {
      const before = await app.vault.readConnection(owner, provider)
      const kept = await app.vault.connect(owner, session, connection, arrival, request)
      if (kept === 'joined' || (typeof kept === 'object' && kept.owner === owner)) app.revokeReplaced(before?.value, connection)
      if (kept !== 'ended') return kept
    } catch (error) {
      void app.revoke(connection)
      throw error
    }
    void app.revoke(connection)
    throw invalid('The session was ended while it was under way.')
  }

  async function connected(reply: FastifyReply, flow: Flow, owner: string, kept: Session | 'joined'): Promise<FastifyReply> {
    const session = kept === 'joined' ? { owner } : { owner: kept.owner, session: kept.id }
    await keep(flow, { location: flow.returnTo, ...session })
    // Tabs that began in the same moment could not know of each other.
    if (kept === 'joined') reply.reassignFlows(owner)
    else reply.deliverSession(kept)
    return reply.clearFlowCookies([flow]).redirect(flow.returnTo, 303)
  }

  /**
   * The owner has a session that this request does not show: another tab began it, and its response was on the way; or somebody else
   * did, with a sign-in that lay in this browser. Asked once more, the browser shows which.
   */
  async function askOnceMore(request: FastifyRequest, reply: FastifyReply, flow: Flow, connection: Connection): Promise<FastifyReply> {
    await app.outcomes.save(flowId(flow), { provider, connection }).catch(error => {
      void app.revoke(connection)
      throw error
    })
    app.afterDeliveryDeadline(async () => {
      if (!(await isFirstToFinish(flow))) return
      await app.revoke(connection)
      await keep(flow, { refusal: { code: 'state_invalid', detail: 'It was not finished in time. Connect again.' } })
    })
    return ask(request, reply)
  }

  const ask = (request: FastifyRequest, reply: FastifyReply) =>
    reply.redirect(redirectUri + request.url.slice(request.url.indexOf('?')), 303)

  const isFirstToFinish = (flow: Flow) => app.store.claim(`flow:${flowId(flow)}:finished`, flowLifetimeMs)

  /** Whether the response with the other session may still be on its way: its sign-in is shown. It may have been lost or left there, too. */
  async function isTooEarly(request: FastifyRequest, flow: Flow): Promise<boolean> {
    if (await request.findSession()) return false
    if (!(await app.vault.isResponsePending(newSessionOwner(request.flows) ?? flow.owner, request))) return false
    const { count } = await app.store.increment(`flow:${flowId(flow)}:asked`, flowLifetimeMs)
    const pauseMs = pausesMs[count - 1]
    if (pauseMs !== undefined) await sleep(pauseMs)
    return pauseMs !== undefined
  }

  async function finishAsked(request: FastifyRequest, reply: FastifyReply, flow: Flow, connection: Connection): Promise<FastifyReply> {
    if (await isTooEarly(request, flow)) return ask(request, reply)
    if (!(await isFirstToFinish(flow))) return repeatFirst(request, reply, flow)
    return noted(flow, async () => {
      const session = await request.findSession()
      if (session && session.owner !== flow.owner) {
        void app.revoke(connection)
        throw invalid('Another session has begun in this browser meanwhile.')
      }
      const owner = session?.owner ?? newId()
      const kept = await connect(request, owner, { flow, startedAtMs: clock.now() }, session, connection)
      return connected(reply, flow, owner, kept === 'unproven' ? 'joined' : kept)
    })
  }

  /** This browser has no part in the session that gets the connection. */
  async function finishInvited(
    reply: FastifyReply,
    flow: Flow,
    { owner, redeem }: RedeemableInvitation,
    connection: Connection
  ): Promise<FastifyReply> {
    const kept = await app.vault.connectInvited(owner, connection, redeem)
    if (!kept) {
      void app.revoke(connection)
      throw new GatewayError('invitation_invalid', 'It was used or withdrawn while you were at the provider. Nothing was connected.')
    }
    app.revokeReplaced(kept.replaced, connection)
    const location = `/invitations/thanks?provider=${provider}`
    await keep(flow, { location })
    return reply.clearFlowCookies([flow]).redirect(location, 303)
  }

  /** What became of the sign-in with this state, where the request may ask. */
  async function earlier(request: FastifyRequest, flow: Flow | undefined, state: string | undefined): Promise<SignInOutcome | undefined> {
    if (!flow && (state === undefined || !request.sessionRef)) return undefined
    const outcome = await app.outcomes.find(flowId(flow ?? { state: state ?? '' }))
    return outcome?.provider === provider ? outcome : undefined
  }

  /**
   * The callback has come before: reloaded, or its response was lost. The browser that began is known by the sign-in's cookie, or by the
   * session that it has got since; any other is told nothing.
   */
  async function repeat(
    request: FastifyRequest,
    reply: FastifyReply,
    flow: Flow | undefined,
    outcome: SignInOutcome | undefined
  ): Promise<FastifyReply> {
    const session = await request.findSession()
    const owns = session !== undefined && outcome !== undefined && 'owner' in outcome && session.owner === outcome.owner
    if (!flow) {
      // A session whose id has turned may be anybody's copy.
      if (!owns || session.superseded || !('location' in outcome)) throw unknown(request)
      return reply.redirect(outcome.location, 303)
    }
    if (!outcome) return reply.redirect(refusal('provider_timeout', flow), 303)
    if ('connection' in outcome) return finishAsked(request, reply, flow, outcome.connection)
    if ('refusal' in outcome) throw refusedBefore(outcome.refusal)
    const given = await reply.resendSession(session, sessionRefOf(outcome))
    if (owns || given) reply.clearFlowCookies([flow])
    return reply.redirect(outcome.location, 303)
  }

  /** @throws {GatewayError} `state_invalid` when the first callback takes too long */
  const repeatFirst = async (request: FastifyRequest, reply: FastifyReply, flow: Flow) =>
    repeat(request, reply, flow, await app.outcomes.waitFor(flowId(flow), repeatPatienceMs))

  return { refused, noted, finish, finishInvited, earlier, repeat, repeatFirst }
}

/** A sign-in that has come back, and when. */
type Came = { readonly flow: Flow; readonly startedAtMs: number }

type WithoutProvider<T> = T extends unknown ? Omit<T, 'provider'> : never
type OutcomeOf = WithoutProvider<SignInOutcome>

const refusedBefore = ({ code, detail }: { code: string; detail: string }) =>
  new GatewayError(isErrorCode(code) ? code : 'state_invalid', detail)

import { setTimeout as sleep } from 'node:timers/promises'
import { invitedPerson } from '../connections/connected-by.ts'
import { type Connection, connectionFromGrant, type Grant } from '../connections/connection.ts'
import { tooManyAccounts } from '../connections/errors.ts'
import { GatewayError, hasCode, isErrorCode } from '../errors.ts'
import type { Events } from '../events.ts'
import { type Flow, flowId, flowLifetimeMs, newSessionOwner } from '../flow.ts'
import { appendParams } from '../guards/return-to.ts'
import type { Clock, Store } from '../ports.ts'
import { LearntValueError } from '../provider/learn-values.ts'
import { newId, type PresentedFlows, type Session, type SessionRef } from '../session.ts'
import { isUserOwner } from '../users/owner.ts'
import type { UserPrincipal } from '../users/principal.ts'
import type { DeferredTasks } from '../util/deferred-tasks.ts'
import type { Invitations, RedeemableInvitation } from '../vault/invitations.ts'
import type { Vault } from '../vault/vault.ts'
import type { ConnectCodes } from './connect-codes.ts'
import { authorizationErrors } from './error-codes.ts'
import type { Revocation } from './revocation.ts'
import { type SignInOutcome, type SignInOutcomes, sessionRefOf } from './sign-in-outcome.ts'
import type { TokenEndpoint } from './token-endpoint.ts'
import { TokenEndpointError } from './token-response.ts'

export type CompleteSignInDependencies = {
  readonly store: Pick<Store, 'claim' | 'increment'>
  readonly clock: Clock
  readonly events: Events
  readonly vault: Vault
  readonly invitations: Invitations
  readonly outcomes: SignInOutcomes
  readonly connectCodes: Pick<ConnectCodes, 'codes'>
  readonly revocation: Revocation
  readonly deferredTasks: DeferredTasks
  /** Host and port of this gateway, for users to read. */
  readonly ownHost: string
  /** Path of this gateway's routes. */
  readonly basePath: string
  /**
   * Adds the account and the values that take a request of their own to be found.
   * @throws {LearntValueError} for a value without which the connection is of no use
   */
  readonly addAccount: (
    connection: Connection,
    place: { readonly owner: string; readonly account?: string | undefined }
  ) => Promise<Connection>
}

/** The provider at which the sign-in took place. */
export type SignInProvider = {
  readonly name: string
  /** Assumed to be granted when the token response has no `scope` (RFC 6749 §5.1). */
  readonly requestedScopes: readonly string[]
  readonly redirectUri: string
  readonly tokenEndpoint: TokenEndpoint
  /** RFC 9207. @throws {GatewayError} `state_invalid` */
  checkIssuer(iss: string | undefined, flow: Flow): void
}

/** The browser that sends the callback. */
export type CallbackBrowser = PresentedFlows & {
  readonly sessionRef: SessionRef | undefined
  /** The user whom an embedding application identifies: there is no session then. */
  readonly user?: UserPrincipal | undefined
  readonly sentCookies: boolean
  findSession(): Promise<Session | undefined>
}

export type CallbackParams = {
  /** The whole query, of which the definition may read more. */
  readonly query?: Readonly<Record<string, unknown>>
  readonly state: string | undefined
  readonly code: string | undefined
  readonly error: string | undefined
  readonly iss: string | undefined
}

/** What the response to a callback does. */
export type CompletedSignIn =
  | {
      readonly kind: 'redirect'
      readonly location: string
      /** The sign-in whose cookie the response clears. */
      readonly completed?: Flow
      /** A session whose cookie the response carries. */
      readonly session?: Session
      /** First sign-ins that are still in flight in this browser move to this owner. */
      readonly owner?: string
      /** Why nothing was connected: the provider's error in the callback, or its token endpoint's. */
      readonly failure?: 'authorization' | TokenEndpointError
    }
  /** The sign-in ended before. The response carries its session's cookie again if the browser proves that it is its own. */
  | {
      readonly kind: 'resend'
      readonly location: string
      readonly flow: Flow
      readonly presented: Session | undefined
      readonly started: SessionRef | undefined
      /** The browser shows the session of the outcome: the sign-in's cookie is cleared in any case. */
      readonly isOwner: boolean
    }
  /** The browser is sent to the same callback again, since its next request shows what this one could not. */
  | { readonly kind: 'ask-again' }

/** How long a repeated callback waits for the first one, which is still at work: longer than a token endpoint and two look-ups may take. */
const maxRepeatWaitMs = 50_000
/** A minute after its code has expired, a grant that nobody took is revoked. */
const abandonedAfterMs = flowLifetimeMs + 60_000
/** Pauses before the browser is asked for its session again, while the response with it is on the way. */
const askAgainPausesMs = [50, 150, 450]
/** Any other error becomes `provider_error`: a URL that anybody may have written is not repeated. */
const knownErrors: ReadonlySet<string> = new Set(authorizationErrors)

/** Why a callback is refused. Its page offers to start again. */
export const signInInvalid = (why: string) => new GatewayError('state_invalid', `${why} Nothing was connected. Go back and connect again.`)

/**
 * The callback of a sign-in: proves its state, exchanges the code and stores the connection; or repeats the outcome of a callback that came
 * before. Nothing is sent to the provider before the state is proven.
 */
export function createCompleteSignIn(dependencies: CompleteSignInDependencies) {
  const { store, clock, events, vault, invitations, outcomes, connectCodes, revocation, deferredTasks, addAccount } = dependencies
  const { ownHost, basePath } = dependencies

  async function completeSignIn(
    provider: SignInProvider,
    { state, code, error, iss, query }: CallbackParams,
    browser: CallbackBrowser
  ): Promise<CompletedSignIn> {
    const startedAtMs = clock.now()
    const flow = browser.flows.find(one => one.state === state && one.provider === provider.name)
    const earlier = await findOutcome(provider, browser, flow, state)
    if (!flow) return repeatInSession(browser, earlier)
    const signIn: SignIn = { provider, browser, flow, startedAtMs }
    if (earlier) return repeat(signIn, earlier)
    const invitation = flow.invitation === undefined ? undefined : await invitations.findById(flow.owner, flow.invitation)
    const session = invitation || flow.endsWithCode ? undefined : await sessionFor(browser, flow)
    provider.checkIssuer(iss, flow)
    if (!(await store.claim(`flow:${flowId(flow)}`, flowLifetimeMs))) return repeatFirst(signIn)

    return recordingRefusal(signIn, async () => {
      if (error !== undefined || code === undefined) {
        const reason = error !== undefined && knownErrors.has(error) ? error : 'provider_error'
        return refused(signIn, reason, 'authorization')
      }
      const granted = await connectionOf(signIn, code, query)
      if (granted instanceof TokenEndpointError) return refused(signIn, connectErrorOf(granted), granted)
      const connection = await withAccount(signIn, granted)
      if (connection instanceof TokenEndpointError) return refused(signIn, connectErrorOf(connection), connection)
      if (flow.endsWithCode) return handOver(signIn, connection)
      return invitation ? connectInvited(signIn, invitation, connection) : connectOwn(signIn, session, connection)
    })
  }

  async function connectionOf(signIn: SignIn, code: string, callback: CallbackParams['query']): Promise<Connection | TokenEndpointError> {
    const { redirectUri, tokenEndpoint } = signIn.provider
    const { codeVerifier, parameters } = signIn.flow
    try {
      return fromGrant(signIn, await tokenEndpoint.exchange({ code, redirectUri, codeVerifier, parameters, callback }))
    } catch (error) {
      if (!(error instanceof TokenEndpointError)) throw error
      if (error.grant) void revocation.revoke(fromGrant(signIn, error.grant))
      return error
    }
  }

  const fromGrant = ({ provider, flow: { scopes = provider.requestedScopes, parameters } }: SignIn, grant: Grant): Connection => ({
    ...connectionFromGrant(grant, provider.name, scopes, clock.now()),
    ...(parameters && { parameters })
  })

  /** A grant is of no use without a value that the API's address is made of. */
  async function withAccount({ flow }: SignIn, connection: Connection): Promise<Connection | TokenEndpointError> {
    try {
      return await addAccount(connection, flow)
    } catch (error) {
      void revocation.revoke(connection)
      if (error instanceof LearntValueError) return new TokenEndpointError('invalid_value', error.message)
      if (hasCode(error, 'provider_timeout')) return new TokenEndpointError('timeout', 'the look-up took too long')
      if (hasCode(error, 'provider_unavailable')) return new TokenEndpointError('unavailable', 'the look-up failed')
      throw error
    }
  }

  /** The flow is this browser's, and it has not signed out, or in as another owner, since. */
  async function sessionFor(browser: CallbackBrowser, flow: Flow): Promise<Session | undefined> {
    if (browser.user) {
      if (browser.user.owner === flow.owner) return undefined
      throw signInInvalid('Another user began it in this browser.')
    }
    const session = await browser.findSession()
    if (session ? session.owner === flow.owner : flow.startsSession) return session
    throw signInInvalid('The session in which it was started has ended.')
  }

  /** An outcome that cannot be saved is not repeated; the first response has it all the same. */
  async function saveOutcome({ provider, flow }: Pick<SignIn, 'provider' | 'flow'>, outcome: OutcomeOfProvider): Promise<void> {
    try {
      await outcomes.save(flowId(flow), { provider: provider.name, ...outcome })
    } catch (error) {
      events.publish('sign-in.unsaved', { provider: provider.name, code: (error as { code?: string }).code })
    }
  }

  /**
   * A browser that has no part in the owner's session, or none of its own yet, has nothing but the sign-in's cookie to be recognized by when
   * it repeats the callback: that cookie stays until it expires.
   */
  const isKnownBySession = ({ startsSession, invitation, endsWithCode }: Flow) =>
    !startsSession && invitation === undefined && !endsWithCode

  async function refused(signIn: SignIn, reason: string, failure: 'authorization' | TokenEndpointError): Promise<CompletedSignIn> {
    const { flow } = signIn
    const location = refusedLocation(signIn, reason)
    await saveOutcome(signIn, { location, ...(isKnownBySession(flow) && { owner: flow.owner }) })
    return { kind: 'redirect', location, failure, ...(isKnownBySession(flow) && { completed: flow }) }
  }

  const refusedLocation = ({ provider, flow }: SignIn, reason: string) =>
    appendParams(flow.returnTo, { connect_error: reason, provider: provider.name })

  /** Records why a sign-in failed, for the repeated callbacks that wait for it. */
  async function recordingRefusal(signIn: SignIn, work: () => Promise<CompletedSignIn>): Promise<CompletedSignIn> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof GatewayError && !hasCode(error, 'store_unavailable'))
        await saveOutcome(signIn, { refusal: { code: error.code, detail: error.message } })
      throw error
    }
  }

  async function connectOwn(signIn: SignIn, session: Session | undefined, connection: Connection): Promise<CompletedSignIn> {
    const owner = session?.owner ?? (signIn.browser.user ? undefined : newSessionOwner(signIn.browser.flows)) ?? signIn.flow.owner
    const result = await connect(signIn, owner, session, connection)
    return result.kind === 'unproven' ? askForSession(signIn, connection) : connected(signIn, owner, result)
  }

  /** Stores the connection and revokes the grant that it replaces; or revokes its grant, when it cannot be stored. */
  async function connect(
    { browser, flow, startedAtMs }: SignIn,
    owner: string,
    session: Session | undefined,
    connection: Connection
  ): Promise<Stored | { readonly kind: 'unproven' }> {
    const callback = { flow: flowId(flow), presentedFlows: browser.flows.map(flowId), startedAtMs }
    try {
      const result = await vault.connect(owner, session, connection, { account: flow.account, callback, browser, user: browser.user?.user })
      if ('replaced' in result) revocation.revokeReplaced(result.replaced, connection)
      if (result.kind === 'full') throw tooManyAccounts(connection.provider)
      if (result.kind === 'ended') throw signInInvalid('The session ended in the meantime.')
      return result
    } catch (error) {
      void revocation.revoke(connection)
      throw error
    }
  }

  async function connected(signIn: SignIn, owner: string, result: Stored): Promise<CompletedSignIn> {
    const { flow } = signIn
    const location = flow.returnTo
    if (result.kind === 'session') {
      const { session } = result
      await saveOutcome(signIn, { location, owner: session.owner, session: session.id })
      return { kind: 'redirect', location, completed: flow, session }
    }
    await saveOutcome(signIn, { location, owner })
    // Tabs that began at the same moment could not know of each other. A user's session has nothing to do with them.
    return { kind: 'redirect', location, completed: flow, ...(!isUserOwner(owner) && { owner }) }
  }

  /**
   * The owner has a session that this request does not show. Either another tab began it and its response was on the way, or an attacker
   * did, with a sign-in that was left in this browser. The browser's next request tells which.
   */
  async function askForSession(signIn: SignIn, connection: Connection): Promise<CompletedSignIn> {
    const { provider, flow } = signIn
    try {
      await outcomes.save(flowId(flow), { provider: provider.name, connection })
    } catch (error) {
      void revocation.revoke(connection)
      throw error
    }
    deferredTasks.schedule(async () => {
      if (!(await claimFinish(flow))) return
      await revocation.revoke(connection)
      await saveOutcome({ provider, flow }, { refusal: { code: 'state_invalid', detail: 'It was not finished in time. Connect again.' } })
    })
    return { kind: 'ask-again' }
  }

  /** True for the one caller that finishes a sign-in whose browser was asked for its session. */
  const claimFinish = (flow: Flow) => store.claim(`flow:${flowId(flow)}:finished`, flowLifetimeMs)

  /** The response with the other session may still be on the way, since its sign-in's cookie is presented. It may also be lost. */
  async function shouldAskAgain({ browser, flow }: SignIn): Promise<boolean> {
    if (await browser.findSession()) return false
    if (!(await vault.isResponsePending(newSessionOwner(browser.flows) ?? flow.owner, browser))) return false
    const { count } = await store.increment(`flow:${flowId(flow)}:asked`, flowLifetimeMs)
    const pauseMs = askAgainPausesMs[count - 1]
    if (pauseMs !== undefined) await sleep(pauseMs)
    return pauseMs !== undefined
  }

  async function finishAsked(signIn: SignIn, connection: Connection): Promise<CompletedSignIn> {
    const { browser, flow } = signIn
    if (await shouldAskAgain(signIn)) return { kind: 'ask-again' }
    if (!(await claimFinish(flow))) return repeatFirst(signIn)
    return recordingRefusal(signIn, async () => {
      const session = await browser.findSession()
      if (session && session.owner !== flow.owner) {
        void revocation.revoke(connection)
        throw signInInvalid('Another session has started in this browser in the meantime.')
      }
      const owner = session?.owner ?? newId()
      const result = await connect({ ...signIn, startedAtMs: clock.now() }, owner, session, connection)
      return connected(signIn, owner, result.kind === 'unproven' ? { kind: 'joined' } : result)
    })
  }

  /** This browser has no part in the session that gets the connection. */
  async function connectInvited(signIn: SignIn, { owner, redeem }: RedeemableInvitation, granted: Connection): Promise<CompletedSignIn> {
    const { connectedBy } = signIn.flow
    const connection = connectedBy === undefined ? granted : { ...granted, connectedBy: invitedPerson(connectedBy) }
    const result = await vault.connectInvited(owner, connection, redeem)
    if (!result) {
      void revocation.revoke(connection)
      throw new GatewayError('invitation_invalid', 'It was used or withdrawn while you were at the provider. Nothing was connected.')
    }
    if (result === 'full') {
      void revocation.revoke(connection)
      throw tooManyAccounts(connection.provider)
    }
    revocation.revokeReplaced(result.replaced, connection)
    const location = `${basePath}/invitations/thanks?provider=${signIn.provider.name}`
    await saveOutcome(signIn, { location })
    return { kind: 'redirect', location }
  }

  /** The browser brings the code to a page of the user who began the sign-in, whose bearer takes the grant with it. */
  async function handOver(signIn: SignIn, connection: Connection): Promise<CompletedSignIn> {
    const { provider, flow } = signIn
    try {
      const prepared = await revocation.prepare(connection, abandonedAfterMs)
      const { token } = await connectCodes.codes.issue({
        owner: flow.owner,
        connection,
        ...(flow.account !== undefined && { account: flow.account }),
        ...(prepared !== undefined && { revocation: prepared })
      })
      const location = appendParams(flow.returnTo, { connect_code: token, provider: provider.name })
      await saveOutcome(signIn, { location })
      return { kind: 'redirect', location }
    } catch (error) {
      void revocation.revoke(connection)
      throw error
    }
  }

  /** The outcome of the sign-in with this state, if the request may learn it. */
  async function findOutcome({ name }: SignInProvider, browser: CallbackBrowser, flow: Flow | undefined, state: string | undefined) {
    if (!flow && (state === undefined || !(browser.sessionRef || browser.user))) return undefined
    const outcome = await outcomes.find(flowId(flow ?? { state: state ?? '' }))
    return outcome?.provider === name ? outcome : undefined
  }

  /**
   * A callback that came before: it was reloaded, or its response was lost. The browser that began the sign-in is recognized by the
   * sign-in's cookie, or by the session that it has got since (`repeatInSession`). Any other browser learns nothing.
   */
  async function repeat(signIn: SignIn, outcome: SignInOutcome | undefined): Promise<CompletedSignIn> {
    if (!outcome) return { kind: 'redirect', location: refusedLocation(signIn, 'provider_timeout') }
    if ('connection' in outcome) return finishAsked(signIn, outcome.connection)
    if ('refusal' in outcome) throw recordedRefusal(outcome.refusal)
    const session = await signIn.browser.findSession()
    return {
      kind: 'resend',
      location: outcome.location,
      flow: signIn.flow,
      presented: session,
      started: sessionRefOf(outcome),
      isOwner: isOwnerOf(outcome, session)
    }
  }

  async function repeatInSession(browser: CallbackBrowser, outcome: SignInOutcome | undefined): Promise<CompletedSignIn> {
    const session = outcome && (browser.user ?? (await browser.findSession()))
    // A session whose id was rotated may be anybody's copy of the cookie.
    const isCopy = session !== undefined && 'superseded' in session && session.superseded !== undefined
    if (!outcome || !('location' in outcome) || !isOwnerOf(outcome, session) || isCopy) throw unknownState(browser)
    return { kind: 'redirect', location: outcome.location }
  }

  /** @throws {GatewayError} `state_invalid` when the first callback takes too long */
  const repeatFirst = async (signIn: SignIn) => repeat(signIn, await outcomes.waitFor(flowId(signIn.flow), maxRepeatWaitMs))

  /** Explains what may have kept the state from being one of this browser's. */
  function unknownState({ sentCookies }: CallbackBrowser): GatewayError {
    const nothing = 'Nothing was connected.'
    return new GatewayError(
      'state_invalid',
      // A browser with a sign-in in flight has at least that cookie.
      sentCookies
        ? `It was started in another browser, or too long ago, or it is finished already. ${nothing} Start again.`
        : `This browser sent no cookie: it blocks them, or the sign-in was started in another browser. ${nothing} Allow cookies for ${ownHost} and start again.`
    )
  }

  return completeSignIn
}

/** A callback that came back with its flow. */
type SignIn = {
  readonly provider: SignInProvider
  readonly browser: CallbackBrowser
  readonly flow: Flow
  /** When the callback arrived, or its sign-in was finished after the browser was asked for its session. */
  readonly startedAtMs: number
}

/** The connection is in a session. */
type Stored = { readonly kind: 'session'; readonly session: Session } | { readonly kind: 'joined' }

type WithoutProvider<T> = T extends unknown ? Omit<T, 'provider'> : never
type OutcomeOfProvider = WithoutProvider<SignInOutcome>

/** Why nothing was connected, as `connect_error` says it. */
export function connectErrorOf({ kind, reason, isClientRejected }: TokenEndpointError): string {
  if (kind === 'timeout') return 'provider_timeout'
  if (kind === 'invalid_value') return 'provider_error'
  if (kind !== 'refused') return 'provider_unavailable'
  return isClientRejected ? 'client_rejected' : (reason ?? 'provider_error')
}

const isOwnerOf = (outcome: SignInOutcome, session: Pick<Session, 'owner'> | undefined): boolean =>
  session !== undefined && 'owner' in outcome && session.owner === outcome.owner

const recordedRefusal = ({ code, detail }: { code: string; detail: string }) =>
  new GatewayError(isErrorCode(code) ? code : 'state_invalid', detail)

import t, { type Test } from 'tap'
import type { Connection, Grant } from '../../../src/core/connections/connection.ts'
import { GatewayError } from '../../../src/core/errors.ts'
import { createEvents } from '../../../src/core/events.ts'
import { createFlow, type Flow, flowId } from '../../../src/core/flow.ts'
import {
  type CallbackBrowser,
  type CallbackParams,
  type CompletedSignIn,
  createCompleteSignIn,
  type SignInProvider,
  signInInvalid
} from '../../../src/core/oauth/complete-sign-in.ts'
import { createConnectCodes } from '../../../src/core/oauth/connect-codes.ts'
import { createRevocation } from '../../../src/core/oauth/revocation.ts'
import { createSignInOutcomes } from '../../../src/core/oauth/sign-in-outcome.ts'
import type { AuthorizationCode, TokenEndpoint } from '../../../src/core/oauth/token-endpoint.ts'
import { TokenEndpointError } from '../../../src/core/oauth/token-response.ts'
import type { Store } from '../../../src/core/ports.ts'
import { LearntValueError } from '../../../src/core/provider/learn-values.ts'
import type { Session } from '../../../src/core/session.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createInvitations } from '../../../src/core/vault/invitations.ts'
import { createVault } from '../../../src/core/vault/vault.ts'
import { codeOfRejection, connectionIdleMs, grantOf, keyOf, limits, newKey, openInstance } from '../support.ts'

type World = ReturnType<typeof openWorld>

/**
 * The use case on the embedded store, with a token endpoint that issues `access-1` and `refresh-1`, then `access-2` and so on.
 * @param storeOfVault replaces methods of the store, for the vault alone
 */
function openWorld(t: Test, storeOfVault: Partial<Store> = {}) {
  const keys = [newKey()]
  const { store, clock } = openInstance(t, { keys })
  const cipher = createCipher(keys)
  const events = createEvents()
  const vault = createVault({ store: { ...store, ...storeOfVault }, cipher, limits, connectionIdleMs, clock, events })
  const invitations = createInvitations({ store, cipher, limits, connectionIdleMs, clock })
  const outcomes = createSignInOutcomes({ store, cipher })
  /** The arguments of every token request. */
  const exchanges: AuthorizationCode[] = []
  /** The tokens of every revocation request. */
  const revokedTokens: string[] = []
  /** Responses that replace the next ones. */
  const responses: Array<() => Grant | Promise<Grant>> = []
  const tokenEndpoint: TokenEndpoint = {
    async exchange(code) {
      const number = exchanges.push(code)
      const respond = responses.shift()
      return respond ? respond() : grantOf(`access-${number}`, `refresh-${number}`)
    },
    refresh: () => Promise.reject(new Error('a sign-in refreshes nothing')),
    revoke: async ({ token }) => void revokedTokens.push(token.reveal())
  }
  const revocation = createRevocation({ store, cipher, clock, events, endpointOf: () => tokenEndpoint, scopeOf: () => 'token' })
  const deferredTasks: Array<() => Promise<unknown>> = []
  /** The connections that were looked up, each of which becomes account 7. */
  const lookedUp: Connection[] = []
  /** Errors of the next look-ups. */
  const lookUpErrors: Error[] = []
  const completeSignIn = createCompleteSignIn({
    store,
    clock,
    events,
    vault,
    invitations,
    outcomes,
    connectCodes: createConnectCodes({ store, cipher, clock }),
    revocation,
    deferredTasks: { schedule: task => void deferredTasks.push(task), close: () => {} },
    ownHost: 'gateway.example',
    basePath: '',
    addAccount: async connection => {
      const error = lookUpErrors.shift()
      if (error) throw error
      lookedUp.push(connection)
      return { ...connection, account: 'Acme Inc.', accountId: '7' }
    }
  })
  /** The tokens that have been revoked when no revocation is in flight any more. */
  const revocations = async () => {
    await revocation.close(1_000)
    return revokedTokens
  }
  return {
    clock,
    vault,
    invitations,
    outcomes,
    exchanges,
    responses,
    tokenEndpoint,
    deferredTasks,
    lookedUp,
    lookUpErrors,
    completeSignIn,
    revocations
  }
}

/** A sign-in of a browser without a session. */
const startFlow = ({ clock }: World, parts: Partial<Flow> = {}): Flow => ({
  ...createFlow({ provider: 'acme', returnTo: '/done', owner: 'owner', startsSession: true }, clock.now()),
  ...parts
})

/** A browser that presents the cookies of these flows and of this session. */
const browserWith = ({ vault }: World, flows: readonly Flow[], session?: Session): CallbackBrowser => ({
  flows,
  sessionRef: session && { owner: session.owner, id: session.id },
  sentCookies: flows.length > 0 || session !== undefined,
  findSession: async () => session && (await vault.openAll(session, { flows }))?.session?.value
})

const acme = ({ tokenEndpoint }: World, parts: Partial<SignInProvider> = {}): SignInProvider => ({
  name: 'acme',
  requestedScopes: ['read'],
  redirectUri: 'https://gateway.example/auth/acme/callback',
  tokenEndpoint,
  checkIssuer: () => {},
  ...parts
})

const sendCallback = (
  world: World,
  flow: Flow,
  browser: CallbackBrowser = browserWith(world, [flow]),
  params: Partial<CallbackParams> = { code: 'code' }
): Promise<CompletedSignIn> =>
  world.completeSignIn(acme(world), { state: flow.state, code: undefined, error: undefined, iss: undefined, ...params }, browser)

/** A sign-in that begins a session. */
async function signIn(world: World): Promise<Session> {
  const result = await sendCallback(world, startFlow(world))
  if (result.kind !== 'redirect' || !result.session) throw new Error(`no session: ${result.kind}`)
  return result.session
}

t.test('a code is exchanged and stored as a connection, and redirects to return_to', async t => {
  const world = openWorld(t)
  const flow = startFlow(world)
  const result = await sendCallback(world, flow)
  t.match(result, { kind: 'redirect', location: '/done', completed: flow, session: { owner: 'owner' }, failure: undefined })
  t.strictSame(world.exchanges, [
    {
      code: 'code',
      redirectUri: 'https://gateway.example/auth/acme/callback',
      codeVerifier: flow.codeVerifier,
      parameters: undefined,
      callback: undefined
    }
  ])
  const stored = (await world.vault.readConnection(keyOf()))?.value
  t.match(stored, { provider: 'acme', method: 'oauth2', status: 'connected', scopes: ['read'] })
  t.equal(stored?.credential.reveal(), 'access-1')
  t.equal(stored?.refreshToken?.reveal(), 'refresh-1')
})

t.test('the account is looked up with the new grant and stored', async t => {
  const world = openWorld(t)
  await signIn(world)
  t.strictSame(
    world.lookedUp.map(({ credential }) => credential.reveal()),
    ['access-1']
  )
  t.match((await world.vault.readConnection(keyOf()))?.value, { account: 'Acme Inc.', accountId: '7' })
})

t.test('a sign-in that fails looks up no account', async t => {
  const world = openWorld(t)
  world.responses.push(() => Promise.reject(new TokenEndpointError('refused', 'a 400', 'invalid_grant')))
  await sendCallback(world, startFlow(world))
  t.strictSame(world.lookedUp, [])
})

t.test('a sign-in in a session rotates its id and revokes the replaced grant', async t => {
  const world = openWorld(t)
  const session = await signIn(world)
  const flow = startFlow(world, { startsSession: false })
  const result = await sendCallback(world, flow, browserWith(world, [flow], session))
  t.match(result, { kind: 'redirect', location: '/done', session: { owner: 'owner' } })
  t.not(result.kind === 'redirect' && result.session?.id, session.id)
  t.equal((await world.vault.readConnection(keyOf()))?.value.credential.reveal(), 'access-2')
  t.strictSame(await world.revocations(), ['refresh-1'])
})

t.test('a provider’s error redirects with connect_error and is recorded', async t => {
  for (const [error, reason] of [
    ['access_denied', 'access_denied'],
    ['<script>', 'provider_error'],
    [undefined, 'provider_error']
  ] as const) {
    const world = openWorld(t)
    const flow = startFlow(world)
    const location = `/done?connect_error=${reason}&provider=acme`
    t.strictSame(await sendCallback(world, flow, undefined, { error }), { kind: 'redirect', location, failure: 'authorization' })
    t.strictSame(await world.outcomes.find(flowId(flow)), { provider: 'acme', location })
    t.strictSame(world.exchanges, [])
  }
})

t.test('an error of the token endpoint redirects with connect_error and is recorded', async t => {
  for (const [error, reason] of [
    [new TokenEndpointError('timeout', 'no response'), 'provider_timeout'],
    [new TokenEndpointError('unavailable', 'a 503'), 'provider_unavailable'],
    [new TokenEndpointError('refused', 'a 400', 'invalid_grant'), 'invalid_grant'],
    [new TokenEndpointError('refused', 'a 401', 'invalid_client'), 'client_rejected']
  ] as const) {
    const world = openWorld(t)
    world.responses.push(() => Promise.reject(error))
    const flow = startFlow(world)
    const location = `/done?connect_error=${reason}&provider=acme`
    t.match(await sendCallback(world, flow), { kind: 'redirect', location, failure: error, session: undefined })
    t.strictSame(await world.outcomes.find(flowId(flow)), { provider: 'acme', location })
    t.equal(await world.vault.readConnection(keyOf()), undefined)
  }
})

t.test('the grant of a sign-in that cannot be used is revoked, with what the user has given', async t => {
  const world = openWorld(t)
  const grant = grantOf('access-9', 'refresh-9')
  world.responses.push(() => Promise.reject(new TokenEndpointError('invalid_value', 'the provider’s url is missing').withGrant(grant)))
  const result = await sendCallback(world, startFlow(world, { parameters: { shop: 'one' } }), undefined, {
    code: 'code',
    query: { realm: '7' }
  })
  t.match(result, { kind: 'redirect', location: '/done?connect_error=provider_error&provider=acme' })
  t.match(world.exchanges, [{ parameters: { shop: 'one' }, callback: { realm: '7' } }])
  t.strictSame(await world.revocations(), ['refresh-9'])
})

t.test('what the user has given is kept with the connection', async t => {
  const world = openWorld(t)
  await sendCallback(world, startFlow(world, { parameters: { shop: 'one' } }))
  t.strictSame((await world.vault.readConnection(keyOf()))?.value.parameters, { shop: 'one' })
})

t.test('a grant whose look-up lacks what the API needs is revoked, and connects nothing', async t => {
  const world = openWorld(t)
  world.lookUpErrors.push(new LearntValueError('cloud_id', 'is missing'))
  const result = await sendCallback(world, startFlow(world))
  const failure = { kind: 'invalid_value', message: 'the provider’s cloud_id is missing' }
  t.match(result, { kind: 'redirect', location: '/done?connect_error=provider_error&provider=acme', failure })
  t.equal(await world.vault.readConnection(keyOf()), undefined)
  t.strictSame(await world.revocations(), ['refresh-1'])
})

t.test('a callback repeated with its flow cookie repeats the outcome', async t => {
  const world = openWorld(t)
  const flow = startFlow(world)
  const first = await sendCallback(world, flow)
  const started = first.kind === 'redirect' && first.session && { owner: 'owner', id: first.session.id }
  t.strictSame(await sendCallback(world, flow), { kind: 'resend', location: '/done', flow, presented: undefined, started, isOwner: false })
  t.equal(world.exchanges.length, 1)
})

t.test('a callback repeated with its session alone repeats the redirect', async t => {
  const world = openWorld(t)
  const flow = startFlow(world)
  const first = await sendCallback(world, flow)
  const session = first.kind === 'redirect' ? first.session : undefined
  t.strictSame(await sendCallback(world, flow, browserWith(world, [], session)), { kind: 'redirect', location: '/done' })
  t.equal(world.exchanges.length, 1)
})

t.test('a callback repeated during the token request waits for its outcome', async t => {
  const world = openWorld(t)
  const tokenRequest = Promise.withResolvers<void>()
  const tokenResponse = Promise.withResolvers<Grant>()
  world.responses.push(() => {
    tokenRequest.resolve()
    return tokenResponse.promise
  })
  const flow = startFlow(world)
  const first = sendCallback(world, flow)
  await tokenRequest.promise
  const repeated = sendCallback(world, flow)
  tokenResponse.resolve(grantOf('access-1', 'refresh-1'))
  t.match(await first, { kind: 'redirect', location: '/done' })
  t.match(await repeated, { kind: 'resend', location: '/done' })
  t.equal(world.exchanges.length, 1)
})

t.test('a state that the browser did not start is refused before any token request', async t => {
  const world = openWorld(t)
  const flow = startFlow(world)
  for (const [what, browser] of [
    ['no cookie', browserWith(world, [])],
    ['another sign-in', browserWith(world, [startFlow(world)])],
    ['a sign-in at another provider', browserWith(world, [{ ...flow, provider: 'umbrella' }])]
  ] as const)
    t.equal(await codeOfRejection(sendCallback(world, flow, browser)), 'state_invalid', what)
  t.strictSame(world.exchanges, [])
})

t.test('a sign-in of an ended session is refused before any token request', async t => {
  const world = openWorld(t)
  const session = await signIn(world)
  const flow = startFlow(world, { startsSession: false })
  await world.vault.deleteOwner('owner')
  t.equal(await codeOfRejection(sendCallback(world, flow, browserWith(world, [flow], session))), 'state_invalid')
  t.equal(world.exchanges.length, 1, 'only that of the session’s first sign-in')
})

t.test('a wrong issuer is refused before any token request and keeps the state valid', async t => {
  const world = openWorld(t)
  const flow = startFlow(world)
  const params = { state: flow.state, code: 'code', error: undefined, iss: 'https://attacker.example' }
  const provider = acme(world, {
    checkIssuer(iss) {
      if (iss !== undefined) throw signInInvalid('It is another issuer.')
    }
  })
  t.equal(await codeOfRejection(world.completeSignIn(provider, params, browserWith(world, [flow]))), 'state_invalid')
  t.strictSame(world.exchanges, [])
  t.match(await sendCallback(world, flow), { kind: 'redirect', location: '/done' })
})

t.test('a grant that cannot be stored is revoked, and no outcome is recorded', async t => {
  const world = openWorld(t, { commit: () => Promise.reject(new GatewayError('store_unavailable', 'down')) })
  const flow = startFlow(world)
  t.equal(await codeOfRejection(sendCallback(world, flow)), 'store_unavailable')
  t.strictSame(await world.revocations(), ['refresh-1'])
  t.equal(await world.outcomes.find(flowId(flow)), undefined)
})

/** A sign-in whose session ends during its token request. */
async function completeWithoutSession(world: World) {
  const session = await signIn(world)
  const flow = startFlow(world, { startsSession: false })
  world.responses.push(async () => {
    await world.vault.deleteOwner('owner')
    return grantOf('access-2', 'refresh-2')
  })
  const browser = browserWith(world, [flow], session)
  return { flow, browser, code: await codeOfRejection(sendCallback(world, flow, browser)) }
}

t.test('a grant is revoked if its session ends during the token request', async t => {
  const world = openWorld(t)
  const { code } = await completeWithoutSession(world)
  t.equal(code, 'state_invalid')
  t.strictSame(await world.revocations(), ['refresh-2'])
})

t.test('a callback repeated after a refusal is refused again', async t => {
  const world = openWorld(t)
  const { flow, browser } = await completeWithoutSession(world)
  t.equal(await codeOfRejection(sendCallback(world, flow, browser)), 'state_invalid')
  t.equal(world.exchanges.length, 2, 'one for each sign-in')
})

/** Two sign-ins of one owner, of which each browser presents only its own. The first one has begun a session just now. */
async function completeUnproven(world: World): Promise<{ flow: Flow; result: CompletedSignIn }> {
  await signIn(world)
  const flow = startFlow(world)
  return { flow, result: await sendCallback(world, flow) }
}

t.test('a browser that does not present its owner’s new session is asked again', async t => {
  const world = openWorld(t)
  const { result } = await completeUnproven(world)
  t.strictSame(result, { kind: 'ask-again' })
  t.equal((await world.vault.readConnection(keyOf()))?.value.credential.reveal(), 'access-1', 'nothing is stored')
  t.equal(world.deferredTasks.length, 1)
})

t.test('a grant whose browser does not ask again in time is revoked', async t => {
  const world = openWorld(t)
  const { flow } = await completeUnproven(world)
  for (const task of world.deferredTasks) await task()
  t.equal(await codeOfRejection(sendCallback(world, flow)), 'state_invalid')
  t.strictSame(await world.revocations(), ['refresh-2'])
})

t.test('an invited user’s sign-in connects the inviter’s session alone', async t => {
  const world = openWorld(t)
  const session = await world.vault.createSession()
  const { invitation } = await world.invitations.create(session.owner, { provider: 'acme', name: 'Ada' })
  const flow = startFlow(world, { owner: session.owner, startsSession: false, invitation: invitation.id })
  const location = '/invitations/thanks?provider=acme'
  t.strictSame(await sendCallback(world, flow), { kind: 'redirect', location })
  t.equal((await world.vault.readConnection(keyOf(session.owner)))?.value.credential.reveal(), 'access-1')
})

t.test('a grant is revoked if its invitation is withdrawn during the token request', async t => {
  const world = openWorld(t)
  const session = await world.vault.createSession()
  const { invitation } = await world.invitations.create(session.owner, { provider: 'acme', name: 'Ada' })
  const flow = startFlow(world, { owner: session.owner, startsSession: false, invitation: invitation.id })
  world.responses.push(async () => {
    await world.invitations.withdraw(session.owner, invitation.id)
    return grantOf('access-1', 'refresh-1')
  })
  t.equal(await codeOfRejection(sendCallback(world, flow)), 'invitation_invalid')
  t.strictSame(await world.revocations(), ['refresh-1'])
})

import t, { type Test } from 'tap'
import { GatewayError } from '../../src/core/errors.ts'
import { Secret } from '../../src/core/secret.ts'
import type { LoginFlow } from '../../src/core/users/login-flow.ts'
import type { LoginResult, SignedInUser } from '../../src/identity/login-result.ts'
import { Browser } from '../support/browser.ts'
import { ada, grace, type IssuerUser, type OpenidIssuer } from '../support/openid-issuer.ts'
import { clientOf, paramsOf, redirectUri, startIssuerAndClient } from './login-support.ts'

const userOf = (result: LoginResult): SignedInUser => {
  if (result.kind !== 'signed_in') throw new Error(`nobody is signed in: ${result.error}`)
  return result.user
}

/** Signs a user in, from the redirect to the end of the callback. */
async function signIn(
  { issuer, client, newFlow }: Awaited<ReturnType<typeof startIssuerAndClient>>,
  user: IssuerUser | undefined = ada,
  browser?: Browser
) {
  const flow = newFlow()
  const params = paramsOf(await issuer.signInAt(await client.authorizationUrl(flow), user, browser))
  return { flow, params, complete: () => client.complete(params, flow) }
}

/** The error of a sign-in, which repeats nothing secret. */
async function failureOf(t: Test, work: Promise<unknown>): Promise<GatewayError> {
  const error = await work.then(
    () => t.fail('it was accepted'),
    error => error
  )
  if (!(error instanceof GatewayError)) throw error
  t.notMatch(`${error.stack} ${JSON.stringify(error)}`, /canary/, 'nothing secret is repeated')
  return error
}

const forgedCallback = (flow: LoginFlow, issuer: OpenidIssuer) =>
  new URLSearchParams({ code: 'code-canary', state: flow.state, iss: issuer.issuer })

t.test('a user signs in, and is named by the issuer’s subject', async t => {
  const world = await startIssuerAndClient(t)
  const user = userOf(await (await signIn(world)).complete())
  t.match(user, { subject: 'ada-1', name: 'Ada Lovelace', email: 'ada@example.com', sid: /.+/, idToken: Secret })
  t.notOk(world.issuer.requests.includes('GET /me'), 'the id token has the name, so that userinfo is not requested')
})

t.test('the authentication request has PKCE, state and nonce, and no secret', async t => {
  const { client, newFlow, issuer } = await startIssuerAndClient(t, {}, { acrValues: ['mfa', 'pwd'], maxAgeSeconds: 600 })
  const flow = newFlow()
  const url = new URL(await client.authorizationUrl(flow, { prompt: 'login', loginHint: 'ada@example.com' }))
  const { code_challenge, ...params } = Object.fromEntries(url.searchParams)
  t.strictSame(params, {
    client_id: issuer.clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: flow.state,
    nonce: flow.nonce,
    code_challenge_method: 'S256',
    acr_values: 'mfa pwd',
    max_age: '600',
    prompt: 'login',
    login_hint: 'ada@example.com'
  })
  t.match(code_challenge, /^[\w-]{43}$/)
  t.notMatch(url.href, flow.codeVerifier)
})

t.test('a public client signs in without a secret', async t => {
  const world = await startIssuerAndClient(t, { clientSecret: null })
  t.equal(userOf(await (await signIn(world)).complete()).subject, 'ada-1')
})

t.test('a name that is not in the id token comes from userinfo', async t => {
  const world = await startIssuerAndClient(t, { hasProfileInIdToken: false })
  t.match(userOf(await (await signIn(world, grace)).complete()), { subject: 'grace-2', name: 'Grace Hopper', email: 'grace@example.com' })
  t.ok(world.issuer.requests.includes('GET /me'))
})

t.test('a user who cancels is refused, and no code is exchanged', async t => {
  const world = await startIssuerAndClient(t)
  const flow = world.newFlow()
  const callback = await world.issuer.signInAt(await world.client.authorizationUrl(flow), undefined)
  t.strictSame(await world.client.complete(paramsOf(callback), flow), { kind: 'refused', error: 'access_denied' })
  t.notOk(world.issuer.requests.includes('POST /token'))
})

t.test('a sign-in without a page is refused while nobody is signed in at the issuer', async t => {
  const { issuer, client, newFlow } = await startIssuerAndClient(t)
  const browser = new Browser()
  const first = newFlow()
  const refused = await issuer.signInAt(await client.authorizationUrl(first, { prompt: 'none' }), ada, browser)
  t.strictSame(await client.complete(paramsOf(refused), first), { kind: 'refused', error: 'login_required' })

  await issuer.signInAt(await client.authorizationUrl(newFlow()), ada, browser)
  const second = newFlow()
  const silent = await issuer.signInAt(await client.authorizationUrl(second, { prompt: 'none' }), undefined, browser)
  t.equal(userOf(await client.complete(paramsOf(silent), second)).subject, 'ada-1')
})

t.test('SEC-50: a code is exchanged once', async t => {
  const { complete } = await signIn(await startIssuerAndClient(t))
  await complete()
  const error = await failureOf(t, complete())
  t.equal(error.code, 'state_invalid')
  t.match(error.message, 'has expired or been used')
})

t.test('SEC-50: a callback of another flow is refused without a token request', async t => {
  const world = await startIssuerAndClient(t)
  const { params } = await signIn(world)
  t.equal((await failureOf(t, world.client.complete(params, world.newFlow()))).code, 'state_invalid')
  t.notOk(world.issuer.requests.includes('POST /token'))
})

t.test('SEC-50: the code of another flow is refused by its PKCE verifier', async t => {
  const world = await startIssuerAndClient(t)
  const { params } = await signIn(world)
  const flow = world.newFlow()
  params.set('state', flow.state)
  t.equal((await failureOf(t, world.client.complete(params, flow))).code, 'state_invalid')
})

t.test('SEC-50: a response without iss is refused where the issuer announces it', async t => {
  const world = await startIssuerAndClient(t)
  for (const iss of [undefined, 'https://evil.example.com', `${world.issuer.issuer}/`]) {
    const { params, complete } = await signIn(world)
    if (iss === undefined) params.delete('iss')
    else params.set('iss', iss)
    t.equal((await failureOf(t, complete())).code, 'state_invalid', iss ?? 'missing')
  }
  t.notOk(world.issuer.requests.includes('POST /token'))
})

t.test('a repeated parameter and a callback without code are refused', async t => {
  const { issuer, client, newFlow } = await startIssuerAndClient(t)
  for (const change of ['&code=other', '&state=other', '&iss=https://evil.example.com']) {
    const flow = newFlow()
    const params = new URLSearchParams(`${forgedCallback(flow, issuer)}${change}`)
    t.equal((await failureOf(t, client.complete(params, flow))).code, 'state_invalid', change)
  }
  const flow = newFlow()
  const params = forgedCallback(flow, issuer)
  params.delete('code')
  t.equal((await failureOf(t, client.complete(params, flow))).code, 'state_invalid')
})

t.test('a sign-in that took longer than ten minutes is refused', async t => {
  const world = await startIssuerAndClient(t)
  const { complete } = await signIn(world)
  world.clock.advance(10 * 60_000)
  t.match(await failureOf(t, complete()), { code: 'state_invalid', message: /longer than ten minutes/ })
})

t.test('an id token that has expired is refused', async t => {
  const world = await startIssuerAndClient(t)
  world.clock.advance(20 * 60_000)
  const { complete } = await signIn(world)
  t.match(await failureOf(t, complete()), { code: 'state_invalid', message: /invalid "exp"/ })
})

t.test('a wrong client secret is the operator’s to mend', async t => {
  const world = await startIssuerAndClient(t, {}, { clientSecret: new Secret('wrong-canary') })
  const error = await failureOf(t, (await signIn(world)).complete())
  t.match(error, { code: 'client_rejected', status: 502 })
  t.match(error.message, /invalid_client.*Only its operator can fix that/)
})

t.test('an error of the issuer tells whose fault it is', async t => {
  const { issuer, client, newFlow } = await startIssuerAndClient(t)
  const outcomes = { invalid_scope: 'client_rejected', unauthorized_client: 'client_rejected', server_error: 'issuer_unavailable' }
  for (const [error, code] of Object.entries(outcomes)) {
    const flow = newFlow()
    const params = new URLSearchParams({ error, error_description: 'canary', state: flow.state, iss: issuer.issuer })
    t.equal((await failureOf(t, client.complete(params, flow))).code, code, error)
  }
  const flow = newFlow()
  const params = new URLSearchParams({ error: 'canary<script>', state: flow.state, iss: issuer.issuer })
  t.strictSame(await client.complete(params, flow), { kind: 'refused', error: 'provider_error' })
})

t.test('with LOGIN_ACR_VALUES a weaker sign-in is refused', async t => {
  const acrValues = ['mfa', 'pwd']
  const users = [
    { ...ada, acr: 'mfa' },
    { ...grace, acr: 'pwd' }
  ]
  const world = await startIssuerAndClient(t, { users, acrValues }, { acrValues: ['mfa'] })
  t.equal(userOf(await (await signIn(world, ada)).complete()).subject, 'ada-1')
  t.match(await failureOf(t, (await signIn(world, grace)).complete()), {
    code: 'state_invalid',
    message: /not as strong as LOGIN_ACR_VALUES/
  })
})

t.test('with LOGIN_MAX_AGE the id token tells when the user signed in', async t => {
  const world = await startIssuerAndClient(t, {}, { maxAgeSeconds: 300 })
  const user = userOf(await (await signIn(world)).complete())
  t.ok(Math.abs(Number(user.authTimeMs) - Date.now()) < 60_000)
})

t.test('keys that the issuer has rotated are fetched', async t => {
  const world = await startIssuerAndClient(t)
  await (await signIn(world)).complete()
  await world.issuer.rotateKeys()
  world.clock.advance(30_000)
  t.equal(userOf(await (await signIn(world)).complete()).subject, 'ada-1')
})

t.test('an issuer that is down at the start is used when it is back', async t => {
  const { issuer, client, newFlow, clock } = await startIssuerAndClient(t)
  await issuer.pause()
  const error = await failureOf(t, client.authorizationUrl(newFlow()))
  t.match(error, {
    code: 'issuer_unavailable',
    status: 503,
    retryAfter: 5,
    message: /the discovery document of the issuer could not be fetched \(ECONNREFUSED\)/
  })
  await issuer.resume()
  t.equal((await failureOf(t, client.authorizationUrl(newFlow()))).code, 'issuer_unavailable', 'there is a pause between two tries')
  clock.advance(5_000)
  t.match(await client.authorizationUrl(newFlow()), issuer.issuer)
})

t.test('an issuer that goes down keeps its metadata', async t => {
  const { issuer, client, newFlow, clock } = await startIssuerAndClient(t)
  const discoveries = () => issuer.requests.filter(request => request.includes('openid-configuration')).length
  await Promise.all([1, 2, 3].map(() => client.authorizationUrl(newFlow())))
  t.equal(discoveries(), 1, 'sign-ins at the same time share a request')
  await issuer.pause()
  for (let hours = 1; hours <= 48; hours++) {
    clock.advance(3_600_000)
    t.match(await client.authorizationUrl(newFlow()), issuer.issuer)
  }
})

t.test('a sign-out leads to the issuer and back', async t => {
  const postLogoutRedirectUri = 'http://localhost:3000/'
  const world = await startIssuerAndClient(t, { postLogoutRedirectUris: [postLogoutRedirectUri] })
  const browser = new Browser()
  const { idToken } = userOf(await (await signIn(world, ada, browser)).complete())
  const url = await world.client.endSessionUrl({ idToken, postLogoutRedirectUri, state: 'state-1' })
  t.equal(await world.issuer.signOutAt(String(url), browser), `${postLogoutRedirectUri}?state=state-1`)
  const flow = world.newFlow()
  const silent = await world.issuer.signInAt(await world.client.authorizationUrl(flow, { prompt: 'none' }), ada, browser)
  t.strictSame(await world.client.complete(paramsOf(silent), flow), { kind: 'refused', error: 'login_required' })
})

t.test('a sign-out needs no issuer', async t => {
  const { issuer, client } = await startIssuerAndClient(t)
  await issuer.pause()
  t.equal(await client.endSessionUrl({ postLogoutRedirectUri: 'http://localhost:3000/' }), undefined)
})

t.test('two clients of one issuer do not share what they know', async t => {
  const { issuer } = await startIssuerAndClient(t)
  const [one, two] = [clientOf(issuer), clientOf(issuer)]
  await one.client.authorizationUrl(one.newFlow())
  await two.client.authorizationUrl(two.newFlow())
  t.equal(issuer.requests.length, 2)
})

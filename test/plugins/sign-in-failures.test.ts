import { pino } from 'pino'
import t, { type Test } from 'tap'
import { logFailure } from '../../plugins/routes/sign-in/failures.ts'
import { TokenEndpointError } from '../../src/core/oauth/token-response.ts'
import { Browser } from '../support/browser.ts'
import { assertConnectError, assertProblem, type ConnectedGateway, startConnected } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'

const secret = 'client-secret-canary'

async function startSignIn(gateway: TestGateway, browser: Browser, returnTo = '/done') {
  const response = await browser.request(`${gateway.url}/auth/productboard?return_to=${encodeURIComponent(returnTo)}`)
  const state = new URL(response.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const sendCallback = (query: Record<string, string> = { code: 'code-canary-1' }, init: RequestInit = {}) =>
    browser.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ state, ...query })}`, init)
  return { state, sendCallback }
}

const linesWith = ({ logs }: TestGateway, text: string) => logs.filter(line => line.includes(text)).map(line => JSON.parse(line))

t.test('a failure at the token endpoint redirects to return_to with connect_error', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  const cases: ReadonlyArray<[token: FakeProvider['token'], code: string]> = [
    [(_, r) => void r.writeHead(503).end(), 'provider_unavailable'],
    [(_, r) => void r.writeHead(429, { 'retry-after': '600' }).end(), 'provider_unavailable'],
    [(_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Back soon'), 'provider_unavailable'],
    [(_, r) => json(r, 400, { error: 'invalid_grant' }), 'invalid_grant'],
    [(_, r) => json(r, 401, { error: 'invalid_client' }), 'client_rejected'],
    [(_, r) => json(r, 400, { error: 'unauthorized_client' }), 'client_rejected'],
    [(_, r) => json(r, 400, { error: 'made_up' }), 'provider_error']
  ]
  for (const [token, code] of cases) {
    provider.token = token
    const browser = new Browser()
    const { sendCallback } = await startSignIn(gateway, browser, '/done?a=1#part')
    const response = await sendCallback(undefined, { headers: { accept: 'text/html' } })
    assertConnectError(t, response, code)
    t.equal(response.headers.get('location'), `/done?a=1&connect_error=${code}&provider=productboard#part`)
  }
  const rejections = linesWith(gateway, 'client_rejected').concat(linesWith(gateway, '"reason":"invalid_client"'))
  t.match(rejections, [{ level: 50, provider: 'productboard' }], 'an error for the operator, who alone can correct the client')
})

t.test('an error in a 200 redirects with connect_error too', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  provider.token = (_, r) => json(r, 200, { error: 'bad_verification_code' })
  const { sendCallback } = await startSignIn(gateway, new Browser())
  const { status, headers } = await sendCallback()
  t.equal(status, 303)
  t.match(headers.get('location'), /^\/done\?connect_error=provider_\w+&provider=productboard$/)
})

t.test('the page explains connect_error and suggests a retry only where one can help', async t => {
  const { gateway, browser } = await startConnected(t)
  const messageFor = async (code: string) => {
    const { text } = await browser.visit(`${gateway.url}/?connect_error=${code}&provider=productboard`)
    return /<p id="message"[^>]*>(.*?)<\/p>/s.exec(text)?.[1] ?? ''
  }
  t.match(await messageFor('provider_unavailable'), /problem of its own just now.*Try Productboard again/s)
  t.match(await messageFor('provider_timeout'), /took too long to answer.*Try Productboard again/s)
  t.match(await messageFor('client_rejected'), 'Somebody who runs this site has to correct its settings')
  t.notMatch(await messageFor('client_rejected'), 'Try Productboard again')
})

t.test('an invitation stays open after a failed sign-in', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  const invitation = await new Browser().fetch(`${gateway.url}/connections/productboard/invitation`, { method: 'POST' })
  const { url } = (await invitation.json()) as { url: string }
  const invitee = new Browser()
  const accept = async () => {
    const accepted = await invitee.request(`${url}/accept`, { method: 'POST', headers: { origin: gateway.url } })
    const state = new URL(accepted.headers.get('location') ?? '').searchParams.get('state') ?? ''
    return invitee.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ state, code: 'c' })}`)
  }
  provider.token = (_, r) => void r.writeHead(503).end()
  const failed = await accept()
  assertConnectError(t, failed, 'provider_unavailable')
  const page = await invitee.visit(gateway.url + failed.headers.get('location'))
  t.match(page.text, /Productboard was not connected\.<\/strong> It has a problem of its own just now/)
  provider.token = (_, r) => json(r, 200, { access_token: 'a', token_type: 'bearer' })
  t.match((await accept()).headers.get('location'), '/invitations/thanks')
})

t.test('an invalid callback links to a new sign-in, as problem and as page', async t => {
  const { gateway, browser, clock } = await startConnected(t)
  const callback = `${gateway.url}/auth/productboard/callback`
  const { state, sendCallback } = await startSignIn(gateway, browser)
  clock.advance(10 * 60_000)
  for (const query of ['', '?', '?state=unknown&code=c', `?state=${state}&code=c`, '?error=access_denied', '?state=a&state=b']) {
    const { connectUrl, provider } = await assertProblem(t, await browser.request(callback + query), 400, 'state_invalid')
    t.same({ connectUrl, provider }, { connectUrl: `${gateway.url}/connect/productboard`, provider: 'productboard' }, query)
    const page = await browser.visit(callback + query)
    t.equal(page.status, 400)
    t.match(page.text, `<a class="button" href="${gateway.url}/connect/productboard">Connect again</a>`, query)
  }
  await assertProblem(t, await sendCallback(), 400, 'state_invalid')
})

t.test('a callback without any cookie gets an error about cookies', async t => {
  const { gateway, browser } = await startConnected(t)
  const callback = `${gateway.url}/auth/productboard/callback?code=c&state=unknown`
  const { host } = new URL(gateway.url)
  const bare = await assertProblem(t, await new Browser().request(callback), 400, 'state_invalid')
  t.match(bare.detail, /sent no cookie/)
  t.match(bare.detail, `Allow cookies for ${host}`)
  t.notMatch((await assertProblem(t, await browser.request(callback), 400, 'state_invalid')).detail, 'cookies')
})

t.test('an unsolicited code is not used, and the gateway’s own sign-in is offered', async t => {
  const { gateway, browser, provider } = await startConnected(t)
  const requestCount = provider.seen.token.length
  for (const query of ['code=code-canary', 'code=code-canary&installation_id=1&setup_action=install', 'code=code-canary&state=']) {
    const callback = `${gateway.url}/auth/productboard/callback?${query}`
    for (const visitor of [browser, new Browser()]) {
      const { detail, connectUrl } = await assertProblem(t, await visitor.request(callback), 400, 'state_invalid')
      t.match(detail, /Productboard sent you here .* Connect Productboard here to finish/)
      t.equal(connectUrl, `${gateway.url}/connect/productboard`)
      const page = await visitor.visit(callback)
      t.match({ status: page.status, code: page.headers.get('grantkeeper-error') }, { status: 400, code: 'state_invalid' })
      t.match(page.text, '<h1>Connect Productboard</h1>')
      t.match(page.text, '<p class="callout">Productboard sent you here')
      t.match(page.text, `href="${gateway.url}/auth/productboard?return_to=${encodeURIComponent('/?connected=productboard')}"`)
      t.notMatch(page.text, 'code-canary')
    }
  }
  t.equal(provider.seen.token.length, requestCount)
})

const issuersIn = (gateway: TestGateway) => linesWith(gateway, 'PRODUCTBOARD_ISSUER').map(line => line.seen)

async function refuseIssuer(t: Test, { gateway, browser }: ConnectedGateway, iss: string): Promise<void> {
  const { sendCallback } = await startSignIn(gateway, browser)
  await assertProblem(t, await sendCallback({ code: 'c', iss }), 400, 'state_invalid')
}

t.test('a wrong issuer is logged once, with the variable to set', async t => {
  const s = await startConnected(t)
  for (let i = 0; i < 2; i++) await refuseIssuer(t, s, 'https://id.example.com/tenant')
  t.match(linesWith(s.gateway, 'PRODUCTBOARD_ISSUER'), [{ level: 40, provider: 'productboard', variable: 'PRODUCTBOARD_ISSUER' }])
  t.strictSame(issuersIn(s.gateway), ['https://id.example.com/tenant'])
})

t.test('of a wrong issuer only the origin and path are logged', async t => {
  const s = await startConnected(t)
  await refuseIssuer(t, s, 'https://user:pass-canary@id.example.com/?query-canary#fragment-canary')
  await refuseIssuer(t, s, 'javascript:canary')
  await refuseIssuer(t, s, 'iss-canary\r\nforged')
  t.strictSame(issuersIn(s.gateway), ['https://id.example.com/', 'no URL'])
  t.notMatch(s.gateway.logs.join(''), 'canary')
})

t.test('at most twenty wrong issuers are logged, each truncated', async t => {
  const s = await startConnected(t)
  for (let i = 0; i < 30; i++) await refuseIssuer(t, s, `https://${i}.example.com/${'x'.repeat(300)}`)
  t.equal(issuersIn(s.gateway).length, 20)
  t.ok(issuersIn(s.gateway).every(text => text.length <= 200))
})

t.test('a callback without the required issuer is logged', async t => {
  const { gateway, browser } = await startConnected(t)
  const strict = await startGateway(t, {
    environment: { PRODUCTBOARD_CLIENT_ID: 'a', PRODUCTBOARD_CLIENT_SECRET: 'b', PRODUCTBOARD_ISSUER: 'https://id.example.com' }
  })
  await assertProblem(t, await (await startSignIn(strict, browser)).sendCallback(), 400, 'state_invalid')
  t.match(linesWith(strict, 'PRODUCTBOARD_ISSUER'), [{ seen: 'none', expected: 'https://id.example.com' }])
  t.same(linesWith(gateway, 'PRODUCTBOARD_ISSUER'), [])
})

t.test('the provider’s error is logged on one line, without what was sent', async t => {
  const { gateway, browser } = await startConnected(t)
  const { state, sendCallback } = await startSignIn(gateway, browser)
  const description = `App not\r\napproved (state ${state}) \u202e${'x y '.repeat(200)}`
  const response = await sendCallback({ error: 'app_not_approved', error_description: description })
  assertConnectError(t, response, 'provider_error')
  t.notMatch(response.headers.get('location'), 'approved')
  const [line, ...others] = linesWith(gateway, 'app_not_approved')
  t.same(others, [])
  t.match(line, { level: 40, provider: 'productboard', reason: 'app_not_approved', description: /^App not approved \(state …\) x y / })
  t.equal(line.description.length, 200)
  t.notMatch(gateway.logs.join(''), state)
})

t.test('a callback with neither a code nor an error redirects to return_to', async t => {
  const { gateway, browser } = await startConnected(t)
  const { sendCallback } = await startSignIn(gateway, browser)
  assertConnectError(t, await sendCallback({}), 'provider_error')
  t.equal(linesWith(gateway, 'neither a code nor an error').length, 1)
})

t.test('an error of the token endpoint is logged with status, code and description', async t => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const details = {
    status: 403,
    code: 'app_suspended\n',
    description: `The app was\r\nsuspended. Code code-canary-1 is not used. ${'x'.repeat(300)}`
  }
  logFailure(log, 'acme', new TokenEndpointError('refused', 'it was refused', undefined, details), ['code-canary-1'])
  const logged = { provider: 'acme', kind: 'refused', status: 403, vendorCode: 'app_suspended' }
  t.match(
    lines.map(line => JSON.parse(line)),
    [{ level: 40, ...logged, description: /^The app was suspended\. Code … is not used\. x{150,170}$/ }]
  )
})

t.test('the log of a token endpoint’s error contains nothing that was sent', async t => {
  const { gateway, browser, provider } = await startConnected(t)
  const { state, sendCallback } = await startSignIn(gateway, browser)
  provider.token = ({ body }, r) => json(r, 400, { error: 'invalid_request', error_description: `bad request: ${body} ${secret}` })
  assertConnectError(t, await sendCallback(), 'invalid_request')
  const verifier = new URLSearchParams(provider.seen.token.at(-1)?.body.toString()).get('code_verifier') ?? ''
  t.equal(linesWith(gateway, '"reason":"invalid_request"').length, 1)
  for (const sent of [secret, 'code-canary-1', state, verifier]) t.notOk(gateway.logs.join('').includes(sent), sent)
})

import { pino } from 'pino'
import t from 'tap'
import { logFailure } from '../../plugins/routes/sign-in/failures.ts'
import { TokenEndpointError } from '../../src/core/oauth/token-response.ts'
import { Browser } from '../support/browser.ts'
import { assertConnectError, assertProblem, startConnected } from '../support/connected.ts'
import { type FakeProvider, json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'

const secret = 'client-secret-canary'

async function begin(gateway: TestGateway, browser: Browser, returnTo = '/done') {
  const answer = await browser.request(`${gateway.url}/auth/productboard?return_to=${encodeURIComponent(returnTo)}`)
  const state = new URL(answer.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const back = (query: Record<string, string> = { code: 'code-canary-1' }, init: RequestInit = {}) =>
    browser.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ state, ...query })}`, init)
  return { state, back }
}

const linesWith = ({ logs }: TestGateway, text: string) => logs.filter(line => line.includes(text)).map(line => JSON.parse(line))

t.test('whatever the token endpoint answers, the person goes back where they began, and is told why', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  const cases: ReadonlyArray<[answer: FakeProvider['token'], code: string]> = [
    [(_, r) => void r.writeHead(503).end(), 'provider_unavailable'],
    [(_, r) => void r.writeHead(429, { 'retry-after': '600' }).end(), 'provider_unavailable'],
    [(_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Back soon'), 'provider_unavailable'],
    [(_, r) => json(r, 400, { error: 'invalid_grant' }), 'invalid_grant'],
    [(_, r) => json(r, 401, { error: 'invalid_client' }), 'client_rejected'],
    [(_, r) => json(r, 400, { error: 'unauthorized_client' }), 'client_rejected'],
    [(_, r) => json(r, 400, { error: 'made_up' }), 'provider_error']
  ]
  for (const [answer, code] of cases) {
    provider.token = answer
    const browser = new Browser()
    const { back } = await begin(gateway, browser, '/done?a=1#part')
    const answered = await back(undefined, { headers: { accept: 'text/html' } })
    assertConnectError(t, answered, code)
    t.equal(answered.headers.get('location'), `/done?a=1&connect_error=${code}&provider=productboard#part`)
  }
  const refusal = linesWith(gateway, 'client_rejected').concat(linesWith(gateway, '"reason":"invalid_client"'))
  t.match(refusal, [{ level: 50, provider: 'productboard' }], 'only the operator can correct their client, and is told loudly')
})

t.test('a refusal inside a 200 sends the person back too', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  provider.token = (_, r) => json(r, 200, { error: 'bad_verification_code' })
  const { back } = await begin(gateway, new Browser())
  const { status, headers } = await back()
  t.equal(status, 303)
  t.match(headers.get('location'), /^\/done\?connect_error=provider_\w+&provider=productboard$/)
})

t.test('each code that a sign-in may come back with has words for the person, and none is told to try what cannot help', async t => {
  const { gateway, browser } = await startConnected(t)
  const said = async (code: string) => {
    const { text } = await browser.visit(`${gateway.url}/?connect_error=${code}&provider=productboard`)
    return /<p id="message"[^>]*>(.*?)<\/p>/s.exec(text)?.[1] ?? ''
  }
  t.match(await said('provider_unavailable'), /problem of its own just now.*Try Productboard again/s)
  t.match(await said('provider_timeout'), /took too long to answer.*Try Productboard again/s)
  t.match(await said('client_rejected'), 'Somebody who runs this site has to correct its settings')
  t.notMatch(await said('client_rejected'), 'Try Productboard again')
})

t.test('an invited person whose sign-in fails at the token endpoint is back on the page of the invitation, which still works', async t => {
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { environment: provider.environment })
  const made = await new Browser().fetch(`${gateway.url}/connections/productboard/invitation`, { method: 'POST' })
  const { url } = (await made.json()) as { url: string }
  const admin = new Browser()
  const accept = async () => {
    const accepted = await admin.request(`${url}/accept`, { method: 'POST', headers: { origin: gateway.url } })
    const state = new URL(accepted.headers.get('location') ?? '').searchParams.get('state') ?? ''
    return admin.request(`${gateway.url}/auth/productboard/callback?${new URLSearchParams({ state, code: 'c' })}`)
  }
  provider.token = (_, r) => void r.writeHead(503).end()
  const failed = await accept()
  assertConnectError(t, failed, 'provider_unavailable')
  const page = await admin.visit(gateway.url + failed.headers.get('location'))
  t.match(page.text, /Productboard was not connected\.<\/strong> It has a problem of its own just now/)
  provider.token = (_, r) => json(r, 200, { access_token: 'a', token_type: 'bearer' })
  t.match((await accept()).headers.get('location'), '/invitations/thanks')
})

t.test('a callback that cannot be finished offers to begin again, to a person and to a script', async t => {
  const { gateway, browser, clock } = await startConnected(t)
  const callback = `${gateway.url}/auth/productboard/callback`
  const { state, back } = await begin(gateway, browser)
  clock.advance(10 * 60_000)
  for (const query of ['', '?', '?state=unknown&code=c', `?state=${state}&code=c`, '?error=access_denied', '?state=a&state=b']) {
    const { connectUrl, provider } = await assertProblem(t, await browser.request(callback + query), 400, 'state_invalid')
    t.same({ connectUrl, provider }, { connectUrl: `${gateway.url}/auth/productboard`, provider: 'productboard' }, query)
    const page = await browser.visit(callback + query)
    t.equal(page.status, 400)
    t.match(page.text, `<a class="button" href="${gateway.url}/auth/productboard">Connect again</a>`, query)
  }
  await assertProblem(t, await back(), 400, 'state_invalid')
})

t.test('who comes back without any cookie is told of cookies', async t => {
  const { gateway, browser } = await startConnected(t)
  const callback = `${gateway.url}/auth/productboard/callback?code=c&state=unknown`
  const { host } = new URL(gateway.url)
  const bare = await assertProblem(t, await new Browser().request(callback), 400, 'state_invalid')
  t.match(bare.detail, /sent no cookie/)
  t.match(bare.detail, `Allow cookies for ${host}`)
  t.notMatch((await assertProblem(t, await browser.request(callback), 400, 'state_invalid')).detail, 'cookies')
})

t.test('a code that comes without a state, as from a vendor’s marketplace, is not used: our own sign-in is offered', async t => {
  const { gateway, browser, provider } = await startConnected(t)
  const calls = provider.seen.token.length
  for (const query of ['code=code-canary', 'code=code-canary&installation_id=1&setup_action=install', 'code=code-canary&state=']) {
    const callback = `${gateway.url}/auth/productboard/callback?${query}`
    for (const person of [browser, new Browser()]) {
      const { detail, connectUrl } = await assertProblem(t, await person.request(callback), 400, 'state_invalid')
      t.match(detail, /Productboard sent you here .* Connect Productboard here to finish/)
      t.equal(connectUrl, `${gateway.url}/auth/productboard`)
      const page = await person.visit(callback)
      t.match({ status: page.status, code: page.headers.get('grantkeeper-error') }, { status: 400, code: 'state_invalid' })
      t.match(page.text, '<h1>Connect Productboard</h1>')
      t.match(page.text, '<p class="callout">Productboard sent you here')
      t.match(page.text, `href="${gateway.url}/auth/productboard?return_to=${encodeURIComponent('/?connected=productboard')}"`)
      t.notMatch(page.text, 'code-canary')
    }
  }
  t.equal(provider.seen.token.length, calls)
})

t.test('an issuer that is not the provider’s is logged once, with the variable to set, and so are not more than a few', async t => {
  const { gateway, browser } = await startConnected(t)
  const refuse = async (iss: string) =>
    assertProblem(t, await (await begin(gateway, browser)).back({ code: 'c', iss }), 400, 'state_invalid')
  const seen = () => linesWith(gateway, 'PRODUCTBOARD_ISSUER').map(line => line.seen)
  for (let i = 0; i < 2; i++) await refuse('https://id.example.com/tenant')
  t.match(linesWith(gateway, 'PRODUCTBOARD_ISSUER'), [{ level: 40, provider: 'productboard', variable: 'PRODUCTBOARD_ISSUER' }])
  await refuse('https://user:pass-canary@id.example.com/?query-canary#fragment-canary')
  await refuse('javascript:canary')
  await refuse('iss-canary\r\nforged')
  t.strictSame(seen(), ['https://id.example.com/tenant', 'https://id.example.com/', 'no URL'])
  t.notMatch(gateway.logs.join(''), 'canary')
  for (let i = 0; i < 30; i++) await refuse(`https://${i}.example.com/${'x'.repeat(300)}`)
  t.equal(seen().length, 20)
  t.ok(seen().every(text => text.length <= 200))
})

t.test('where an issuer is asked for, it is logged that a callback named none', async t => {
  const { gateway, browser } = await startConnected(t)
  const strict = await startGateway(t, {
    environment: { PRODUCTBOARD_CLIENT_ID: 'a', PRODUCTBOARD_CLIENT_SECRET: 'b', PRODUCTBOARD_ISSUER: 'https://id.example.com' }
  })
  await assertProblem(t, await (await begin(strict, browser)).back(), 400, 'state_invalid')
  t.match(linesWith(strict, 'PRODUCTBOARD_ISSUER'), [{ seen: 'none', expected: 'https://id.example.com' }])
  t.same(linesWith(gateway, 'PRODUCTBOARD_ISSUER'), [])
})

t.test('why a provider refused stands in the log in one line, without what was sent, and nowhere else', async t => {
  const { gateway, browser } = await startConnected(t)
  const { state, back } = await begin(gateway, browser)
  const description = `App not\r\napproved (state ${state}) \u202e${'x y '.repeat(200)}`
  const answer = await back({ error: 'app_not_approved', error_description: description })
  assertConnectError(t, answer, 'provider_error')
  t.notMatch(answer.headers.get('location'), 'approved')
  const [line, ...others] = linesWith(gateway, 'app_not_approved')
  t.same(others, [])
  t.match(line, { level: 40, provider: 'productboard', reason: 'app_not_approved', description: /^App not approved \(state …\) x y / })
  t.equal(line.description.length, 200)
  t.notMatch(gateway.logs.join(''), state)
})

t.test('a person who is sent back with neither a code nor an error goes back where they began', async t => {
  const { gateway, browser } = await startConnected(t)
  const { back } = await begin(gateway, browser)
  assertConnectError(t, await back({}), 'provider_error')
  t.equal(linesWith(gateway, 'neither a code nor an error').length, 1)
})

t.test('what a token endpoint said of its refusal stands in one line: its status, its own code and its words', async t => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const details = {
    status: 403,
    code: 'app_suspended\n',
    description: `The app was\r\nsuspended. Code code-canary-1 is not used. ${'x'.repeat(300)}`
  }
  logFailure(log, 'acme', new TokenEndpointError('refused', 'it was refused', undefined, details), ['code-canary-1'])
  const said = { provider: 'acme', kind: 'refused', status: 403, vendorCode: 'app_suspended' }
  t.match(
    lines.map(line => JSON.parse(line)),
    [{ level: 40, ...said, description: /^The app was suspended\. Code … is not used\. x{150,170}$/ }]
  )
})

t.test('the log of a token endpoint’s refusal holds nothing of what was sent', async t => {
  const { gateway, browser, provider } = await startConnected(t)
  const { state, back } = await begin(gateway, browser)
  provider.token = ({ body }, r) => json(r, 400, { error: 'invalid_request', error_description: `bad request: ${body} ${secret}` })
  assertConnectError(t, await back(), 'invalid_request')
  const verifier = new URLSearchParams(provider.seen.token.at(-1)?.body.toString()).get('code_verifier') ?? ''
  t.equal(linesWith(gateway, '"reason":"invalid_request"').length, 1)
  for (const sent of [secret, 'code-canary-1', state, verifier]) t.notOk(gateway.logs.join('').includes(sent), sent)
})

import t, { type Test } from 'tap'
import type { ConnectionView } from '../../src/core/connections/view.ts'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

const withKeys = (t: Test, environment: Record<string, string> = {}) =>
  startGateway(t, {
    environment: { PROVIDERS: 'process-street,outgrow', OUTGROW_CLIENT_ID: 'i', OUTGROW_CLIENT_SECRET: 's', ...environment }
  })
const returns = (html: string) => /data-return-to="([^"]*)"/.exec(html)?.[1]

t.test('the page of one provider offers its enabled methods and keeps return_to', async t => {
  const gateway = await withKeys(t, { ALLOWED_ORIGINS: 'https://app.example.com' })
  const browser = new Browser()
  const open = async (rest: string) => (await browser.visit(`${gateway.url}/connect/${rest}`)).text

  const keysOnly = await open('process-street')
  t.equal(returns(keysOnly), '/?connected=process-street')
  t.notMatch(keysOnly, '/auth/')
  t.match(keysOnly, /<li>Choose New API Key and give it a name\.<\/li>/)

  const there = 'https://app.example.com/list?page=2#here'
  const both = await open(`outgrow?return_to=${encodeURIComponent(there)}`)
  t.equal(returns(both), there)
  t.match(both, `href="${gateway.url}/auth/outgrow?return_to=${encodeURIComponent(there)}"`)
  t.equal(returns(await open(`outgrow?return_to=${encodeURIComponent('/a?"><script>')}`)), '/a?%22%3E%3Cscript%3E')
  t.equal(returns(await open('outgrow?return_to=')), '/?connected=outgrow')
})

t.test('the page of one provider rejects other return URLs and disabled providers', async t => {
  const gateway = await withKeys(t)
  const browser = new Browser()
  for (const rest of [
    'return_to=https://elsewhere.example',
    'return_to=//elsewhere.example',
    'return_to=javascript:alert(1)',
    'return_to=/a&return_to=/b'
  ])
    await assertProblem(t, await browser.request(`${gateway.url}/connect/outgrow?${rest}`), 400, 'return_to_rejected')
  for (const name of ['productboard', 'nobody', '__proto__'])
    await assertProblem(t, await browser.request(`${gateway.url}/connect/${name}`), 404, 'provider_unknown')
  const { status, text } = await browser.visit(`${gateway.url}/connect/nobody`)
  t.equal(status, 404)
  t.match(text, '<h1>No such provider</h1>')
})

t.test('without its script the key form puts no key into a URL', async t => {
  const gateway = await withKeys(t)
  const { text } = await new Browser().visit(`${gateway.url}/connect/outgrow`)
  const [form] = /<form class="key-form"[\s\S]*?<\/form>/.exec(text) ?? ['']
  t.match(form, 'method="post"')
  t.match(form, '<input id="key-outgrow" type="password"')
  t.notMatch(form, / name="/)
})

t.test('the card shows when access ends only if it is not renewed', async t => {
  const page = async (s: Awaited<ReturnType<typeof startConnected>>) => (await s.browser.visit(s.gateway.url)).text
  const renewed = await startConnected(t)
  t.notMatch(await page(renewed), '<dt>Ends</dt>')
  const ending = await startConnected(t, { token: (_, r) => json(r, 200, tokens({ refresh_token: undefined, expires_in: 7200 })) })
  t.match(await page(ending), new RegExp(`<dt>Ends</dt><dd><time datetime="${new Date(ending.clock.now() + 7_200_000).toISOString()}">`))
})

t.test('the list and the card name missing scopes until they are granted', async t => {
  let scope: string | undefined = 'notes:read'
  const s = await startConnected(t, {
    environment: { PRODUCTBOARD_SCOPES: 'notes:read,entities:read,members:read' },
    token: (_, r) => json(r, 200, tokens({ scope }))
  })
  const missing = async () => {
    const { connections } = (await (await s.browser.fetch(`${s.gateway.url}/connections`)).json()) as { connections: ConnectionView[] }
    return connections[0]?.missingScopes
  }
  const card = async () => (await s.browser.visit(s.gateway.url)).text
  t.strictSame(await missing(), ['entities:read', 'members:read'])
  t.match(await card(), '<p>Not allowed: <code>entities:read</code>, <code>members:read</code>. Connect again to allow them.</p>')

  // Separated by commas, although this provider's requests use spaces.
  scope = 'notes:read,entities:read'
  t.equal((await s.browser.fetch(`${s.gateway.url}/connections/productboard/refresh`, { method: 'POST' })).status, 200)
  t.strictSame(await missing(), ['members:read'], 'a renewal may change the scopes')
  t.match(await card(), '<p>Not allowed: <code>members:read</code>. Connect again to allow it.</p>')

  for (const all of ['notes:read entities:read members:read more', undefined]) {
    scope = all
    await signIn(s.gateway, s.browser)
    t.equal(await missing(), undefined)
    t.notMatch(await card(), 'Not allowed')
  }
})

t.test('the page shows when the session ends', async t => {
  const s = await startConnected(t, { environment: { SESSION_IDLE: '5400', SESSION_MAX: '86400' } })
  const { text } = await s.browser.visit(s.gateway.url)
  t.match(text, 'after 90 minutes without use')
  t.match(text, `<time datetime="${new Date(s.clock.now() + 86_400_000).toISOString()}">`)
  t.notMatch((await new Browser().visit(s.gateway.url)).text, 'without use')
})

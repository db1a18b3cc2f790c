import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { newUser, startChromium } from '../support/chromium.ts'
import { startFrontend } from '../support/frontend.ts'
import { type FakeGateway, problem, startFakeGateway } from './fake-gateway.ts'

const browser = await startChromium(t)

/** A page with two clients of the same user, like an app that React renders twice. */
const appPage = (gatewayUrl: string) => `<!doctype html><title>App</title><h1>App</h1><p></p>
<script type="module">
import * as client from '${gatewayUrl}/client.js'
const signedIn = new URLSearchParams(location.search).get('user') !== 'nobody'
window.jwt = signedIn ? 'jwt-of-ada' : undefined
Object.assign(window, { client, grantkeeper: client.createClient({ token: () => window.jwt }), second: client.createClient({ token: () => window.jwt }) })
window.outcome = async work => work.then(value => ({ value }), ({ name, code, provider }) => ({ name, code, provider }))
document.querySelector('p').textContent = 'Ready'
</script>`

async function startApp(t: Test, path = '/list?page=2#here') {
  const gateway = await startFakeGateway(t, '/integrations')
  const frontend = await startFrontend(t, () => ({ html: appPage(gateway.url) }))
  const { page, context, consoleErrors } = await newUser(t, browser)
  await openApp(page, frontend + path)
  return { gateway, frontend, page, context, consoleErrors }
}

async function openApp(page: Page, url: string): Promise<void> {
  await page.goto(url)
  await page.getByText('Ready').waitFor()
}

/** Starts work in the page; the result waits for its end. */
async function startWork(page: Page, work: string): Promise<() => Promise<unknown>> {
  await page.evaluate(`window.result = outcome(${work}); undefined`)
  return () => page.evaluate('window.result')
}

async function openPopup(page: Page, work: string): Promise<{ popup: Page; result: () => Promise<unknown> }> {
  const [popup, result] = await Promise.all([page.waitForEvent('popup'), startWork(page, work)])
  await popup.getByText('Allow').waitFor()
  return { popup, result }
}

const paths = ({ requests }: FakeGateway) => requests.map(({ method, path }) => `${method} ${path}`)

const connectInPopup = `grantkeeper.connect('acme', { popup: true })`
const connected = { value: { provider: 'acme', id: 'acme-1', status: 'connected' } }

t.test('a redirect comes back to the page, which completes the sign-in once for all clients', async t => {
  const { gateway, frontend, page } = await startApp(t)
  await startWork(page, `grantkeeper.connect('acme')`)
  await page.getByText('Allow').click()
  await page.waitForURL(`${frontend}/list?page=2#here`)
  await page.getByText('Ready').waitFor()
  t.match(await (await startWork(page, 'second.connections()'))(), { value: [{ id: 'acme-1' }] }, 'the list waits')
  t.match(await (await startWork(page, 'grantkeeper.complete()'))(), connected)
  t.match(await (await startWork(page, 'second.complete()'))(), connected)
  t.same(paths(gateway), ['POST /auth/acme', 'POST /connections/complete', 'GET /connections'])
  t.match(gateway.requests[1]?.headers, { authorization: 'Bearer jwt-of-ada' })
})

t.test('a refused redirect leaves its error to complete, and the page’s URL as it was', async t => {
  const { gateway, frontend, page, consoleErrors } = await startApp(t)
  await startWork(page, `grantkeeper.connect('acme', { returnTo: location.origin + '/other?tab=1' })`)
  await page.getByText('Deny').click()
  await page.waitForURL(`${frontend}/other?tab=1`)
  await page.getByText('Ready').waitFor()
  const denied = { name: 'GrantkeeperError', code: 'access_denied', provider: 'acme' }
  t.same(await (await startWork(page, 'grantkeeper.complete()'))(), denied)
  t.match(await (await startWork(page, 'grantkeeper.connections()'))(), { value: [{ status: 'disconnected' }] }, 'requests go on')
  t.same(paths(gateway), ['POST /auth/acme', 'GET /connections'])
  t.same(consoleErrors, [])
})

t.test('a sign-in comes back before the app has signed its user in, and waits for it', async t => {
  const { gateway, page, frontend } = await startApp(t)
  await startWork(page, `grantkeeper.connect('acme', { returnTo: location.origin + '/?user=nobody' })`)
  await page.getByText('Allow').click()
  await page.waitForURL(`${frontend}/?user=nobody`)
  await page.getByText('Ready').waitFor()
  t.match(await (await startWork(page, 'grantkeeper.connections()'))(), { code: 'user_required' })
  await page.evaluate(`window.jwt = 'jwt-of-ada'`)
  t.match(await (await startWork(page, 'grantkeeper.connections()'))(), { value: [{ id: 'acme-1' }] })
  t.same(paths(gateway), ['POST /auth/acme', 'POST /connections/complete', 'GET /connections'])
})

t.test('a popup hands its code to the page, which completes the sign-in', async t => {
  const { gateway, frontend, page } = await startApp(t)
  const { popup, result } = await openPopup(page, `Promise.all([${connectInPopup}, ${connectInPopup}])`)
  await Promise.all([popup.waitForEvent('close'), popup.getByText('Allow').click()])
  t.match(await result(), { value: [connected.value, connected.value] })
  t.equal(page.url(), `${frontend}/list?page=2#here`)
  t.same(paths(gateway), ['POST /auth/acme', 'POST /connections/complete'])
})

t.test('each account has its own popup', async t => {
  const { gateway, page } = await startApp(t)
  const popups: Page[] = []
  page.on('popup', popup => popups.push(popup))
  const connect = (account: string) => `grantkeeper.connect('acme', { popup: true, account: '${account}' })`
  const result = await startWork(page, `Promise.allSettled([${connect('add')}, ${connect('acme-2')}])`)
  while (popups.length < 2) await page.waitForEvent('popup')
  const [first, last] = popups as [Page, Page]
  await Promise.all([first.waitForEvent('close'), first.getByText('Allow').click()])
  await Promise.all([last.waitForEvent('close'), last.getByText('Deny').click()])
  t.match(await result(), { value: [{ status: 'fulfilled', value: connected.value }, { status: 'rejected' }] })
  const accounts = gateway.requests.filter(({ path }) => path === '/auth/acme').map(({ body }) => JSON.parse(body).account)
  t.same(accounts.sort(), ['acme-2', 'add'])
})

t.test('a popup that was cut off completes the sign-in itself and tells the page', async t => {
  const { gateway, page } = await startApp(t)
  gateway.consentHeaders['cross-origin-opener-policy'] = 'same-origin'
  const { popup, result } = await openPopup(page, connectInPopup)
  await Promise.all([popup.waitForEvent('close'), popup.getByText('Allow').click()])
  t.match(await result(), connected)
  t.equal(paths(gateway).filter(path => path === 'POST /connections/complete').length, 1)
})

t.test('a popup that was cut off tells the page why it failed', async t => {
  const { gateway, page } = await startApp(t)
  gateway.consentHeaders['cross-origin-opener-policy'] = 'same-origin'
  gateway.routes.set('POST /connections/complete', () => problem('user_mismatch', 403))
  const { popup, result } = await openPopup(page, connectInPopup)
  await Promise.all([popup.waitForEvent('close'), popup.getByText('Allow').click()])
  t.same(await result(), { name: 'GrantkeeperError', code: 'user_mismatch', provider: 'acme' })
})

t.test('a popup of another tab is not taken for this one’s', async t => {
  const { gateway, frontend, page, context } = await startApp(t)
  gateway.consentHeaders['cross-origin-opener-policy'] = 'same-origin'
  const otherTab = await context.newPage()
  await openApp(otherTab, frontend)
  const here = await openPopup(page, connectInPopup)
  const there = await openPopup(otherTab, connectInPopup)
  await Promise.all([there.popup.waitForEvent('close'), there.popup.getByText('Deny').click()])
  t.match(await there.result(), { code: 'access_denied' })
  await Promise.all([here.popup.waitForEvent('close'), here.popup.getByText('Allow').click()])
  t.match(await here.result(), connected)
})

t.test('a message of a page that is not the gateway’s is ignored', async t => {
  const { page } = await startApp(t)
  const provider = await startFrontend(t)
  const { popup, result } = await openPopup(page, connectInPopup)
  await popup.goto(provider)
  await popup.evaluate(`
    opener.postMessage({ source: 'grantkeeper', provider: 'acme', status: 'failed', error: 'server_error' }, '*')
    opener.postMessage({ source: 'grantkeeper', provider: 'acme', status: 'connected', code: 'forged' }, '*')`)
  await popup.goBack()
  await Promise.all([popup.waitForEvent('close'), popup.getByText('Allow').click()])
  t.match(await result(), connected)
})

t.test('a denied popup fails with the provider’s error', async t => {
  const { page } = await startApp(t)
  const { popup, result } = await openPopup(page, connectInPopup)
  await Promise.all([popup.waitForEvent('close'), popup.getByText('Deny').click()])
  t.same(await result(), { name: 'GrantkeeperError', code: 'access_denied', provider: 'acme' })
})

t.test('a popup that the user closes is abandoned', async t => {
  const { page } = await startApp(t)
  const { popup, result } = await openPopup(page, connectInPopup)
  await popup.close()
  await page.bringToFront()
  t.match(await result(), { code: 'connect_abandoned', provider: 'acme' })
})

t.test('the popup closes if the gateway refuses to begin', async t => {
  const { gateway, page } = await startApp(t)
  gateway.routes.set('POST /auth/acme', () => problem('return_to_rejected', 400))
  const [popup, result] = await Promise.all([page.waitForEvent('popup'), startWork(page, connectInPopup)])
  t.match(await result(), { code: 'return_to_rejected' })
  if (!popup.isClosed()) await popup.waitForEvent('close')
})

t.test('a request connects in a popup and is repeated', async t => {
  const { gateway, page } = await startApp(t)
  gateway.routes.set('POST /proxy/acme/notes', ({ body }) =>
    gateway.connections[0]?.status === 'connected'
      ? { body: { received: body } }
      : problem('connection_required', 401, { connectUrl: `${gateway.url}/auth/acme` })
  )
  const post = `grantkeeper.fetch('acme', '/notes', { method: 'POST', body: 'text', reconnect: 'popup' }).then(response => response.json())`
  const { popup, result } = await openPopup(page, post)
  await Promise.all([popup.waitForEvent('close'), popup.getByText('Allow').click()])
  t.same(await result(), { value: { received: 'text' } })
})

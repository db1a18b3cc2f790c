import type { Page } from 'playwright-core'
import t from 'tap'
import { connect, newPerson, startChromium } from '../support/chromium.ts'
import { begin, choose, elsewhere, ended, inPopup, notes, openPage, popupOf } from '../support/client-page.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { pageFor, startFrontend } from '../support/frontend.ts'
import { startGateway, startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

t.test('a popup tells its outcome to the page that opened it, from the gateway’s origin, with no secret, and closes', async t => {
  const { gateway, frontend, page } = await elsewhere(t, browser)
  await openPage(page, frontend)
  await page.evaluate('window.heard = []; addEventListener("message", ({ origin, data }) => heard.push({ origin, data }))')
  const end = `/popup?${new URLSearchParams({ opener: frontend, provider: 'productboard' })}`
  const byHand = `open('${gateway.url}/auth/productboard?return_to=${encodeURIComponent(end)}')`
  for (const choice of ['Deny', 'Allow'] as const) {
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`void ${byHand}`)])
    await choose(popup, choice)
  }
  await page.waitForFunction('heard.length === 2')
  const outcome = { source: 'grantkeeper', provider: 'productboard' }
  t.strictSame(await page.evaluate('heard'), [
    { origin: gateway.url, data: { ...outcome, status: 'failed', error: 'access_denied' } },
    { origin: gateway.url, data: { ...outcome, status: 'connected' } }
  ])
})

t.test('who denies the access in a popup is told apart from who allows it', async t => {
  const { frontend, page } = await elsewhere(t, browser)
  await openPage(page, frontend)
  await choose(await popupOf(page, inPopup), 'Deny')
  t.match(await ended(page), { error: { isOurs: true, code: 'access_denied', provider: 'productboard' } })
  await choose(await popupOf(page, inPopup), 'Allow')
  t.match(await ended(page), { value: { provider: 'productboard', status: 'connected' } })
  t.equal(page.url(), `${frontend}/`)
  await begin(page, notes())
  t.same(await ended(page), { value: [200, 5] })
})

t.test('who closes the popup is told to have left, and can begin again', async t => {
  const { frontend, page } = await elsewhere(t, browser)
  await openPage(page, frontend)
  const popup = await popupOf(page, inPopup)
  await popup.getByRole('button', { name: 'Allow' }).waitFor()
  await popup.close()
  t.match(await ended(page), { error: { isOurs: true, code: 'connect_abandoned' } })
  await choose(await popupOf(page, inPopup), 'Allow')
  t.match(await ended(page), { value: { status: 'connected' } })
})

/** Headless windows all have the focus. On a screen a popup has it, and the page that opened it has not. */
const focus = (page: Page, isHere: boolean) => page.evaluate(`document.hasFocus = () => ${isHere}`)

t.test('a provider’s page that cuts its opener off looks closed, and the sign-in ends all the same', async t => {
  const provider = await startFakeProvider(t)
  provider.api = ({ url }, response) => {
    const { searchParams } = new URL(url, provider.origin)
    const back = `${searchParams.get('redirect_uri')}?${new URLSearchParams({ code: 'c', state: searchParams.get('state') ?? '' })}`
    const headers = { 'content-type': 'text/html', 'cross-origin-opener-policy': 'same-origin' }
    response.writeHead(200, headers).end(`<!doctype html><title>Provider</title><a href="${back.replaceAll('&', '&amp;')}">Allow</a>`)
  }
  const port = await freePort()
  const url = `http://localhost:${port}`
  const frontend = await startFrontend(t, () => ({ html: pageFor(url) }))
  await startGateway(t, { port, environment: { ...provider.environment, ALLOWED_ORIGINS: frontend } })
  const { page } = await newPerson(t, browser)
  await openPage(page, frontend)
  await page.evaluate('const { open } = window; window.open = (...of) => (window.popup = open.apply(window, of))')
  await focus(page, false)

  const popup = await popupOf(page, inPopup)
  await popup.getByRole('link', { name: 'Allow' }).waitFor()
  // The browser tells the page that its popup is cut off after the popup shows what cut it off.
  await page.waitForFunction('popup.closed')
  // It goes on asking while the person is in the other window.
  for (let asked = 0; asked < 3; asked++) await page.waitForResponse(`${url}/connections`)
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('link', { name: 'Allow' }).click()])
  t.match(await ended(page), { value: { status: 'connected' } })
})

t.test('a frontend that isolates itself cannot be told anything, and hears of it all the same', async t => {
  const { frontend, page } = await elsewhere(t, browser, {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp'
  })
  await openPage(page, frontend)
  await focus(page, false)
  await choose(await popupOf(page, inPopup), 'Allow')
  t.match(await ended(page), { value: { status: 'connected' } })

  const abandoned = await popupOf(page, inPopup)
  await abandoned.getByRole('button', { name: 'Allow' }).waitFor()
  await abandoned.close()
  await focus(page, true)
  t.match(await ended(page), { error: { code: 'connect_abandoned' } })
})

t.test('a message from another window or another origin is not believed, whatever it says', async t => {
  const { gateway, frontend, page, context } = await elsewhere(t, browser)
  const stranger = await startFrontend(t, () => ({ html: '<!doctype html><title>Stranger</title>' }))
  await openPage(page, frontend)
  const popup = await popupOf(page, inPopup)
  await popup.getByRole('button', { name: 'Allow' }).waitFor()

  const forged = (status: string) => JSON.stringify({ source: 'grantkeeper', provider: 'productboard', status, error: 'access_denied' })
  await page.evaluate('window.heard = []; addEventListener("message", ({ origin }) => heard.push(origin))')
  // From this very page, and from an embedded stranger.
  await page.evaluate(`postMessage(${forged('failed')}, '*')`)
  await page.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), { src: '${stranger}' }))`)
  const frame = await page.waitForFunction('frames.length === 1').then(() => page.frames()[1])
  await frame?.waitForURL(`${stranger}/`)
  await frame?.evaluate(`parent.postMessage(${forged('failed')}, '*')`)
  // From the gateway's own origin, but from a window that is not the popup: the end of a sign-in that never was.
  const address = `${gateway.url}/popup?${new URLSearchParams({ opener: frontend, provider: 'productboard', connect_error: 'access_denied' })}`
  const [other] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`void open('${address}')`)])
  if (!other.isClosed()) await other.waitForEvent('close')
  await page.waitForFunction('heard.length === 3')
  t.same(await page.evaluate('heard'), [frontend, stranger, gateway.url])

  // And from the popup itself while it is elsewhere.
  await popup.evaluate(`opener.postMessage(${forged('failed')}, '*')`)
  await page.waitForFunction('heard.length === 4')
  await page.waitForResponse(`${gateway.url}/connections`)
  t.equal(context.pages().length, 2, 'it still waits')
  await choose(popup, 'Allow')
  t.match(await ended(page), { value: { status: 'connected' } })
})

t.test('a popup with nobody to tell says in words that it can be closed', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, faults } = await newPerson(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await page.goto(`${gateway.url}/popup?${new URLSearchParams({ opener: gateway.url, provider: 'productboard' })}`)
  await page.getByRole('heading', { name: 'Productboard is connected' }).waitFor()
  await page.getByText('You can close this window').waitFor()
  t.same(faults, [])
})

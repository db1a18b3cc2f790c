// What browser engines may do differently, in a stock Firefox. The other journeys run in Chromium.
import type { Page } from 'puppeteer-core'
import t from 'tap'
import { violations } from '../support/axe.ts'
import { showConsent } from '../support/bearer-frontend.ts'
import { connectInPopup, fetchNotes, runWork, startFrontendAndGateway, startWork, workResult } from '../support/client-page.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { button, focusedName, link, newFirefoxUser, popupOf, see, startFirefox } from '../support/firefox.ts'
import { freePort } from '../support/free-port.ts'
import { clientPage, startFrontend } from '../support/frontend.ts'
import { startGateway, startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startFirefox(t)

/** Signs in from the Connections page, at the sandbox's consent page. */
async function connect(page: Page, title: string): Promise<void> {
  await link(page, `Connect ${title}`).click()
  await button(page, 'Allow').click()
  await see(page, `${title} is connected`)
}

/** Opens the confirmation. */
async function disconnect(page: Page, title: string): Promise<void> {
  await button(page, `Disconnect ${title}`).click()
  await page.locator('dialog[open]').wait()
}

const closeOf = (popup: Page) => new Promise(resolve => popup.once('close', resolve))

t.test('a user connects by redirect, at the consent page', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await button(page, 'Disconnect Productboard').wait()
  t.equal(await page.evaluate('location.href'), `${gateway.url}/`, 'a reload does not repeat the message')
  t.same(consoleErrors, [])
})

t.test('the client connects by redirect, comes back to the same URL, and fetches', async t => {
  const { frontend } = await startFrontendAndGateway(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(`${frontend}/list?page=2#here`)
  await see(page, 'Ready')
  await startWork(page, `grantkeeper.connect('productboard')`)
  await link(page, 'Sign in at Productboard').click()
  await button(page, 'Allow').click()
  await see(page, 'Ready')
  t.equal(await page.evaluate('location.href'), `${frontend}/list?page=2#here`)
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
  t.same(consoleErrors, [])
})

t.test('Back from the sign-in, the client says connect_abandoned', async t => {
  const { frontend } = await startFrontendAndGateway(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(frontend)
  await see(page, 'Ready')
  await startWork(page, `grantkeeper.connect('productboard')`)
  await see(page, 'Connect Productboard')
  // Puppeteer's goBack() waits for a load, which a page from the back/forward cache does not have.
  await page.evaluate('history.back()')
  await see(page, 'Ready')
  t.match(await workResult(page), { error: { isOurs: true, code: 'connect_abandoned' } })
  t.same(consoleErrors, [])
})

t.test('a click opens the sign-in in a popup, which closes when it is connected', async t => {
  const { frontend, vendor } = await startFrontendAndGateway(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(`${frontend}/example`)
  const popup = await popupOf(page, () => button(page, 'Connect Productboard').click())
  const closed = closeOf(popup)
  await link(popup, 'Sign in at Productboard').click()
  await button(popup, 'Allow').click()
  await closed
  await page.locator('li:nth-child(5)').wait()
  t.equal(vendor.requests.length, 1, 'the request that asked for the connection is sent')
  t.same(consoleErrors, [])
})

t.test('a popup cut off by the provider’s COOP header still connects', async t => {
  const provider = await startFakeProvider(t)
  showConsent(provider, { 'cross-origin-opener-policy': 'same-origin' })
  const port = await freePort()
  const url = `http://localhost:${port}`
  const frontend = await startFrontend(t, () => ({ html: clientPage(url) }))
  await startGateway(t, { port, environment: { ...provider.environment, ALLOWED_ORIGINS: frontend } })
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(frontend)
  await see(page, 'Ready')
  const popup = await popupOf(page, () => startWork(page, connectInPopup))
  await link(popup, 'Sign in at Productboard').click()
  await see(popup, 'Allow')
  // The opener keeps polling while the popup has the focus.
  for (let polls = 0; polls < 3; polls++) await page.waitForResponse(`${url}/connections`)
  const closed = closeOf(popup)
  await link(popup, 'Allow').click()
  t.match(await workResult(page), { value: { status: 'connected' } })
  // Its opener can no longer close it.
  await closed
  t.same(consoleErrors, [])
})

t.test('without a click the popup is blocked, and the client says so', async t => {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const atOnce = `window.code = grantkeeper.connect('productboard', { popup: true }).catch(({ code }) => code)`
  const frontend = await startFrontend(t, () => ({ html: clientPage(url).replace('</script>', `${atOnce}</script>`) }))
  await startGateway(t, { port, environment: { ALLOWED_ORIGINS: frontend } })
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(frontend)
  await see(page, 'Ready')
  t.equal(await page.evaluate('code'), 'popup_blocked')
  t.same(consoleErrors, [])
})

t.test('a user enters a key in the dialog, by keyboard', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(gateway.url)
  await page.locator('summary[aria-label="More for Outgrow"]').click()
  await link(page, 'Use a key instead for Outgrow').click()
  await page.locator('dialog[open]').wait()
  t.equal(await focusedName(page), 'Connect Outgrow with a key', 'the steps come before the field')
  await page.keyboard.press('Tab')
  await page.keyboard.type(sandbox.vendor('outgrow').apiKey)
  await page.keyboard.press('Enter')
  await see(page, 'Outgrow is connected')
  t.same(consoleErrors, [])
})

t.test('a user confirms in the dialog, and is disconnected', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await disconnect(page, 'Productboard')
  await button(page, 'Disconnect').click()
  await see(page, 'Productboard is disconnected.')
  t.equal(await focusedName(page), 'Connect Productboard', 'the focus goes on in the same place')
  t.equal(sandbox.vendor('productboard').counts.revocations, 1)
  t.same(consoleErrors, [])
})

t.test('Escape closes the confirmation, and the focus returns to its button', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await disconnect(page, 'Productboard')
  t.equal(await focusedName(page), 'Cancel', 'the safe choice comes first')
  await page.keyboard.press('Escape')
  await page.locator('body:not(:has(dialog[open]))').wait()
  t.equal(await focusedName(page), 'Disconnect Productboard')
  t.same(consoleErrors, [])
})

t.test('the dark pages have enough contrast, and none scrolls sideways', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newFirefoxUser(t, browser)
  const check = async (state: string) => {
    t.ok(await page.evaluate(`getComputedStyle(document.body).color.match(/\\d+/g).every(part => part > 200)`), `${state}: light text`)
    for (const width of [1280, 320]) {
      await page.setViewport({ width, height: 640 })
      t.same(await violations(page, 'visual'), [], `${state}, ${width} px`)
      // Unlike Chromium's headless shell, Firefox has a scrollbar that takes room.
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
      t.equal(overflow, 0, `${state}, ${width} px wide: pixels beyond the edge`)
    }
  }
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await check('connected, with a message')
  await page.locator('summary[aria-label="More for Outgrow"]').click()
  await link(page, 'Use a key instead for Outgrow').click()
  await page.locator('dialog[open]').wait()
  await check('the key dialog')
  await page.goto(`${gateway.url}/connect/outgrow`)
  await check('the page of a provider')
  await page.goto(`${gateway.url}/auth/outgrow`)
  await check('the consent page of the sandbox')
  t.same(consoleErrors, [])
})

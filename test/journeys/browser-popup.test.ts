import type { Page } from 'playwright-core'
import t from 'tap'
import { connect, newUser, startChromium } from '../support/chromium.ts'
import { fetchNotes, openPage, openSignIn, startWithFrontend, startWork, submitConsent, workResult } from '../support/client-page.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { clientPage, startFrontend } from '../support/frontend.ts'
import { startGateway, startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

t.test('a popup posts its outcome to the opener and closes', async t => {
  const { gateway, frontend, page } = await startWithFrontend(t, browser)
  await openPage(page, frontend)
  await page.evaluate('window.messages = []; addEventListener("message", ({ origin, data }) => messages.push({ origin, data }))')
  const end = `/popup?${new URLSearchParams({ opener: frontend, provider: 'productboard' })}`
  const byHand = `open('${gateway.url}/auth/productboard?return_to=${encodeURIComponent(end)}')`
  for (const choice of ['Deny', 'Allow'] as const) {
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`void ${byHand}`)])
    await submitConsent(popup, choice)
  }
  await page.waitForFunction('messages.length === 2')
  const outcome = { source: 'grantkeeper', provider: 'productboard' }
  t.strictSame(await page.evaluate('messages'), [
    { origin: gateway.url, data: { ...outcome, status: 'failed', error: 'access_denied' } },
    { origin: gateway.url, data: { ...outcome, status: 'connected' } }
  ])
})

t.test('connect in a popup reports whether the user denied or allowed', async t => {
  const { frontend, page } = await startWithFrontend(t, browser)
  await openPage(page, frontend)
  await submitConsent(await openSignIn(page), 'Deny')
  t.match(await workResult(page), { error: { isOurs: true, code: 'access_denied', provider: 'productboard' } })
  await submitConsent(await openSignIn(page), 'Allow')
  t.match(await workResult(page), { value: { provider: 'productboard', status: 'connected' } })
  t.equal(page.url(), `${frontend}/`)
  await startWork(page, fetchNotes())
  t.same(await workResult(page), { value: [200, 5] })
})

t.test('closing the popup fails with connect_abandoned, and a second attempt succeeds', async t => {
  const { frontend, page } = await startWithFrontend(t, browser)
  await openPage(page, frontend)
  const popup = await openSignIn(page)
  await popup.getByRole('button', { name: 'Allow' }).waitFor()
  await popup.close()
  t.match(await workResult(page), { error: { isOurs: true, code: 'connect_abandoned' } })
  await submitConsent(await openSignIn(page), 'Allow')
  t.match(await workResult(page), { value: { status: 'connected' } })
})

/** Headless windows all have the focus. On a screen the popup has it, and its opener does not. */
const setFocus = (page: Page, isHere: boolean) => page.evaluate(`document.hasFocus = () => ${isHere}`)

t.test('a popup cut off by the provider’s COOP header still connects', async t => {
  const provider = await startFakeProvider(t)
  provider.api = ({ url }, response) => {
    const { searchParams } = new URL(url, provider.origin)
    const back = `${searchParams.get('redirect_uri')}?${new URLSearchParams({ code: 'c', state: searchParams.get('state') ?? '' })}`
    const headers = { 'content-type': 'text/html', 'cross-origin-opener-policy': 'same-origin' }
    response.writeHead(200, headers).end(`<!doctype html><title>Provider</title><a href="${back.replaceAll('&', '&amp;')}">Allow</a>`)
  }
  const port = await freePort()
  const url = `http://localhost:${port}`
  const frontend = await startFrontend(t, () => ({ html: clientPage(url) }))
  await startGateway(t, { port, environment: { ...provider.environment, ALLOWED_ORIGINS: frontend } })
  const { page } = await newUser(t, browser)
  await openPage(page, frontend)
  await page.evaluate('const { open } = window; window.open = (...args) => (window.popup = open.apply(window, args))')
  await setFocus(page, false)

  const popup = await openSignIn(page)
  await popup.getByRole('link', { name: 'Allow' }).waitFor()
  // The opener sees `closed` later than the popup shows the provider's page.
  await page.waitForFunction('popup.closed')
  // It keeps polling while the popup has the focus.
  for (let polls = 0; polls < 3; polls++) await page.waitForResponse(`${url}/connections`)
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('link', { name: 'Allow' }).click()])
  t.match(await workResult(page), { value: { status: 'connected' } })
})

t.test('a cross-origin isolated frontend gets no message and still learns the outcome', async t => {
  const { frontend, page } = await startWithFrontend(t, browser, {
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp'
  })
  await openPage(page, frontend)
  await setFocus(page, false)
  await submitConsent(await openSignIn(page), 'Allow')
  t.match(await workResult(page), { value: { status: 'connected' } })

  const abandoned = await openSignIn(page)
  await abandoned.getByRole('button', { name: 'Allow' }).waitFor()
  await abandoned.close()
  await setFocus(page, true)
  t.match(await workResult(page), { error: { code: 'connect_abandoned' } })
})

t.test('messages from another window or origin are ignored', async t => {
  const { gateway, frontend, page, context } = await startWithFrontend(t, browser)
  const otherOrigin = await startFrontend(t, () => ({ html: '<!doctype html><title>Other origin</title>' }))
  await openPage(page, frontend)
  const popup = await openSignIn(page)
  await popup.getByRole('button', { name: 'Allow' }).waitFor()

  const forged = (status: string) => JSON.stringify({ source: 'grantkeeper', provider: 'productboard', status, error: 'access_denied' })
  await page.evaluate('window.messages = []; addEventListener("message", ({ origin }) => messages.push(origin))')
  // From this page, and from an embedded page of another origin.
  await page.evaluate(`postMessage(${forged('failed')}, '*')`)
  await page.evaluate(`document.body.append(Object.assign(document.createElement('iframe'), { src: '${otherOrigin}' }))`)
  const frame = await page.waitForFunction('frames.length === 1').then(() => page.frames()[1])
  await frame?.waitForURL(`${otherOrigin}/`)
  await frame?.evaluate(`parent.postMessage(${forged('failed')}, '*')`)
  // From the gateway's origin, but from another window than the popup.
  const address = `${gateway.url}/popup?${new URLSearchParams({ opener: frontend, provider: 'productboard', connect_error: 'access_denied' })}`
  const [other] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`void open('${address}')`)])
  if (!other.isClosed()) await other.waitForEvent('close')
  await page.waitForFunction('messages.length === 3')
  t.same(await page.evaluate('messages'), [frontend, otherOrigin, gateway.url])

  // From the popup while it shows another origin.
  await popup.evaluate(`opener.postMessage(${forged('failed')}, '*')`)
  await page.waitForFunction('messages.length === 4')
  await page.waitForResponse(`${gateway.url}/connections`)
  t.equal(context.pages().length, 2, 'the popup is still open')
  await submitConsent(popup, 'Allow')
  t.match(await workResult(page), { value: { status: 'connected' } })
})

t.test('a popup without an opener says that it can be closed', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await page.goto(`${gateway.url}/popup?${new URLSearchParams({ opener: gateway.url, provider: 'productboard' })}`)
  await page.getByRole('heading', { name: 'Productboard is connected' }).waitFor()
  await page.getByText('You can close this window').waitFor()
  t.same(consoleErrors, [])
})

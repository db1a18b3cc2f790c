import t from 'tap'
import { newFrontendUser, sendsThirdPartyCookies, showConsent, signInAtFrontend, startBearerFrontend } from '../support/bearer-frontend.ts'
import { newUser, startChromium } from '../support/chromium.ts'
import {
  connectInPopup,
  fetchNotes,
  openPage,
  openPopup,
  runWork,
  statusOfProductboard,
  submitConsent,
  workResult
} from '../support/client-page.ts'

const browser = await startChromium(t)

t.test('the browser of these journeys sends no third-party cookies', async t => {
  const { gateway, frontend, crossSite } = await startBearerFrontend(t)
  const ordinary = await newUser(t, browser)
  await openPage(ordinary.page, frontend)
  t.equal(await sendsThirdPartyCookies(ordinary, gateway), true, 'without the restriction it does')
  const ada = await newFrontendUser(t, browser, frontend, 'ada')
  t.equal(await sendsThirdPartyCookies(ada, gateway), false)
  t.ok(crossSite.length >= 2)
})

t.test('a user of a frontend connects in a popup, requests the API and disconnects', async t => {
  const { gateway, frontend, vendor, crossSite } = await startBearerFrontend(t)
  const { page, context, consoleErrors } = await newFrontendUser(t, browser, frontend, 'ada')
  t.match(await runWork(page, fetchNotes()), { error: { isOurs: true, code: 'connection_required' } })

  await submitConsent(await openPopup(page, connectInPopup), 'Allow')
  t.match(await workResult(page), { value: { provider: 'productboard', status: 'connected', isDefault: true } })
  t.equal(page.url(), `${frontend}/`)
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })

  vendor.expireAccessTokens()
  t.same(await runWork(page, `Promise.all([${fetchNotes()}, ${fetchNotes()}])`), {
    value: [
      [200, 5],
      [200, 5]
    ]
  })
  t.equal(vendor.counts.tokenRequests.refresh_token, 1)

  t.match(await runWork(page, `grantkeeper.disconnect('productboard')`), {})
  t.same(await runWork(page, statusOfProductboard), { value: 'disconnected' })
  t.equal(vendor.counts.revocations, 1)
  t.same(
    crossSite.filter(({ cookie }) => cookie !== undefined),
    [],
    'no request brought a cookie'
  )
  t.notOk(
    (await context.cookies(gateway.url)).some(({ name }) => !name.includes('signin')),
    'the browser has no session here'
  )
  t.same(
    consoleErrors.filter(error => !error.includes('status of 401')),
    []
  )
})

t.test('a user who denies, closes the popup or has it blocked can connect afterwards', async t => {
  const { frontend } = await startBearerFrontend(t)
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  await submitConsent(await openPopup(page, connectInPopup), 'Deny')
  t.match(await workResult(page), { error: { isOurs: true, code: 'access_denied', provider: 'productboard' } })

  const popup = await openPopup(page, connectInPopup)
  await popup.getByRole('button', { name: 'Allow' }).waitFor()
  await popup.close()
  t.match(await workResult(page), { error: { isOurs: true, code: 'connect_abandoned' } })

  await page.evaluate('window.openWindow = open; window.open = () => null')
  t.match(await runWork(page, connectInPopup), { error: { isOurs: true, code: 'popup_blocked' } })
  await page.evaluate('window.open = window.openWindow')

  await submitConsent(await openPopup(page, connectInPopup), 'Allow')
  t.match(await workResult(page), { value: { status: 'connected' } })
})

t.test('a page that may open no popups learns it at once, and begins nothing', async t => {
  const { frontend, crossSite } = await startBearerFrontend(t, {
    headers: { 'content-security-policy': 'sandbox allow-scripts allow-same-origin' }
  })
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  t.match(await runWork(page, connectInPopup), { error: { isOurs: true, code: 'popup_blocked' } })
  t.notOk(crossSite.some(({ path }) => path === '/auth/productboard'))
})

t.test('SEC-52: who signs in as another user meanwhile gets user_mismatch, and the grant is revoked', async t => {
  const { frontend, vendor } = await startBearerFrontend(t)
  const { page, context } = await newFrontendUser(t, browser, frontend, 'ada')
  const popup = await openPopup(page, connectInPopup)
  await popup.getByRole('button', { name: 'Allow' }).waitFor()
  await signInAtFrontend(await context.newPage(), frontend, 'grace')
  await submitConsent(popup, 'Allow')
  t.match(await workResult(page), { error: { isOurs: true, code: 'user_mismatch', provider: 'productboard', status: 403 } })
  t.equal(vendor.counts.revocations, 1)
  for (const user of ['grace', 'ada']) {
    await signInAtFrontend(page, frontend, user)
    t.same(await runWork(page, statusOfProductboard), { value: 'disconnected' }, user)
  }
})

t.test('who has signed out meanwhile gets user_required, and nothing is connected', async t => {
  const { frontend } = await startBearerFrontend(t)
  const { page, context } = await newFrontendUser(t, browser, frontend, 'ada')
  const popup = await openPopup(page, connectInPopup)
  await popup.getByRole('button', { name: 'Allow' }).waitFor()
  await context.clearCookies({ name: 'user' })
  await submitConsent(popup, 'Allow')
  t.match(await workResult(page), { error: { isOurs: true, code: 'user_required' } })
  await signInAtFrontend(page, frontend, 'ada')
  t.same(await runWork(page, statusOfProductboard), { value: 'disconnected' })
})

t.test('a frontend that is isolated from other origins connects in a popup', async t => {
  const { frontend, crossSite } = await startBearerFrontend(t, {
    // Only a secure context can be isolated, and this name makes one. It is another site than `localhost`.
    host: 'app.localhost',
    headers: { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
  })
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  t.equal(await page.evaluate('crossOriginIsolated'), true)
  await page.evaluate('document.hasFocus = () => false')
  await submitConsent(await openPopup(page, connectInPopup), 'Allow')
  t.match(await workResult(page), { value: { provider: 'productboard', status: 'connected' } })
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
  t.ok(crossSite.length > 0)

  const abandoned = await openPopup(page, connectInPopup)
  await abandoned.getByRole('button', { name: 'Allow' }).waitFor()
  await abandoned.close()
  await page.evaluate('document.hasFocus = () => true')
  t.match(await workResult(page), { error: { code: 'connect_abandoned' } })
})

const connectCutOff = `grantkeeper.connect('process-street', { popup: true })`

t.test('a popup that the provider cuts off completes on the frontend’s page and tells the first one', async t => {
  const { frontend, provider, crossSite } = await startBearerFrontend(t)
  showConsent(provider, { 'cross-origin-opener-policy': 'same-origin' })
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  await page.goto(`${frontend}/list?page=2#here`)
  await page.getByText('Ready').waitFor()
  await page.evaluate('const { open } = window; window.open = (...args) => (window.popup = open.apply(window, args))')
  await page.evaluate('document.hasFocus = () => false')
  const popup = await openPopup(page, connectCutOff)
  await popup.getByRole('link', { name: 'Allow' }).waitFor()
  await page.waitForFunction('popup.closed')
  const fallback = popup.waitForRequest(request => request.url().startsWith(`${frontend}/list?connect_popup=`))
  await Promise.all([popup.waitForEvent('close'), fallback, popup.getByRole('link', { name: 'Allow' }).click()])
  t.match(await workResult(page), { value: { provider: 'process-street', status: 'connected' } })
  t.equal(page.url(), `${frontend}/list?page=2#here`)
  t.equal(crossSite.filter(({ path }) => path === '/connections/complete').length, 2, 'a preflight request, and one to complete')

  const denied = await openPopup(page, connectCutOff)
  await Promise.all([denied.waitForEvent('close'), denied.getByRole('link', { name: 'Deny' }).click()])
  t.match(await workResult(page), { error: { isOurs: true, code: 'access_denied', provider: 'process-street' } })
})

t.test('SEC-52: a popup that was cut off cannot end with another user’s account', async t => {
  const { frontend, provider } = await startBearerFrontend(t)
  showConsent(provider, { 'cross-origin-opener-policy': 'same-origin' })
  const { page, context } = await newFrontendUser(t, browser, frontend, 'ada')
  await page.evaluate('document.hasFocus = () => false')
  const popup = await openPopup(page, connectCutOff)
  await popup.getByRole('link', { name: 'Allow' }).waitFor()
  await signInAtFrontend(await context.newPage(), frontend, 'grace')
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('link', { name: 'Allow' }).click()])
  t.match(await workResult(page), { error: { isOurs: true, code: 'user_mismatch' } })
  t.equal(provider.seen.revoke.length, 1)
})

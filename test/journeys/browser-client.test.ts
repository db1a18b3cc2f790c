import t from 'tap'
import { connect, startChromium } from '../support/chromium.ts'
import {
  chooseSignIn,
  fetchNotes,
  openPage,
  openSignIn,
  startWithFrontend,
  startWork,
  submitConsent,
  workResult
} from '../support/client-page.ts'
import { clientPage, startFrontend } from '../support/frontend.ts'

const browser = await startChromium(t)

t.test('the example connects in a popup and pages through a list', async t => {
  const { frontend, page, vendor, consoleErrors } = await startWithFrontend(t, browser)
  await page.goto(`${frontend}/example`)
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: 'Connect Productboard' }).click()])
  await chooseSignIn(popup)
  await submitConsent(popup, 'Allow')
  await page.getByRole('listitem').nth(4).waitFor()
  for (const last of [9, 11]) {
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('listitem').nth(last).waitFor()
  }
  await page.getByRole('button').first().waitFor({ state: 'hidden' })
  t.equal(await page.getByRole('listitem').count(), 12)
  t.equal(await page.getByRole('button').count(), 0, 'nothing is left to connect or to load')
  t.equal(vendor.requests.length, 3)
  t.same(
    consoleErrors.filter(error => !error.includes('status of 401')),
    []
  )
})

t.test('connect and fetch without a popup redirect and come back to the same URL', async t => {
  const { frontend, page } = await startWithFrontend(t, browser)
  await openPage(page, `${frontend}/list?page=2#here`)
  await startWork(page, `grantkeeper.connect('productboard')`)
  await chooseSignIn(page)
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.waitForURL(`${frontend}/list?page=2&connect_error=access_denied&provider=productboard#here`)
  await page.getByText('Ready').waitFor()

  await startWork(page, fetchNotes(`{ reconnect: 'redirect' }`))
  await chooseSignIn(page)
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(`${frontend}/list?page=2#here`)
  await page.getByText('Ready').waitFor()
  await startWork(page, fetchNotes())
  t.same(await workResult(page), { value: [200, 5] })
})

t.test('a blocked popup fails with popup_blocked', async t => {
  const { frontend, page } = await startWithFrontend(t, browser, { 'content-security-policy': 'sandbox allow-scripts allow-same-origin' })
  await openPage(page, frontend)
  await startWork(page, fetchNotes(`{ reconnect: 'popup' }`))
  t.match(await workResult(page), { error: { isOurs: true, code: 'popup_blocked' } })
})

t.test('concurrent requests after a revocation share one popup and are repeated with their bodies', async t => {
  const { frontend, page, vendor } = await startWithFrontend(t, browser)
  await openPage(page, frontend)
  await submitConsent(await openSignIn(page), 'Allow')
  await workResult(page)
  vendor.revokeGrants()
  let popups = 0
  page.on('popup', () => popups++)
  const body = `JSON.stringify({ data: { fields: { name: 'Kept' } } })`
  const post = `grantkeeper.fetch('productboard', '/v2/notes', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${body}, reconnect: 'popup' })`
  const popup = await openSignIn(
    page,
    `Promise.all([${fetchNotes(`{ reconnect: 'popup' }`)}, ${fetchNotes(`{ reconnect: 'popup' }`)}, ${post}.then(response => response.status)])`
  )
  await submitConsent(popup, 'Allow')
  t.same(await workResult(page), { value: [[200, 5], [200, 5], 201] })
  t.equal(popups, 1)
  t.equal(vendor.counts.tokenRequests.authorization_code, 2, 'one sign-in before the revocation, one for all three requests')
})

t.test('a page on another origin gets no client, list or message', async t => {
  const { gateway, page } = await startWithFrontend(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  const otherOrigin = await startFrontend(t, () => ({ html: clientPage(gateway.url) }))
  await page.goto(otherOrigin)
  await page.getByRole('heading').waitFor()
  const failure = (work: string) => page.evaluate(`(${work}).then(() => 'no failure', error => error.name)`)
  t.equal(await failure(`import('${gateway.url}/client.js')`), 'TypeError')
  t.equal(await failure(`fetch('${gateway.url}/connections', { credentials: 'include' })`), 'TypeError')

  // It opens the last page of the popup, under its own origin or the gateway's.
  await page.evaluate('window.messages = []; addEventListener("message", ({ data }) => messages.push(data))')
  const openPopupEnd = async (opener: string) => {
    const address = `${gateway.url}/popup?${new URLSearchParams({ opener, provider: 'productboard' })}`
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`void open('${address}')`)])
    return popup
  }
  const refused = await openPopupEnd(otherOrigin)
  await refused.getByRole('heading', { name: 'The return address was refused' }).waitFor()
  const disguised = await openPopupEnd(gateway.url)
  if (!disguised.isClosed()) await disguised.waitForEvent('close')
  t.same(await page.evaluate('messages'), [])
})

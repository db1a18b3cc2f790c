import t from 'tap'
import { connect, startChromium } from '../support/chromium.ts'
import { begin, choose, elsewhere, ended, inPopup, notes, openPage, popupOf } from '../support/client-page.ts'
import { pageFor, startFrontend } from '../support/frontend.ts'

const browser = await startChromium(t)

t.test('the example, on an origin of its own: a click connects in a popup, and the pages of the list come through the gateway', async t => {
  const { frontend, page, vendor, faults } = await elsewhere(t, browser)
  await page.goto(`${frontend}/example`)
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: 'Connect Productboard' }).click()])
  await choose(popup, 'Allow')
  await page.getByRole('listitem').nth(4).waitFor()
  for (const last of [9, 11]) {
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('listitem').nth(last).waitFor()
  }
  await page.getByRole('button').first().waitFor({ state: 'hidden' })
  t.equal(await page.getByRole('listitem').count(), 12)
  t.equal(await page.getByRole('button').count(), 0, 'nothing is left to connect or to show')
  t.equal(vendor.requests.length, 3)
  t.same(
    faults.filter(fault => !fault.includes('status of 401')),
    []
  )
})

t.test('without a popup the page leaves and comes back to where it was, and a call that needs it can do so by itself', async t => {
  const { frontend, page } = await elsewhere(t, browser)
  await openPage(page, `${frontend}/list?page=2#here`)
  await begin(page, `grantkeeper.connect('productboard')`)
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.waitForURL(`${frontend}/list?page=2&connect_error=access_denied&provider=productboard#here`)
  await page.getByText('Ready').waitFor()

  await begin(page, notes(`{ reconnect: 'redirect' }`))
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(`${frontend}/list?page=2#here`)
  await page.getByText('Ready').waitFor()
  await begin(page, notes())
  t.same(await ended(page), { value: [200, 5] })
})

t.test('a browser that opens no popup is an error of its own', async t => {
  const { frontend, page } = await elsewhere(t, browser, { 'content-security-policy': 'sandbox allow-scripts allow-same-origin' })
  await openPage(page, frontend)
  await begin(page, notes(`{ reconnect: 'popup' }`))
  t.match(await ended(page), { error: { isOurs: true, code: 'popup_blocked' } })
})

t.test('when the service takes the access back, calls open one popup for all of them, and are repeated with their bodies', async t => {
  const { frontend, page, vendor } = await elsewhere(t, browser)
  await openPage(page, frontend)
  await choose(await popupOf(page, inPopup), 'Allow')
  await ended(page)
  vendor.revokeGrants()
  let popups = 0
  page.on('popup', () => popups++)
  const body = `JSON.stringify({ data: { fields: { name: 'Kept' } } })`
  const post = `grantkeeper.fetch('productboard', '/v2/notes', { method: 'POST', headers: { 'content-type': 'application/json' }, body: ${body}, reconnect: 'popup' })`
  const popup = await popupOf(
    page,
    `Promise.all([${notes(`{ reconnect: 'popup' }`)}, ${notes(`{ reconnect: 'popup' }`)}, ${post}.then(answer => answer.status)])`
  )
  await choose(popup, 'Allow')
  t.same(await ended(page), { value: [[200, 5], [200, 5], 201] })
  t.equal(popups, 1)
  t.equal(vendor.counts.tokenRequests.authorization_code, 2, 'one sign-in before, one for all three')
})

t.test('a page on an origin that is not allowed gets nothing: no client, no list, no outcome', async t => {
  const { gateway, page } = await elsewhere(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  const stranger = await startFrontend(t, () => ({ html: pageFor(gateway.url) }))
  await page.goto(stranger)
  await page.getByRole('heading').waitFor()
  const failure = (work: string) => page.evaluate(`(${work}).then(() => 'no failure', error => error.name)`)
  t.equal(await failure(`import('${gateway.url}/client.js')`), 'TypeError')
  t.equal(await failure(`fetch('${gateway.url}/connections', { credentials: 'include' })`), 'TypeError')

  // It may open the popup's end, by its own name or as somebody else.
  await page.evaluate('window.heard = []; addEventListener("message", ({ data }) => heard.push(data))')
  const opened = async (opener: string) => {
    const address = `${gateway.url}/popup?${new URLSearchParams({ opener, provider: 'productboard' })}`
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`void open('${address}')`)])
    return popup
  }
  const refused = await opened(stranger)
  await refused.getByRole('heading', { name: 'The return address was refused' }).waitFor()
  const disguised = await opened(gateway.url)
  if (!disguised.isClosed()) await disguised.waitForEvent('close')
  t.same(await page.evaluate('heard'), [])
})

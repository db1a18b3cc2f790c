import type { Page } from 'playwright-core'
import t from 'tap'
import { callFrom, cardOf, connect, newPerson, startChromium, statusOf, tabTo } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const titles = ['Productboard', 'Process Street', 'Outgrow', 'Ignition']
const browser = await startChromium(t)

const notes = (page: Page) => callFrom(page, '/proxy/productboard/v2/notes')

t.test('a person connects each of the four services, and the page itself can call them, past the end of a token too', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, faults } = await newPerson(t, browser)
  await page.goto(gateway.url)
  for (const title of titles) {
    await statusOf(page, title, 'Not connected')
    await connect(page, title)
    await page.getByRole('status').getByText(`${title} is connected`).waitFor()
  }
  t.equal(await page.getByText('Connected', { exact: true }).count(), 4)
  // A reload does not tell it again.
  await page.waitForURL(`${gateway.url}/`)

  t.match(await notes(page), { status: 200, body: { data: [{ type: 'textNote' }] } })
  const { counts, expireAccessTokens } = sandbox.vendor('productboard')
  expireAccessTokens()
  t.match(await notes(page), { status: 200, body: { data: [{ type: 'textNote' }] } })
  t.equal(counts.tokenRequests.refresh_token, 1, 'one renewal')
  t.same(faults, [])
})

t.test('who denies the access reads what happened and what to do, and nothing is connected', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, faults } = await newPerson(t, browser)
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Connect Outgrow' }).click()
  await page.getByRole('button', { name: 'Deny' }).click()
  const message = page.getByRole('status')
  await message.getByText('Outgrow was not connected.').waitFor()
  t.match(await message.textContent(), /The access was not allowed there\. If that was a slip, connect again and choose Allow\./)
  t.match(await page.title(), /^Outgrow was not connected/, 'it is what a screen reader says first')
  t.equal(await page.getByText('Not connected', { exact: true }).count(), 4)
  t.same(faults, [])

  await message.getByRole('link', { name: 'Try Outgrow again' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await statusOf(page, 'Outgrow', 'Connected')
})

t.test('who opens the page by the number of this host ends where the cookies are', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newPerson(t, browser)
  await page.goto(gateway.url.replace('localhost', '127.0.0.1'))
  await page.getByRole('link', { name: 'Connect Ignition' }).click()
  // For a browser it is another site, so that it has to be said once more.
  await page.getByRole('link', { name: 'Sign in at Ignition' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await statusOf(page, 'Ignition', 'Connected')
  await page.waitForURL(`${gateway.url}/`)
})

t.test('a person thinks again, disconnects one service and then signs out', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, context, faults } = await newPerson(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await connect(page, 'Ignition')

  const disconnect = page.getByRole('button', { name: 'Disconnect Productboard' })
  const dialog = page.getByRole('dialog', { name: 'Disconnect Productboard?' })
  await disconnect.click()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await statusOf(page, 'Productboard', 'Connected')

  await disconnect.click()
  await dialog.getByRole('button', { name: 'Disconnect' }).click()
  await page.getByRole('status').getByText('Productboard is disconnected.').waitFor()
  await statusOf(page, 'Productboard', 'Not connected')
  await statusOf(page, 'Ignition', 'Connected')
  t.equal(sandbox.vendor('productboard').counts.revocations, 1, 'the service was told')

  await page.getByRole('button', { name: 'Sign out and disconnect all' }).click()
  await page.getByRole('dialog', { name: 'Sign out?' }).getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('status').getByText('You are signed out').waitFor()
  t.equal(await page.getByText('Not connected', { exact: true }).count(), 4)
  t.same(await context.cookies(gateway.url), [])
  t.same(faults, [])
})

t.test('the keyboard alone is enough, and focus never gets lost', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newPerson(t, browser)
  const focused = page.locator(':focus')
  await page.goto(gateway.url)
  await tabTo(page, 'Connect Ignition')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await tabTo(page, 'Allow')
  await page.keyboard.press('Enter')
  await statusOf(page, 'Ignition', 'Connected')

  await tabTo(page, 'Disconnect Ignition')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  t.equal(await focused.textContent(), 'Cancel', 'the harmless choice comes first')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  t.equal(await focused.getAttribute('aria-label'), 'Disconnect Ignition', 'back where it was')

  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await tabTo(page, 'Disconnect')
  await page.keyboard.press('Space')
  await page.getByText('Ignition is disconnected.').waitFor()
  await page.locator('a:focus').waitFor()
  t.equal(await focused.getAttribute('aria-label'), 'Connect Ignition')

  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Allow' }).press('Enter')
  await statusOf(page, 'Ignition', 'Connected')
  await tabTo(page, 'Sign out and disconnect all')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await tabTo(page, 'Sign out and disconnect all')
  await page.keyboard.press('Enter')
  await page.getByText('You are signed out').waitFor()
  await page.locator('#message:focus').waitFor()
})

t.test('when the service takes the access back, the call says so, the card says so, and Reconnect mends it', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page } = await newPerson(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  sandbox.vendor('productboard').revokeGrants()
  t.match(await notes(page), {
    status: 401,
    body: { code: 'reconnect_required', connectUrl: `${gateway.url}/auth/productboard` }
  })
  await page.reload()
  await statusOf(page, 'Productboard', 'Access has ended')
  await cardOf(page, 'Productboard').getByText('Reconnect to go on using it.').waitFor()

  await page.getByRole('link', { name: 'Reconnect Productboard' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await statusOf(page, 'Productboard', 'Connected')
  t.match(await notes(page), { status: 200 })
})

t.test('two tabs sign in at the same time, and both finish in one session', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page: first, context } = await newPerson(t, browser)
  const second = await context.newPage()
  for (const [page, title] of [
    [first, 'Productboard'],
    [second, 'Ignition']
  ] as const) {
    await page.goto(gateway.url)
    await page.getByRole('link', { name: `Connect ${title}` }).click()
    await page.getByRole('button', { name: 'Allow' }).waitFor()
  }
  await Promise.all([first, second].map(page => page.getByRole('button', { name: 'Allow' }).click()))
  await statusOf(first, 'Productboard', 'Connected')
  await statusOf(second, 'Ignition', 'Connected')
  await second.reload()
  await statusOf(second, 'Productboard', 'Connected')
})

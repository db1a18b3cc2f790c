import type { Page } from 'playwright-core'
import t from 'tap'
import { cardOf, connect, fetchJson, newUser, startChromium, tabTo, waitForStatus } from '../support/chromium.ts'
import { fourProviders, startGatewayAndSandbox } from '../support/gateway.ts'

const titles = ['Productboard', 'Process Street', 'Outgrow', 'Ignition']
const browser = await startChromium(t)

const notes = (page: Page) => fetchJson(page, '/proxy/productboard/v2/notes')

t.test('a user connects all four providers, and requests outlive the access token', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  for (const title of titles) {
    await waitForStatus(page, title, 'Not connected')
    await connect(page, title)
    await page.getByRole('status').getByText(`${title} is connected`).waitFor()
  }
  t.equal(await page.getByText('Connected', { exact: true }).count(), 4)
  // A reload does not repeat the message.
  await page.waitForURL(`${gateway.url}/`)

  t.match(await notes(page), { status: 200, body: { data: [{ type: 'textNote' }] } })
  const { counts, expireAccessTokens } = sandbox.vendor('productboard')
  expireAccessTokens()
  t.match(await notes(page), { status: 200, body: { data: [{ type: 'textNote' }] } })
  t.equal(counts.tokenRequests.refresh_token, 1, 'one renewal')
  t.same(consoleErrors, [])
})

t.test('a user who denies access reads what happened and what to do', async t => {
  const { gateway } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Connect Outgrow' }).click()
  await page.getByRole('button', { name: 'Deny' }).click()
  const message = page.getByRole('status')
  await message.getByText('Outgrow was not connected.').waitFor()
  t.match(await message.textContent(), /The access was not allowed there\. If that was a slip, connect again and choose Allow\./)
  t.match(await page.title(), /^Outgrow was not connected/, 'screen readers announce the title first')
  t.equal(await page.getByText('Not connected', { exact: true }).count(), 4)
  t.same(consoleErrors, [])

  await message.getByRole('link', { name: 'Try Outgrow again' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await waitForStatus(page, 'Outgrow', 'Connected')
})

t.test('a user who opens the page by IP address ends on the public URL', async t => {
  const { gateway } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page } = await newUser(t, browser)
  await page.goto(gateway.url.replace('localhost', '127.0.0.1'))
  await page.getByRole('link', { name: 'Connect Ignition' }).click()
  // For the browser this is a cross-site request, which asks for one more click.
  await page.getByRole('link', { name: 'Sign in at Ignition' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await waitForStatus(page, 'Ignition', 'Connected')
  await page.waitForURL(`${gateway.url}/`)
})

t.test('a user cancels, then disconnects one provider, then signs out', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page, context, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await connect(page, 'Ignition')

  const disconnect = page.getByRole('button', { name: 'Disconnect Productboard' })
  const dialog = page.getByRole('dialog', { name: 'Disconnect Productboard?' })
  await disconnect.click()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await waitForStatus(page, 'Productboard', 'Connected')

  await disconnect.click()
  await dialog.getByRole('button', { name: 'Disconnect' }).click()
  await page.getByRole('status').getByText('Productboard is disconnected.').waitFor()
  await waitForStatus(page, 'Productboard', 'Not connected')
  await waitForStatus(page, 'Ignition', 'Connected')
  t.equal(sandbox.vendor('productboard').counts.revocations, 1, 'the grant is revoked at the provider')

  await page.getByRole('button', { name: 'Sign out and disconnect all' }).click()
  await page.getByRole('dialog', { name: 'Sign out?' }).getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('status').getByText('You are signed out').waitFor()
  t.equal(await page.getByText('Not connected', { exact: true }).count(), 4)
  t.same(await context.cookies(gateway.url), [])
  t.same(consoleErrors, [])
})

t.test('the page works with the keyboard alone and never loses the focus', async t => {
  const { gateway } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page } = await newUser(t, browser)
  const focused = page.locator(':focus')
  await page.goto(gateway.url)
  await tabTo(page, 'Connect Ignition')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await tabTo(page, 'Allow')
  await page.keyboard.press('Enter')
  await waitForStatus(page, 'Ignition', 'Connected')

  await tabTo(page, 'Disconnect Ignition')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  t.equal(await focused.textContent(), 'Cancel', 'the safe choice comes first')
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  t.equal(await focused.getAttribute('aria-label'), 'Disconnect Ignition', 'the focus returns to the button')

  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await tabTo(page, 'Disconnect')
  await page.keyboard.press('Space')
  await page.getByText('Ignition is disconnected.').waitFor()
  await page.locator('a:focus').waitFor()
  t.equal(await focused.getAttribute('aria-label'), 'Connect Ignition')

  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Allow' }).press('Enter')
  await waitForStatus(page, 'Ignition', 'Connected')
  await tabTo(page, 'Sign out and disconnect all')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await tabTo(page, 'Sign out and disconnect all')
  await page.keyboard.press('Enter')
  await page.getByText('You are signed out').waitFor()
  await page.locator('#message:focus').waitFor()
})

t.test('a revoked grant shows in responses and on the card; Reconnect fixes it', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page } = await newUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  sandbox.vendor('productboard').revokeGrants()
  t.match(await notes(page), {
    status: 401,
    body: { code: 'reconnect_required', connectUrl: `${gateway.url}/connect/productboard` }
  })
  await page.reload()
  await waitForStatus(page, 'Productboard', 'Access has ended')
  await cardOf(page, 'Productboard').getByText('Reconnect to go on using it.').waitFor()

  await page.getByRole('link', { name: 'Reconnect Productboard' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await waitForStatus(page, 'Productboard', 'Connected')
  t.match(await notes(page), { status: 200 })
})

t.test('two tabs sign in at the same time and share one session', async t => {
  const { gateway } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page: first, context } = await newUser(t, browser)
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
  await waitForStatus(first, 'Productboard', 'Connected')
  await waitForStatus(second, 'Ignition', 'Connected')
  await second.reload()
  await waitForStatus(second, 'Productboard', 'Connected')
})

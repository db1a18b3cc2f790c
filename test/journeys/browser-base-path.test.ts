import t, { type Test } from 'tap'
import { chooseFromMenu, connect, connectByKey, fetchJson, newUser, startChromium, waitForStatus } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway, startTestSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)
const path = '/integrations'

/** A gateway below a path, to which browsers come directly. */
async function startBelowPath(t: Test) {
  const port = await freePort()
  const url = `http://localhost:${port}${path}`
  const sandbox = await startTestSandbox(t, [], { redirectUris: vendor => [`${url}/auth/${vendor}/callback`] })
  await startGateway(t, { port, sandbox, environment: { PUBLIC_URL: url } })
  const { page, context, consoleErrors } = await newUser(t, browser)
  await page.goto(url)
  return { url, sandbox, page, context, consoleErrors }
}

t.test('below a path a user connects by sign-in and by key, and disconnects', async t => {
  const { url, sandbox, page, consoleErrors } = await startBelowPath(t)
  await connect(page, 'Productboard')
  // The message is removed from the URL, which keeps the path.
  await page.waitForURL(`${url}/`)
  await connectByKey(page, 'Outgrow', sandbox.vendor('outgrow').apiKey)
  await page.waitForURL(`${url}/`)
  t.match(await fetchJson(page, `${path}/proxy/productboard/v2/notes`), { status: 200 })

  await page.getByRole('button', { name: 'Disconnect Productboard' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  await page.getByText('Productboard is disconnected.').waitFor()
  await waitForStatus(page, 'Productboard', 'Not connected')
  await page.getByRole('button', { name: 'Sign out and disconnect all' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are signed out').waitFor()
  t.same(consoleErrors, [])
})

t.test('below a path an invited user accepts, and a popup ends', async t => {
  const { url, page, consoleErrors } = await startBelowPath(t)
  await chooseFromMenu(page, 'Ask somebody else to connect Productboard')
  await page.getByLabel('Your name, as they will see it').fill('Ada')
  await page.getByRole('button', { name: 'Make the link' }).click()
  const link = page.getByLabel(/^The link for whoever is to connect/)
  await link.waitFor()
  const invitation = await link.inputValue()
  t.ok(invitation.startsWith(`${url}/invitations/`))

  const guest = await newUser(t, browser)
  await guest.page.goto(invitation)
  await guest.page.getByRole('button', { name: 'Continue to Productboard' }).click()
  await guest.page.getByRole('button', { name: 'Allow' }).click()
  await guest.page.getByText('Productboard is connected for the person who asked you.').waitFor()

  await page.goto(`${url}/popup?${new URLSearchParams({ opener: new URL(url).origin, provider: 'productboard' })}`)
  await page.getByRole('heading', { name: 'Productboard is connected' }).waitFor()
  t.same([...consoleErrors, ...guest.consoleErrors], [])
})

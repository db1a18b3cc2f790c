import t from 'tap'
import { eventually } from '../stores/redis/topologies.ts'
import {
  cardOf,
  chooseFromMenu,
  connect,
  connectByKey,
  fetchJson,
  keyDialog,
  newUser,
  pasteKey,
  startChromium,
  tabTo,
  waitForStatus
} from '../support/chromium.ts'
import { startFrontend } from '../support/frontend.ts'
import { fourProviders, startGateway, startGatewayAndSandbox, startTestSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)
/** Chromium logs every 4xx and 5xx response as a console error. */
const withoutHttpErrors = (errors: readonly string[]) => errors.filter(error => !/status of (400|401|422|502)/.test(error))

t.test('a user connects by sign-in or key, and the page requests each API', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  const productboard = cardOf(page, 'Productboard')
  await productboard.getByText('see notes and feedback').waitFor()
  t.equal(await productboard.getByText('Ends').count(), 0, 'a renewed access token has no end to show')
  await page.getByRole('button', { name: 'Disconnect Productboard' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
  await waitForStatus(page, 'Productboard', 'Not connected')

  for (const [title, name, path] of [
    ['Productboard', 'productboard', '/v2/notes'],
    ['Process Street', 'process-street', '/workflows'],
    ['Outgrow', 'outgrow', '/get_cal']
  ] as const) {
    const key = sandbox.vendor(name).apiKey
    await connectByKey(page, title, ` ${key} `)
    await page.getByRole('status').getByText(`${title} is connected`).waitFor()
    await cardOf(page, title).getByText('Key', { exact: true }).waitFor()
    t.match(await fetchJson(page, `/proxy/${name}${path}`), { status: 200 })
    t.notOk((await page.content()).includes(key), 'the page does not contain the key')
  }
  await cardOf(page, 'Process Street').getByText('Fernhill Tea sandbox').waitFor()
  await page.reload()
  await cardOf(page, 'Outgrow').getByText('Last used').waitFor()
  t.same(consoleErrors, [])
})

t.test('a rejected key shows an error at its field, which keeps the focus', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page, consoleErrors } = await newUser(t, browser)
  const { switches, apiKey } = sandbox.vendor('outgrow')
  await page.goto(gateway.url)
  await chooseFromMenu(page, 'Use a key instead for Outgrow')
  const dialog = keyDialog(page, 'Outgrow')
  const field = dialog.getByLabel('Your Outgrow key')
  const alert = dialog.getByRole('alert')

  for (const [key, sentence, invalid] of [
    ['wrong', 'Outgrow does not accept this key. Check that it is the whole key and still active there, and paste it again.', 'true'],
    ['', 'The key is empty. Copy it again, the key alone, and paste it here.', 'true'],
    [apiKey, 'Outgrow could not check the key: it returned status 500. Nothing was stored; try again in a moment.', null]
  ] as const) {
    if (key === apiKey) switches.apiFault = 'error500'
    await field.fill(key)
    await dialog.getByRole('button', { name: 'Connect' }).click()
    await alert.getByText(sentence).waitFor()
    await dialog.locator('input:focus').waitFor()
    t.equal(await field.getAttribute('aria-invalid'), invalid, 'the key is not marked invalid for an error of the provider')
    t.match(await field.getAttribute('aria-describedby'), String(await alert.getAttribute('id')))
    t.equal(await field.inputValue(), key, 'the key stays for correction')
  }
  switches.apiFault = undefined

  await dialog.getByRole('button', { name: 'Show the key' }).click()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  // The close event is queued.
  await eventually('the closed dialog holds no key', async () => (await page.locator('#key-outgrow').inputValue()) === '')
  t.equal(await page.getByText('Not connected', { exact: true }).count(), 4)
  await chooseFromMenu(page, 'Use a key instead for Outgrow')
  t.equal(await alert.textContent(), '', 'the error is gone')
  t.equal(await field.getAttribute('type'), 'password', 'the key is hidden again')
  await pasteKey(page, 'Outgrow', apiKey)
  await waitForStatus(page, 'Outgrow', 'Connected')
  t.same(withoutHttpErrors(consoleErrors), [])
})

t.test('the card shows a revoked key, and Reconnect asks for a new one', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser)
  await page.goto(gateway.url)
  await connectByKey(page, 'Process Street', sandbox.vendor('process-street').apiKey)
  // The request, and the API key check that follows its 401.
  sandbox.vendor('process-street').switches.unauthorizedCalls = 2
  t.equal((await fetchJson(page, '/proxy/process-street/workflows')).status, 401)
  t.match(await fetchJson(page, '/proxy/process-street/workflows'), { status: 401, body: { code: 'reconnect_required' } })
  await page.reload()

  await waitForStatus(page, 'Process Street', 'Access has ended')
  const card = cardOf(page, 'Process Street')
  await card.getByText('Process Street does not accept this key any more.').waitFor()
  await card.getByText('Fernhill Tea sandbox').waitFor()
  const signIn = card.getByLabel('Sign in instead for Process Street')
  t.match(await signIn.getAttribute('href'), `${gateway.url}/auth/process-street?`)
  await card.getByRole('link', { name: 'Reconnect Process Street' }).click()
  await keyDialog(page, 'Process Street').waitFor()
  await pasteKey(page, 'Process Street', sandbox.vendor('process-street').apiKey)
  await waitForStatus(page, 'Process Street', 'Connected')

  await page.getByRole('button', { name: 'Disconnect Process Street' }).click()
  await page.getByRole('dialog').getByText('The key itself stays good until you delete it at Process Street.').waitFor()
})

t.test('a key can be pasted with the keyboard, after the steps', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page } = await newUser(t, browser)
  const focused = page.locator(':focus')
  await page.goto(gateway.url)
  await tabTo(page, 'More for Outgrow')
  await page.keyboard.press('Enter')
  await tabTo(page, 'Use a key instead for Outgrow')
  t.equal(await focused.getAttribute('aria-haspopup'), 'dialog')
  await page.keyboard.press('Enter')
  await keyDialog(page, 'Outgrow').waitFor()
  t.equal(await focused.textContent(), 'Connect Outgrow with a key')
  await page.keyboard.press('Escape')
  await keyDialog(page, 'Outgrow').waitFor({ state: 'hidden' })
  t.equal(await focused.getAttribute('aria-label'), 'Use a key instead for Outgrow', 'the focus returns to the link')

  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await page.keyboard.type(sandbox.vendor('outgrow').apiKey)
  t.equal(await focused.getAttribute('type'), 'password')
  await tabTo(page, 'Show the key')
  await page.keyboard.press('Space')
  t.equal(await focused.getAttribute('aria-label'), 'Hide the key')
  await page.keyboard.press('Shift+Tab')
  t.equal(await focused.getAttribute('type'), 'text')
  await page.keyboard.press('Enter')
  await page.locator('#message:focus').getByText('Outgrow is connected').waitFor()
})

t.test('without JavaScript the key page says what is missing, and signing in works', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser, { javaScriptEnabled: false })
  await page.goto(gateway.url)
  await chooseFromMenu(page, 'Use a key instead for Process Street')
  await page.getByRole('heading', { name: 'Connect Process Street' }).waitFor()
  await page.getByText('Choose New API Key and give it a name.').waitFor()
  await page.getByText('Pasting a key needs JavaScript').waitFor()
  t.equal(await page.getByRole('button').count(), 0)
  t.equal(await page.getByRole('textbox').count(), 0)
  await page.getByRole('link', { name: 'Sign in at Process Street' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.getByText('Process Street is connected').waitFor()
})

t.test('the page of one provider returns to the frontend after connecting', async t => {
  const frontend = await startFrontend(t)
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: { ALLOWED_ORIGINS: frontend } })
  const { page, consoleErrors } = await newUser(t, browser)
  const connectPage = `${gateway.url}/connect/productboard?return_to=${encodeURIComponent(`${frontend}/done?from=a%20b`)}`
  await page.goto(connectPage)
  await page.getByText('Features, notes and feedback of your product workspace').waitFor()
  await page.getByText('Not on the Essentials plan.').waitFor()
  await pasteKey(page, 'Productboard', 'wrong')
  await page.getByRole('alert').getByText('Productboard does not accept this key.').waitFor()
  await page.locator('input:focus').waitFor()
  await pasteKey(page, 'Productboard', sandbox.vendor('productboard').apiKey)
  await page.waitForURL(`${frontend}/done?from=a%20b`)
  await page.goto(connectPage)
  await page.getByRole('link', { name: 'Sign in at Productboard' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(`${frontend}/done?from=a%20b`)
  t.same(withoutHttpErrors(consoleErrors), [])
})

t.test('with keys only, Connect and connectUrl lead to the key form', async t => {
  const sandbox = await startTestSandbox(t, [1])
  const PROCESS_STREET_API_URL = sandbox.vendor('process-street').definition.api.baseUrl
  const gateway = await startGateway(t, { environment: { PROCESS_STREET_API_URL } })
  const { page } = await newUser(t, browser)
  // Under 127.0.0.1 the cookies would be missing: the link leads to the public URL instead of opening the dialog.
  await page.goto(gateway.url.replace('localhost', '127.0.0.1'))
  await page.getByRole('link', { name: 'Connect Process Street' }).click()
  await page.waitForURL(`${gateway.url}/connect/process-street?**`)

  await page.goto(gateway.url)
  const card = cardOf(page, 'Process Street')
  await card.getByText('You make a key at Process Street and paste it here. Only an admin of the organization can make a key.').waitFor()
  await card.getByRole('link', { name: 'Connect Process Street' }).click()
  await keyDialog(page, 'Process Street').getByRole('button', { name: 'Cancel' }).click()
  const { body } = await fetchJson(page, '/proxy/process-street/workflows')
  t.match(body, { code: 'connection_required', connectUrl: `${gateway.url}/connect/process-street` })
  await page.goto((body as { connectUrl: string }).connectUrl)
  t.equal(await page.getByRole('link', { name: 'Sign in' }).count(), 0)
  await pasteKey(page, 'Process Street', sandbox.vendor('process-street').apiKey)
  await page.getByRole('status').getByText('Process Street is connected').waitFor()
})

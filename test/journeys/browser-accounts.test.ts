import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { connectionsPage } from '../../src/pages/connections-page.ts'
import { checkAccessibility } from '../support/axe.ts'
import {
  cardOf,
  chooseFromMenu,
  connect,
  connectByKey,
  fetchJson,
  keyDialog,
  newUser,
  openAccountMenu,
  pasteKey,
  startChromium
} from '../support/chromium.ts'
import { fourProviders, newKey, startGatewayAndSandbox } from '../support/gateway.ts'
import { pageContext } from '../support/page-context.ts'
import { startUserSession } from '../support/user-session.ts'

const browser = await startChromium(t)

type View = {
  id?: string
  provider: string
  account?: string
  isDefault?: boolean
  method?: string
  connectedAt?: string
  connectedBy?: string
}

/** The connections to one provider, in the order of the list. */
async function accountsOf(page: Page, provider: string): Promise<View[]> {
  const { body } = await fetchJson(page, '/connections')
  return (body as { connections: View[] }).connections.filter(view => view.provider === provider)
}

const blockOf = (page: Page, label: string) =>
  page.locator('.account').filter({ has: page.getByRole('heading', { name: label, exact: true }) })

const linkIn = async (page: Page): Promise<string> => {
  const input = page.getByLabel(/^The link for whoever is to connect/)
  await input.waitFor()
  return input.inputValue()
}

const message = (page: Page, text: string) => page.getByRole('status').getByText(text).waitFor()

const confirm = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name }).click()

/** A user who has connected Productboard twice, by signing in. */
async function withTwoAccounts(t: Test) {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const user = await newUser(t, browser, { reducedMotion: 'reduce' })
  const { page } = user
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await chooseFromMenu(page, 'Add another account of Productboard')
  await page.getByRole('button', { name: 'Allow' }).click()
  await cardOf(page, 'Productboard').getByText('2 accounts').waitFor()
  await page.waitForLoadState()
  return { gateway, sandbox, ...user }
}

t.test('a user connects two accounts and chooses the default one', async t => {
  const { page, consoleErrors } = await withTwoAccounts(t)
  const [first, second] = await accountsOf(page, 'productboard')
  t.match([first?.isDefault, second?.isDefault], [true, false])
  await blockOf(page, 'Account 1').getByText('Default').waitFor()
  await chooseFromMenu(page, 'Make default: Productboard, Account 2')
  await message(page, 'Applications that ask for no account use Account 2 of Productboard now.')
  await blockOf(page, 'Account 2').getByText('Default').waitFor()
  t.equal(await page.locator(':focus').getAttribute('aria-label'), 'More for Productboard, Account 2')
  t.equal((await accountsOf(page, 'productboard'))[0]?.id, second?.id)
  t.same(consoleErrors, [])
})

t.test('a user disconnects one of two accounts', async t => {
  const { page, consoleErrors } = await withTwoAccounts(t)
  const [first] = await accountsOf(page, 'productboard')
  await page.getByRole('button', { name: 'Disconnect Productboard, Account 2' }).click()
  await page.getByRole('dialog', { name: 'Disconnect Productboard, Account 2?' }).waitFor()
  await confirm(page, 'Disconnect')
  await message(page, 'Productboard, Account 2 is disconnected.')
  await cardOf(page, 'Productboard').getByText('Connected', { exact: true }).waitFor()
  t.equal(await page.locator(':focus').getAttribute('aria-label'), 'More for Productboard')
  t.match(await accountsOf(page, 'productboard'), [{ id: first?.id, isDefault: true }])
  t.same(consoleErrors, [])
})

t.test('an account that another tab has disconnected is no error', async t => {
  const { page, consoleErrors } = await withTwoAccounts(t)
  const [, second] = await accountsOf(page, 'productboard')
  await page.evaluate(id => fetch(`/connections/productboard/${id}`, { method: 'DELETE', headers: { 'x-csrf': '1' } }), second?.id)
  await page.getByRole('button', { name: 'Disconnect Productboard, Account 2' }).click()
  await confirm(page, 'Disconnect')
  await message(page, 'Productboard, Account 2 is disconnected.')
  t.same(
    consoleErrors.filter(error => !error.includes('status of 404')),
    []
  )
})

t.test('a user reconnects one of two accounts, and the other stays', async t => {
  const { page, consoleErrors } = await withTwoAccounts(t)
  const before = await accountsOf(page, 'productboard')
  await chooseFromMenu(page, 'Reconnect Productboard, Account 2')
  await page.getByRole('button', { name: 'Allow' }).click()
  await message(page, 'Productboard is connected.')
  const after = await accountsOf(page, 'productboard')
  t.same(
    after.map(({ id }) => id),
    before.map(({ id }) => id)
  )
  t.equal(after[0]?.connectedAt, before[0]?.connectedAt)
  t.not(after[1]?.connectedAt, before[1]?.connectedAt)

  await chooseFromMenu(page, 'Add another account of Productboard')
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.locator('#message:focus').getByText('No other Productboard account was connected.').waitFor()
  await page.getByRole('link', { name: 'Try Productboard again' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await cardOf(page, 'Productboard').getByText('3 accounts').waitFor()
  t.same(consoleErrors, [])
})

t.test('a key adds an account, or takes the place of the one it is pasted for', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newUser(t, browser)
  const { apiKey } = sandbox.vendor('process-street')
  await page.goto(gateway.url)
  await connect(page, 'Process Street')
  await chooseFromMenu(page, 'Add one with a key for Process Street')
  await keyDialog(page, 'Process Street').getByText('This is added to the Process Street that is connected already').waitFor()
  await pasteKey(page, 'Process Street', apiKey)
  await blockOf(page, 'Fernhill Tea sandbox').waitFor()
  await page.waitForLoadState()
  const before = await accountsOf(page, 'process-street')

  await chooseFromMenu(page, 'Reconnect Process Street, Fernhill Tea sandbox')
  await keyDialog(page, 'Process Street').getByText('The key takes the place of Fernhill Tea sandbox.').waitFor()
  // Not the URL: the page takes `?connected=` off its own at once.
  await Promise.all([page.waitForEvent('load'), pasteKey(page, 'Process Street', apiKey)])
  await message(page, 'Process Street is connected')
  const after = await accountsOf(page, 'process-street')
  t.same(
    after.map(({ id }) => id),
    before.map(({ id }) => id)
  )
  t.not(after[1]?.connectedAt, before[1]?.connectedAt)

  await chooseFromMenu(page, 'Add another account of Process Street')
  await page.getByRole('button', { name: 'Allow' }).click()
  await cardOf(page, 'Process Street').getByText('3 accounts').waitFor()
  t.same(consoleErrors, [])
})

t.test('the page of one provider adds an account, by sign-in or key', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await page.goto(`${gateway.url}/connect/productboard`)
  await page.getByRole('link', { name: 'Add another account instead' }).click()
  await page.getByRole('heading', { name: 'Connect another Productboard account' }).waitFor()
  await page.getByRole('link', { name: 'Sign in at Productboard' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await cardOf(page, 'Productboard').getByText('2 accounts').waitFor()
  await page.goto(`${gateway.url}/connect/productboard?account=add`)
  await pasteKey(page, 'Productboard', sandbox.vendor('productboard').apiKey)
  await cardOf(page, 'Productboard').getByText('3 accounts').waitFor()
})

t.test('an invited person renews one account, adds another, and is named', async t => {
  const { page, consoleErrors } = await withTwoAccounts(t)
  const guest = await newUser(t, browser)
  const [first, second] = await accountsOf(page, 'productboard')
  const makeLink = async (button: string, hint: string) => {
    await chooseFromMenu(page, button)
    await page.getByRole('dialog').getByText(hint).waitFor()
    t.equal(await page.getByRole('checkbox').count(), 0, 'there is nothing to choose')
    await page.getByLabel('Your name, as they will see it').fill('Ada')
    await page.getByRole('button', { name: 'Make the link' }).click()
    const link = await linkIn(page)
    await page.getByRole('button', { name: 'Done' }).click()
    return link
  }
  const withdrawable = async (of: string) => page.getByRole('button', { name: `Withdraw the invitation for ${of}` }).waitFor()
  const accept = async (link: string, name: string) => {
    await guest.page.goto(link)
    await guest.page.getByLabel('Your name, if they should see who connected it').fill(name)
    await guest.page.getByRole('button', { name: 'Continue to Productboard' }).click()
    await guest.page.getByRole('button', { name: 'Allow' }).click()
    await guest.page.getByText('is connected for the person who asked you').waitFor()
    await page.reload()
  }
  const renewing = await makeLink('Ask somebody else to connect Productboard, Account 2', 'Theirs then takes its place')
  await withdrawable('Productboard, Account 2')
  await accept(renewing, 'Grace')
  await blockOf(page, 'Account 2').getByText('Grace (invited)').waitFor()
  t.match(await accountsOf(page, 'productboard'), [{ id: first?.id }, { id: second?.id, connectedBy: 'Grace (invited)' }])

  const adding = await makeLink('Ask somebody else to connect another Productboard account', 'their account is added')
  await withdrawable('Productboard, another account')
  await accept(adding, '')
  await cardOf(page, 'Productboard').getByText('3 accounts').waitFor()
  t.equal(await blockOf(page, 'Account 3').getByText('invited').count(), 0)
  t.same([...consoleErrors, ...guest.consoleErrors], [])
})

t.test('with one account the inviter chooses whether theirs is added', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser)
  const guest = await newUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')
  await chooseFromMenu(page, 'Ask somebody else to connect Productboard')
  await page.getByText('Theirs then takes its place').waitFor()
  await page.getByLabel('Add their account to the one that is connected').check()
  await page.getByText('What is connected already stays').waitFor()
  t.equal(await page.getByText('Theirs then takes its place').isVisible(), false)
  await page.getByLabel('Your name, as they will see it').fill('Ada')
  await page.getByRole('button', { name: 'Make the link' }).click()
  await guest.page.goto(await linkIn(page))
  await guest.page.getByLabel('Your name, if they should see who connected it').fill('Grace')
  await pasteKey(guest.page, 'Productboard', sandbox.vendor('productboard').apiKey)
  await guest.page.getByText('is connected for the person who asked you').waitFor()
  await page.getByRole('button', { name: 'Done' }).click()
  await blockOf(page, 'Account 2').getByText('Grace (invited), with a key').waitFor()
})

t.test('a user signs out of this browser, and the connections stay', async t => {
  const key = newKey()
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: { SESSION_KEYS: key, ...fourProviders } })
  const { page, context, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
  const signIn = async () => {
    const { name, value } = await startUserSession(gateway, key, { id: 'u-1', name: 'Ada Lovelace' })
    await context.addCookies([{ name, value, url: gateway.url }])
    await page.goto(gateway.url)
  }
  await signIn()
  await page.getByLabel('Account: Ada Lovelace').waitFor()
  await connectByKey(page, 'Outgrow', sandbox.vendor('outgrow').apiKey)
  await connect(page, 'Productboard')
  const check = checkAccessibility(t, page)
  await check('a user who is signed in')
  await page.goto(`${gateway.url}/connect/productboard`)
  await page.getByText('Signed in as Ada Lovelace').waitFor()
  await page.goto(gateway.url)
  await chooseFromMenu(page, 'Ask somebody else to connect Ignition')
  t.equal(await page.getByLabel('Your name, as they will see it').inputValue(), 'Ada Lovelace')
  await page.keyboard.press('Escape')

  await openAccountMenu(page, 'Ada Lovelace')
  await check('the account menu')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('dialog').getByText('Your connections stay').waitFor()
  await check('the question before signing out')
  await confirm(page, 'Sign out')
  await page.locator('#message:focus').getByText('You are signed out in this browser. Your connections stay.').waitFor()
  t.equal(await page.getByLabel('Account: Ada Lovelace').isVisible(), false)
  t.equal(await page.getByRole('heading', { name: 'Outgrow' }).isVisible(), false)
  await check('signed out')
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await page.getByRole('link', { name: 'Sign in again' }).waitFor()
  t.match(await fetchJson(page, '/proxy/outgrow/get_cal'), { status: 401 })

  await signIn()
  await cardOf(page, 'Outgrow').getByText('Connected', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Disconnect all' }).click()
  await confirm(page, 'Disconnect all')
  await page.locator('#message:focus').getByText('Everything is disconnected.').waitFor()
  await page.getByLabel('Account: Ada Lovelace').waitFor()
  t.equal(await page.getByText('Not connected', { exact: true }).count(), 4)
  t.same(
    consoleErrors.filter(error => !error.includes('status of 401')),
    []
  )
})

t.test('the account menu opens and closes by keyboard and by a click elsewhere', async t => {
  const key = newKey()
  const { gateway } = await startGatewayAndSandbox(t, { environment: { SESSION_KEYS: key } })
  const { page, context, consoleErrors } = await newUser(t, browser)
  const { name, value } = await startUserSession(gateway, key, { id: 'u-1', name: 'Ada Lovelace' })
  await context.addCookies([{ name, value, url: gateway.url }])
  await page.goto(gateway.url)
  const menu = page.getByLabel('Account: Ada Lovelace')
  const signOut = page.getByRole('button', { name: 'Sign out' })
  await menu.focus()
  await page.keyboard.press('Enter')
  await signOut.waitFor()
  await page.keyboard.press('Tab')
  t.equal(await page.locator(':focus').textContent(), 'Sign out')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  t.equal(await page.locator(':focus').textContent(), 'Sign out', 'the question gives the focus back')
  await page.keyboard.press('Escape')
  await signOut.waitFor({ state: 'hidden' })
  t.equal(await page.locator(':focus').getAttribute('aria-label'), 'Account: Ada Lovelace')

  await page.keyboard.press('Enter')
  await signOut.waitFor()
  await page.getByRole('heading', { level: 1 }).click()
  await signOut.waitFor({ state: 'hidden' })
  await menu.click()
  await signOut.focus()
  await page.keyboard.press('Tab')
  await signOut.waitFor({ state: 'hidden' })
  t.same(consoleErrors, [])
})

t.test('signing out goes on at the identity provider where it has a page for that', async t => {
  const key = newKey()
  const { gateway } = await startGatewayAndSandbox(t, { environment: { SESSION_KEYS: key } })
  const { page, context } = await newUser(t, browser)
  const { name, value } = await startUserSession(gateway, key, { id: 'u-1' })
  await context.addCookies([{ name, value, url: gateway.url }])
  const logoutUrl = `${gateway.url}/health/live?ended`
  await page.route('**/logout', route => route.fulfill({ json: { logoutUrl } }))
  await page.goto(gateway.url)
  await openAccountMenu(page, 'u-1')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await confirm(page, 'Sign out')
  await page.waitForURL(logoutUrl)
})

t.test('a user decides about what the browser had connected before', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
  const html = (takeover: { titles: string[] } | undefined) =>
    connectionsPage(pageContext, {
      cards: [],
      invitations: [],
      signInResult: undefined,
      sessionExpiry: undefined,
      user: { id: 'u-1', hasSession: true },
      takeover
    })
  const sent: string[] = []
  for (const [name, success, method] of [
    ['Keep them', 'Outgrow and Ignition are yours now.', 'POST'],
    ['Disconnect them', 'Outgrow and Ignition are disconnected.', 'DELETE']
  ] as const) {
    let isOpen = true
    await page.route(`${gateway.url}/`, route =>
      route.fulfill({ contentType: 'text/html', body: html(isOpen ? { titles: ['Outgrow', 'Ignition'] } : undefined) })
    )
    await page.route(`${gateway.url}/takeover`, route => {
      isOpen = false
      sent.push(`${route.request().method()} ${route.request().headers()['x-csrf']}`)
      return route.fulfill({ status: 204 })
    })
    await page.goto(gateway.url)
    await page.getByText('this browser had connected Outgrow and Ignition').waitFor()
    if (method === 'POST') await checkAccessibility(t, page)('the offer to take over')
    await page.getByRole('button', { name }).click()
    t.equal(await page.getByRole('dialog').locator('.danger').count(), method === 'DELETE' ? 1 : 0)
    await confirm(page, name)
    await page.locator('#message:focus').getByText(success).waitFor()
    t.equal(await page.getByText('Was that you?').count(), 0)
    t.equal(sent.pop(), `${method} 1`)
  }
  t.same(consoleErrors, [])
})

t.test('without JavaScript another account can be added, and no button has no effect', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser, { javaScriptEnabled: false })
  await page.goto(gateway.url)
  await connect(page, 'Ignition')
  await chooseFromMenu(page, 'Add another account of Ignition')
  await page.getByRole('button', { name: 'Allow' }).click()
  await cardOf(page, 'Ignition').getByText('2 accounts').waitFor()
  await page.getByLabel('More for Ignition, Account 2').click()
  await page.getByRole('link', { name: 'Reconnect Ignition, Account 2' }).waitFor()
  t.equal(await page.getByRole('button').count(), 0)
})

t.test('axe finds no violations on cards with several accounts', async t => {
  const { gateway, sandbox, page, consoleErrors } = await withTwoAccounts(t)
  const check = checkAccessibility(t, page)
  await check('two accounts')
  await chooseFromMenu(page, 'Ask somebody else to connect Productboard, Account 2')
  await check('the dialog for one account')
  await page.keyboard.press('Escape')
  await chooseFromMenu(page, 'Add one with a key for Productboard')
  await check('the key dialog for another account')
  await page.keyboard.press('Escape')
  await page.goto(`${gateway.url}/connect/productboard?account=add`)
  await check('the page for another account')

  sandbox.vendor('productboard').revokeGrants()
  t.match(await fetchJson(page, '/proxy/productboard/v2/notes'), { status: 401 })
  await page.goto(gateway.url)
  await blockOf(page, 'Account 1').getByText('Access has ended').waitFor()
  await check('one of two accounts has ended')
  await connect(page, 'Ignition')
  await chooseFromMenu(page, 'Ask somebody else to connect Ignition')
  await check('the dialog with a choice')
  t.same(
    consoleErrors.filter(error => !error.includes('status of 401')),
    []
  )
})

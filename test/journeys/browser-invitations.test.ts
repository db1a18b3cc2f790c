import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { checkAccessibility } from '../support/axe.ts'
import { chooseFromMenu, fetchJson, newUser, pasteKey, startChromium, waitForStatus } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)
/** Chromium logs every 4xx response as a console error. */
const withoutHttpErrors = (errors: readonly string[]) => errors.filter(error => !/status of (400|401|410|422)/.test(error))

async function setUp(t: Test) {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const inviter = await newUser(t, browser, { permissions: ['clipboard-read', 'clipboard-write'] })
  const guest = await newUser(t, browser)
  await inviter.page.goto(gateway.url)
  const noConsoleErrors = () => t.same(withoutHttpErrors([...inviter.consoleErrors, ...guest.consoleErrors]), [])
  return { gateway, sandbox, inviter, guest, noConsoleErrors }
}

const dialogOf = (page: Page, title: string) => page.getByRole('dialog', { name: `Ask somebody else to connect ${title}` })
const linkIn = (page: Page) => page.getByLabel(/^The link for whoever is to connect/)

/** From the Connections page to the open dialog that shows the link. */
async function makeLink(page: Page, title: string, name = 'Ada Lovelace'): Promise<string> {
  await chooseFromMenu(page, `Ask somebody else to connect ${title}`)
  await page.getByLabel('Your name, as they will see it').fill(name)
  await page.getByRole('button', { name: 'Make the link' }).click()
  await linkIn(page).waitFor()
  return linkIn(page).inputValue()
}

async function invite(page: Page, title: string, name?: string): Promise<string> {
  const link = await makeLink(page, title, name)
  await page.getByRole('button', { name: 'Done' }).click()
  await waiting(page).waitFor()
  return link
}

const waiting = (page: Page) => page.getByRole('region', { name: 'Waiting for somebody else' })

async function acceptBySignIn(page: Page, title: string): Promise<void> {
  await page.getByRole('button', { name: `Continue to ${title}` }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.getByText(`${title} is connected for the person who asked you.`).waitFor()
}

async function isGone(t: Test, page: Page, link: string): Promise<void> {
  t.equal((await page.goto(link))?.status(), 410)
  await page.getByRole('heading', { name: 'This invitation is not valid any more' }).waitFor()
  await page.getByText('Ask the person who sent it for a new one.').waitFor()
  t.equal(await page.getByRole('link', { name: 'Back to your connections' }).count(), 0, 'an invited user has none')
}

t.test('an invited user signs in, and the inviter’s card says Connected', async t => {
  const { gateway, inviter, guest, noConsoleErrors } = await setUp(t)
  const { page } = inviter
  const link = await makeLink(page, 'Productboard')
  t.ok(link.startsWith(`${gateway.url}/invitations/`))
  t.equal(await page.locator(':focus').getAttribute('id'), 'invite-link')
  await page.getByRole('button', { name: 'Copy' }).click()
  await dialogOf(page, 'Productboard').getByText('Copied.').waitFor()
  t.equal(await page.evaluate('navigator.clipboard.readText()'), link)
  await dialogOf(page, 'Productboard')
    .getByText(/^It works once, until .*\d\d\d\d.* You need not come back before\. It ends earlier when you sign out or withdraw it\.$/)
    .waitFor()
  await page.getByRole('button', { name: 'Done' }).click()
  await waiting(page)
    .getByText(/asked for by Ada Lovelace, until/)
    .waitFor()
  t.equal(await linkIn(page).inputValue(), '', 'the link is shown once')
  t.equal(await page.locator(':focus').textContent(), 'Ask somebody else', 'the focus returns to the button')

  await guest.page.goto(link)
  await guest.page.getByRole('heading', { name: 'Ada Lovelace asks you to connect Productboard' }).waitFor()
  await guest.page.getByText('see notes and feedback').waitFor()
  await acceptBySignIn(guest.page, 'Productboard')
  t.same(
    (await guest.context.cookies(gateway.url))
      .map(({ name }) => name)
      .filter(name => name.includes('grantkeeper') && !name.includes('-signin-')),
    [],
    'the guest has no session'
  )
  t.match(await fetchJson(guest.page, '/proxy/productboard/v2/notes'), { status: 401 })

  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await waitForStatus(page, 'Productboard', 'Connected')
  t.equal(await waiting(page).count(), 0)
  t.match(await fetchJson(page, '/proxy/productboard/v2/notes'), { status: 200 })
  await isGone(t, guest.page, link)
  noConsoleErrors()
})

t.test('without JavaScript an invited user can sign in or decline', async t => {
  const { gateway, inviter, noConsoleErrors } = await setUp(t)
  const { page } = await newUser(t, browser, { javaScriptEnabled: false })
  await page.goto(await invite(inviter.page, 'Process Street'))
  await page.getByText('Pasting a key needs JavaScript').waitFor()
  t.same(await page.getByRole('button').allTextContents(), ['Continue to Process Street', 'Decline'])
  await acceptBySignIn(page, 'Process Street')
  await page.goto(await invite(inviter.page, 'Outgrow'))
  await page.getByRole('button', { name: 'Decline' }).click()
  await page.getByRole('heading', { name: 'Declined' }).waitFor()
  await page.goto(gateway.url)
  t.equal(await page.getByText('Ask somebody else').filter({ visible: true }).count(), 0)
  noConsoleErrors()
})

t.test('an invited user pastes a wrong key, then the right one', async t => {
  const { sandbox, inviter, guest, noConsoleErrors } = await setUp(t)
  await guest.page.goto(await invite(inviter.page, 'Outgrow'))
  await pasteKey(guest.page, 'Outgrow', 'wrong')
  await guest.page.getByRole('alert').getByText('Outgrow does not accept this key.').waitFor()
  await pasteKey(guest.page, 'Outgrow', sandbox.vendor('outgrow').apiKey)
  await guest.page.getByText('Outgrow is connected for the person who asked you.').waitFor()
  t.same(await guest.context.cookies(), [])
  await inviter.page.reload()
  await waitForStatus(inviter.page, 'Outgrow', 'Connected')
  t.match(await fetchJson(inviter.page, '/proxy/outgrow/get_cal'), { status: 200 })
  noConsoleErrors()
})

t.test('denying at the provider keeps the invitation open, declining ends it', async t => {
  const { inviter, guest, noConsoleErrors } = await setUp(t)
  const link = await invite(inviter.page, 'Ignition')
  await guest.page.goto(link)
  await guest.page.getByRole('button', { name: 'Continue to Ignition' }).click()
  await guest.page.getByRole('button', { name: 'Deny' }).click()
  await guest.page.getByRole('alert').getByText('Ignition was not connected. The access was not allowed there.').waitFor()
  t.equal(await guest.page.getByLabel('Your Ignition key').count(), 0, 'the provider has no keys')
  await guest.page.getByRole('button', { name: 'Decline' }).click()
  await guest.page.getByText('Nothing was connected, and the link does not work any more.').waitFor()
  await isGone(t, guest.page, link)
  await inviter.page.reload()
  await waitForStatus(inviter.page, 'Ignition', 'Not connected')
  t.equal(await waiting(inviter.page).count(), 0)
  noConsoleErrors()
})

t.test('an invited user with the page open is told that the invitation was withdrawn', async t => {
  const { inviter, guest, noConsoleErrors } = await setUp(t)
  const { page } = inviter
  const link = await invite(page, 'Productboard')
  await guest.page.goto(link)
  await page.getByRole('button', { name: 'Withdraw the invitation for Productboard' }).click()
  await page.getByRole('dialog').getByText('Its link stops working').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click()
  await page.locator('#message:focus').getByText('The invitation for Productboard is withdrawn.').waitFor()
  t.equal(await waiting(page).count(), 0)

  await pasteKey(guest.page, 'Productboard', 'some-key')
  await guest.page.getByRole('alert').getByText('It was used already, was withdrawn, or has ended.').waitFor()
  await guest.page.getByRole('button', { name: 'Continue to Productboard' }).click()
  await guest.page.getByRole('heading', { name: 'This invitation is not valid any more' }).waitFor()
  await isGone(t, guest.page, link)
  noConsoleErrors()
})

t.test('without clipboard access the link is selected for copying', async t => {
  const { inviter, noConsoleErrors } = await setUp(t)
  const { page } = inviter
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
  const link = await makeLink(page, 'Productboard')
  await page.getByRole('button', { name: 'Copy' }).click()
  await dialogOf(page, 'Productboard').getByText('copy it as you copy text').waitFor()
  t.equal(await page.evaluate('getSelection().toString()'), link)
  noConsoleErrors()
})

t.test('the inviter may accept the link in the same browser and keeps the session', async t => {
  const { gateway, inviter, noConsoleErrors } = await setUp(t)
  const { page } = inviter
  await page.goto(await invite(page, 'Productboard'))
  await acceptBySignIn(page, 'Productboard')
  await page.goto(gateway.url)
  await waitForStatus(page, 'Productboard', 'Connected')
  t.match(await fetchJson(page, '/proxy/productboard/v2/notes'), { status: 200 })
  await chooseFromMenu(page, 'Ask somebody else to connect Productboard')
  await page.getByText('Theirs then takes its place').waitFor()
  noConsoleErrors()
})

t.test('the dialog requires a name, remembers it, and shows errors at its field', async t => {
  const { inviter, noConsoleErrors } = await setUp(t)
  const { page } = inviter
  await chooseFromMenu(page, 'Ask somebody else to connect Outgrow')
  await page.getByRole('button', { name: 'Make the link' }).click()
  await page.getByRole('alert').getByText('Write your name, so that they know who asks.').waitFor()
  t.equal(await page.locator('#invite-name:focus').getAttribute('aria-invalid'), 'true')
  await page.keyboard.press('Escape')
  await invite(page, 'Outgrow')
  await chooseFromMenu(page, 'Ask somebody else to connect Ignition')
  t.equal(await page.getByLabel('Your name, as they will see it').inputValue(), 'Ada Lovelace')
  t.equal(await page.locator('#invite-error').textContent(), '', 'the error is gone')
  t.equal(await page.getByText('Theirs then takes its place').isVisible(), false, 'no connection to replace')
  await page.getByLabel('Your name, as they will see it').fill('Ada\u202eecalevoL')
  await page.getByRole('button', { name: 'Make the link' }).click()
  await page.getByRole('alert').getByText('the name that the invited person will see').waitFor()
  noConsoleErrors()
})

t.test('axe finds no violations in any state of an invitation', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
  const check = checkAccessibility(t, page)
  await page.goto(gateway.url)
  await chooseFromMenu(page, 'Ask somebody else to connect Process Street')
  await page.getByRole('button', { name: 'Make the link' }).click()
  await check('a missing name')
  await page.keyboard.press('Escape')
  const link = await makeLink(page, 'Process Street', 'W'.repeat(80))
  await check('the link')
  await page.getByRole('button', { name: 'Done' }).click()
  await waiting(page).waitFor()
  await check('an open invitation')
  const policy = (await page.goto(link))?.headers()['content-security-policy'] ?? ''
  t.match(policy, /default-src 'none'/)
  t.notMatch(policy, /unsafe|\*|data:/)
  await check('the invitation')
  await page.goto(`${link}?connect_error=access_denied`)
  await check('the invitation after a refusal')
  await page.getByRole('button', { name: 'Decline' }).click()
  await page.getByRole('heading', { name: 'Declined' }).waitFor()
  await check('declined')
  await page.goto(link)
  await check('not valid any more')
  await page.goto(`${gateway.url}/invitations/thanks?provider=process-street`)
  await check('thanks')
  t.same(withoutHttpErrors(consoleErrors), [])
})

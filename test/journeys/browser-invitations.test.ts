import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { goodInEveryLook } from '../support/axe.ts'
import { callFrom, cardOf, newPerson, pasteKey, startChromium, statusOf } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)
/** Chromium writes every refused call into its console. */
const withoutRefusals = (faults: readonly string[]) => faults.filter(fault => !/status of (400|401|410|422)/.test(fault))

async function setUp(t: Test) {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const inviter = await newPerson(t, browser, { permissions: ['clipboard-read', 'clipboard-write'] })
  const guest = await newPerson(t, browser)
  await inviter.page.goto(gateway.url)
  const noComplaints = () => t.same(withoutRefusals([...inviter.faults, ...guest.faults]), [])
  return { gateway, sandbox, inviter, guest, noComplaints }
}

const dialogOf = (page: Page, title: string) => page.getByRole('dialog', { name: `Ask somebody else to connect ${title}` })
const linkIn = (page: Page) => page.getByLabel(/^The link for whoever is to connect/)

/** From the Connections page to the open dialog that shows the link. */
async function makeLink(page: Page, title: string, name = 'Ada Lovelace'): Promise<string> {
  await page.getByRole('button', { name: `Ask somebody else to connect ${title}` }).click()
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
  t.equal(await page.getByRole('link', { name: 'Back to your connections' }).count(), 0, 'a guest has none')
}

t.test('a person makes a link, somebody else accepts it by signing in, and the card says Connected', async t => {
  const { gateway, inviter, guest, noComplaints } = await setUp(t)
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
  t.equal(await linkIn(page).inputValue(), '', 'the link is told once')
  t.equal(await page.locator(':focus').textContent(), 'Ask somebody else', 'the focus is back where it was')

  await guest.page.goto(link)
  await guest.page.getByRole('heading', { name: 'Ada Lovelace asks you to connect Productboard' }).waitFor()
  await guest.page.getByText('notes:read').waitFor()
  await acceptBySignIn(guest.page, 'Productboard')
  t.same(
    (await guest.context.cookies(gateway.url)).map(({ name }) => name).filter(name => name.includes('grantkeeper')),
    [],
    'the guest has no session'
  )
  t.match(await callFrom(guest.page, '/proxy/productboard/v2/notes'), { status: 401 })

  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await statusOf(page, 'Productboard', 'Connected')
  t.equal(await waiting(page).count(), 0)
  t.match(await callFrom(page, '/proxy/productboard/v2/notes'), { status: 200 })
  await isGone(t, guest.page, link)
  noComplaints()
})

t.test('a guest who has no JavaScript signs in or declines all the same, and is told what a key needs', async t => {
  const { gateway, inviter, noComplaints } = await setUp(t)
  const { page } = await newPerson(t, browser, { javaScriptEnabled: false })
  await page.goto(await invite(inviter.page, 'Process Street'))
  await page.getByText('Pasting a key needs JavaScript').waitFor()
  t.same(await page.getByRole('button').allTextContents(), ['Continue to Process Street', 'Decline'])
  await acceptBySignIn(page, 'Process Street')
  await page.goto(await invite(inviter.page, 'Outgrow'))
  await page.getByRole('button', { name: 'Decline' }).click()
  await page.getByRole('heading', { name: 'Declined' }).waitFor()
  await page.goto(gateway.url)
  t.equal(await page.getByText('Ask somebody else').filter({ visible: true }).count(), 0)
  noComplaints()
})

t.test('a guest pastes a key, a wrong one first', async t => {
  const { sandbox, inviter, guest, noComplaints } = await setUp(t)
  await guest.page.goto(await invite(inviter.page, 'Outgrow'))
  await pasteKey(guest.page, 'Outgrow', 'wrong')
  await guest.page.getByRole('alert').getByText('Outgrow does not accept this key.').waitFor()
  await pasteKey(guest.page, 'Outgrow', sandbox.vendor('outgrow').apiKey)
  await guest.page.getByText('Outgrow is connected for the person who asked you.').waitFor()
  t.same(await guest.context.cookies(), [])
  await inviter.page.reload()
  await statusOf(inviter.page, 'Outgrow', 'Connected')
  t.match(await callFrom(inviter.page, '/proxy/outgrow/get_cal'), { status: 200 })
  noComplaints()
})

t.test('who denies at the provider may think again; who declines ends the invitation', async t => {
  const { inviter, guest, noComplaints } = await setUp(t)
  const link = await invite(inviter.page, 'Ignition')
  await guest.page.goto(link)
  await guest.page.getByRole('button', { name: 'Continue to Ignition' }).click()
  await guest.page.getByRole('button', { name: 'Deny' }).click()
  await guest.page.getByRole('alert').getByText('Ignition was not connected. The access was not allowed there.').waitFor()
  t.equal(await guest.page.getByLabel('Your Ignition key').count(), 0, 'it has no keys')
  await guest.page.getByRole('button', { name: 'Decline' }).click()
  await guest.page.getByText('Nothing was connected, and the link does not work any more.').waitFor()
  await isGone(t, guest.page, link)
  await inviter.page.reload()
  await statusOf(inviter.page, 'Ignition', 'Not connected')
  t.equal(await waiting(inviter.page).count(), 0)
  noComplaints()
})

t.test('the inviter withdraws, and a guest who has the page open already is told', async t => {
  const { inviter, guest, noComplaints } = await setUp(t)
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
  noComplaints()
})

t.test('where nothing may be copied the link is selected, and the page says so', async t => {
  const { inviter, noComplaints } = await setUp(t)
  const { page } = inviter
  await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
  const link = await makeLink(page, 'Productboard')
  await page.getByRole('button', { name: 'Copy' }).click()
  await dialogOf(page, 'Productboard').getByText('copy it as you copy text').waitFor()
  t.equal(await page.evaluate('getSelection().toString()'), link)
  noComplaints()
})

t.test('the inviter may use the link in the same browser, and keeps the session', async t => {
  const { gateway, inviter, noComplaints } = await setUp(t)
  const { page } = inviter
  await page.goto(await invite(page, 'Productboard'))
  await acceptBySignIn(page, 'Productboard')
  await page.goto(gateway.url)
  await statusOf(page, 'Productboard', 'Connected')
  t.match(await callFrom(page, '/proxy/productboard/v2/notes'), { status: 200 })
  await page.getByRole('button', { name: 'Ask somebody else to connect Productboard' }).click()
  await page.getByText('Theirs then takes its place').waitFor()
  noComplaints()
})

t.test('a name is asked for, remembered for the next link, and what is wrong with it is said at its field', async t => {
  const { inviter, noComplaints } = await setUp(t)
  const { page } = inviter
  await page.getByRole('button', { name: 'Ask somebody else to connect Outgrow' }).click()
  await page.getByRole('button', { name: 'Make the link' }).click()
  await page.getByRole('alert').getByText('Write your name, so that they know who asks.').waitFor()
  t.equal(await page.locator('#invite-name:focus').getAttribute('aria-invalid'), 'true')
  await page.keyboard.press('Escape')
  await invite(page, 'Outgrow')
  await page.getByRole('button', { name: 'Ask somebody else to connect Ignition' }).click()
  t.equal(await page.getByLabel('Your name, as they will see it').inputValue(), 'Ada Lovelace')
  t.equal(await page.locator('#invite-error').textContent(), '', 'nor is it blamed again')
  t.equal(await page.getByText('Theirs then takes its place').isVisible(), false, 'there is nothing to be replaced')
  await page.getByLabel('Your name, as they will see it').fill('Ada\u202eecalevoL')
  await page.getByRole('button', { name: 'Make the link' }).click()
  await page.getByRole('alert').getByText('the name that the invited person will see').waitFor()
  noComplaints()
})

t.test('axe finds nothing to complain of in the states of an invitation, in light and dark, wide and at 320 px', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, faults } = await newPerson(t, browser, { reducedMotion: 'reduce' })
  const isGood = goodInEveryLook(t, page)
  await page.goto(gateway.url)
  await cardOf(page, 'Process Street').getByRole('button', { name: 'Ask somebody else' }).click()
  await page.getByRole('button', { name: 'Make the link' }).click()
  await isGood('the name is asked for')
  await page.keyboard.press('Escape')
  const link = await makeLink(page, 'Process Street', 'W'.repeat(80))
  await isGood('the link')
  await page.getByRole('button', { name: 'Done' }).click()
  await waiting(page).waitFor()
  await isGood('an open invitation')
  const policy = (await page.goto(link))?.headers()['content-security-policy'] ?? ''
  t.match(policy, /default-src 'none'/)
  t.notMatch(policy, /unsafe|\*|data:/)
  await isGood('the invitation')
  await page.goto(`${link}?connect_error=access_denied`)
  await isGood('the invitation after a refusal')
  await page.getByRole('button', { name: 'Decline' }).click()
  await page.getByRole('heading', { name: 'Declined' }).waitFor()
  await isGood('declined')
  await page.goto(link)
  await isGood('not valid any more')
  await page.goto(`${gateway.url}/invitations/thanks?provider=process-street`)
  await isGood('thanks')
  t.same(withoutRefusals(faults), [])
})

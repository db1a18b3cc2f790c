import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { connect, fetchJson, newUser, openAccountMenu, startChromium, waitForStatus } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { newKey, startGateway, startTestSandbox } from '../support/gateway.ts'
import { startOpenidIssuer } from '../support/openid-issuer.ts'

const browser = await startChromium(t)

/** A sandbox, an identity provider, and gateways with and without sign-in of users, one at a time, which keep what the one before has stored. */
async function startPages(t: Test) {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const issuer = await startOpenidIssuer(t, { redirectUris: [`${url}/login/callback`], postLogoutRedirectUris: [`${url}/logout`] })
  const sandbox = await startTestSandbox(t, [port])
  const environment = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR: t.testdir() }
  const start = (more: Readonly<Record<string, string>> = {}) =>
    startGateway(t, { port, sandbox, environment: { ...environment, ...more } })
  return {
    url,
    vendor: sandbox.vendor('productboard'),
    startAnonymous: () => start(),
    startWithSignIn: () => start(issuer.environment)
  }
}

async function signIn(page: Page, url: string, name = 'Ada Lovelace'): Promise<void> {
  await page.goto(url)
  await page.getByRole('button', { name: `Sign in as ${name}` }).click()
  await page.getByLabel(`Account: ${name}`).waitFor()
}

const confirm = (page: Page, name: string) => page.getByRole('dialog').getByRole('button', { name }).click()

t.test('Sign out ends the session here and at the identity provider, and comes back', async t => {
  const { url, startWithSignIn, vendor } = await startPages(t)
  await startWithSignIn()
  const { page, context, consoleErrors } = await newUser(t, browser)
  await signIn(page, url)
  await connect(page, 'Productboard')
  const cookies = await context.cookies(url)

  await openAccountMenu(page, 'Ada Lovelace')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await confirm(page, 'Sign out')
  // The identity provider's own page.
  await page.waitForURL('http://127.0.0.1:*/session/end?**')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { level: 1, name: 'You are signed out' }).waitFor()
  t.ok(page.url().startsWith(`${url}/logout`))
  t.equal(vendor.counts.revocations, 0)
  t.match(await fetchJson(page, '/connections'), { status: 401, body: { code: 'user_required' } })
  await context.addCookies(cookies)
  t.match(await fetchJson(page, '/connections'), { status: 401, body: { code: 'user_required' } }, 'a copy of the cookie is dead')

  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Sign in as Grace Hopper' }).click()
  await waitForStatus(page, 'Productboard', 'Not connected')
  t.same(
    consoleErrors.filter(error => !error.includes('status of 401')),
    []
  )
})

for (const [choice, message, status, revocations] of [
  ['Keep it', 'Productboard is yours now.', 'Connected', 0],
  ['Disconnect it', 'Productboard is disconnected.', 'Not connected', 1]
] as const) {
  t.test(`what a browser had connected before its user signed in: ${choice}`, async t => {
    const { url, startAnonymous, startWithSignIn, vendor } = await startPages(t)
    const before = await startAnonymous()
    const { page } = await newUser(t, browser)
    await page.goto(url)
    await connect(page, 'Productboard')
    await before.close()
    await startWithSignIn()

    await signIn(page, url)
    await waitForStatus(page, 'Productboard', 'Not connected')
    await page.getByRole('heading', { name: 'Was that you?' }).waitFor()
    await page.getByRole('button', { name: choice, exact: true }).click()
    await confirm(page, choice)
    await page.getByRole('status').getByText(message).waitFor()
    await waitForStatus(page, 'Productboard', status)
    t.equal(vendor.counts.revocations, revocations)
    t.match(await fetchJson(page, '/proxy/productboard/v2/notes'), { status: status === 'Connected' ? 200 : 401 })
    await page.reload()
    await waitForStatus(page, 'Productboard', status)
    t.equal(await page.getByRole('heading', { name: 'Was that you?' }).count(), 0, 'it is asked once')
  })
}

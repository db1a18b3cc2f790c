import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { cardOf, newUser, startChromium, waitForStatus } from '../support/chromium.ts'
import { chooseSignIn, fetchNotes, openPage, runWork, startWork, workResult } from '../support/client-page.ts'
import { freePort } from '../support/free-port.ts'
import { clientPage, startFrontend } from '../support/frontend.ts'
import { startGateway, startTestSandbox } from '../support/gateway.ts'
import { startOpenidIssuer } from '../support/openid-issuer.ts'

const browser = await startChromium(t)

/** A gateway at which users sign in, an identity provider on another site, and a frontend on the gateway's site. */
async function startLogin(t: Test) {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const frontend = await startFrontend(t, () => ({ html: clientPage(url) }))
  const issuer = await startOpenidIssuer(t, {
    redirectUris: [`${url}/login/callback`],
    postLogoutRedirectUris: [`${url}/logout`],
    backchannelLogoutUri: `${url}/login/backchannel-logout`
  })
  const sandbox = await startTestSandbox(t, [port])
  await startGateway(t, { port, sandbox, environment: { ...issuer.environment, ALLOWED_ORIGINS: frontend } })
  return { url, frontend, issuer, vendor: sandbox.vendor('productboard'), ...(await newUser(t, browser)) }
}

const signInAs = (page: Page, name = 'Ada Lovelace') => page.getByRole('button', { name: `Sign in as ${name}` }).click()

/** From the page with the ways to connect Productboard. */
async function allow(page: Page): Promise<void> {
  await chooseSignIn(page)
  await page.getByRole('button', { name: 'Allow' }).click()
}

/** The page's client, after a navigation to the identity provider and back. */
async function backAt(page: Page, url: string): Promise<void> {
  await page.waitForURL(url)
  await page.getByText('Ready').waitFor()
}

t.test('several tabs sign in at once, and each comes back to its own page', async t => {
  const { url, page, context, consoleErrors } = await startLogin(t)
  const tabs = [page, await context.newPage(), await context.newPage()]
  const paths = ['/', '/connect/productboard', '/connect/ignition']
  for (const [i, tab] of tabs.entries()) await tab.goto(url + paths[i])
  for (const tab of tabs) await tab.getByRole('heading', { name: 'Sign in' }).waitFor()
  for (const [i, tab] of tabs.entries()) {
    await signInAs(tab)
    await tab.waitForURL(url + paths[i])
  }
  await tabs[0]?.reload()
  await cardOf(page, 'Productboard').waitFor()
  const sessions = (await context.cookies(url)).filter(({ name }) => !name.includes('-login-'))
  t.equal(sessions.length, 1, 'one session, beside the cookies of the sign-ins')
  t.same(consoleErrors, [])
})

t.test('a sign-in in one tab is enough for a tab that waits at the identity provider', async t => {
  const { url, page, context } = await startLogin(t)
  await page.goto(url)
  const other = await context.newPage()
  await other.goto(`${url}/connect/productboard`)
  await signInAs(page)
  await page.getByRole('heading', { name: 'Connections' }).waitFor()
  await other.goto(`${url}/connect/productboard`)
  await other.waitForURL(`${url}/connect/productboard`)
  await other.getByRole('heading', { name: 'Connect Productboard' }).waitFor()
})

t.test('a user who cancels is told, and can sign in after all', async t => {
  const { url, page } = await startLogin(t)
  await page.goto(`${url}/connect/productboard?return_to=%2F`)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('heading', { level: 1, name: 'You are not signed in' }).waitFor()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await signInAs(page)
  await page.waitForURL(`${url}/connect/productboard?return_to=%2F`)
  await page.getByRole('heading', { name: 'Connect Productboard' }).waitFor()
})

t.test('a frontend sends its user to sign in, connects, and has the user signed out everywhere', async t => {
  const { url, frontend, issuer, page, vendor } = await startLogin(t)
  await openPage(page, `${frontend}/list?page=2#here`)
  t.match(await runWork(page, 'grantkeeper.connections()'), { error: { isOurs: true, code: 'user_required', loginUrl: `${url}/login` } })
  await startWork(page, 'grantkeeper.login()')
  await signInAs(page)
  await backAt(page, `${frontend}/list?page=2#here`)

  await startWork(page, `grantkeeper.connect('productboard')`)
  await allow(page)
  await backAt(page, `${frontend}/list?page=2#here`)
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })

  const { value } = (await runWork(page, 'grantkeeper.logout()')) as { value: { logoutUrl: string } }
  t.ok(value.logoutUrl.startsWith(issuer.issuer))
  await page.goto(value.logoutUrl)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.waitForURL(url => url.pathname === '/logout')
  await page.getByRole('heading', { level: 1, name: 'You are signed out' }).waitFor()
  t.equal(new URL(page.url()).origin, url)
  t.equal(vendor.counts.revocations, 0)

  await page.getByRole('link', { name: 'Sign in' }).click()
  await signInAs(page)
  await waitForStatus(page, 'Productboard', 'Connected')
})

t.test('a request that needs a sign-in leads through it and back', async t => {
  const { frontend, page } = await startLogin(t)
  await openPage(page, `${frontend}/list`)
  await startWork(page, fetchNotes(`{ reconnect: 'redirect' }`))
  await signInAs(page)
  await backAt(page, `${frontend}/list`)
  await startWork(page, fetchNotes(`{ reconnect: 'redirect' }`))
  await allow(page)
  await backAt(page, `${frontend}/list`)
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
})

t.test('a popup of a frontend leads through the sign-in to the provider', async t => {
  const { frontend, page } = await startLogin(t)
  await openPage(page, frontend)
  const [popup] = await Promise.all([page.waitForEvent('popup'), startWork(page, `grantkeeper.connect('productboard', { popup: true })`)])
  await signInAs(popup)
  await Promise.all([popup.waitForEvent('close'), allow(popup)])
  t.match(await workResult(page), { value: { provider: 'productboard', status: 'connected' } })
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
})

t.test('SEC-51: who signs out at the identity provider has an open page’s next call refused', async t => {
  const { url, frontend, issuer, page, context } = await startLogin(t)
  await openPage(page, `${frontend}/list`)
  await startWork(page, 'grantkeeper.login()')
  await signInAs(page)
  await backAt(page, `${frontend}/list`)
  t.match(await runWork(page, 'grantkeeper.connections()'), { value: [{ status: 'disconnected' }] })
  // Another browser of the same user has a session of its own there.
  const elsewhere = await newUser(t, browser)
  await elsewhere.page.goto(url)
  await signInAs(elsewhere.page)
  await cardOf(elsewhere.page, 'Productboard').waitFor()

  const tab = await context.newPage()
  await tab.goto(`${issuer.issuer}/session/end`)
  await Promise.all([tab.waitForURL(`${issuer.issuer}/session/end/success**`), tab.getByRole('button', { name: 'Sign out' }).click()])
  for (const call of ['grantkeeper.connections()', fetchNotes()])
    t.match(await runWork(page, call), { error: { isOurs: true, code: 'user_required', status: 401, loginUrl: `${url}/login` } })
  await elsewhere.page.reload()
  await cardOf(elsewhere.page, 'Productboard').waitFor()
  t.equal(elsewhere.page.url(), `${url}/`)
})

t.test('another user of the same browser signs in after a sign-out and sees nothing of the first', async t => {
  const { url, frontend, page } = await startLogin(t)
  await page.goto(url)
  await signInAs(page)
  await page.getByRole('link', { name: 'Connect Productboard' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await waitForStatus(page, 'Productboard', 'Connected')
  await openPage(page, frontend)
  const { value } = (await runWork(page, 'grantkeeper.logout()')) as { value: { logoutUrl: string } }
  await page.goto(value.logoutUrl)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('link', { name: 'Sign in' }).click()
  await signInAs(page, 'Grace Hopper')
  await waitForStatus(page, 'Productboard', 'Not connected')
})

import type { Page } from 'playwright-core'
import t from 'tap'
import { newFrontendUser, signInAtFrontend, startBearerFrontend } from '../support/bearer-frontend.ts'
import { startChromium } from '../support/chromium.ts'
import { fetchNotes, runWork, startWork } from '../support/client-page.ts'

const browser = await startChromium(t)

/** The end of a sign-in stands in the URL only until the page's client has read it. */
async function backAt(page: Page, url: string): Promise<void> {
  await page.waitForURL(url)
  await page.getByText('Ready').waitFor()
}

t.test('a redirect comes back to the page, which has the connection at once', async t => {
  const { frontend, vendor, crossSite } = await startBearerFrontend(t)
  const { page, consoleErrors } = await newFrontendUser(t, browser, frontend, 'ada')
  await backAt(page, await page.goto(`${frontend}/list?page=2#here`).then(() => page.url()))
  await startWork(page, `grantkeeper.connect('productboard')`)
  await page.getByRole('button', { name: 'Deny' }).click()
  await backAt(page, `${frontend}/list?page=2#here`)
  t.match(await runWork(page, 'grantkeeper.complete()'), { error: { isOurs: true, code: 'access_denied', provider: 'productboard' } })

  await startWork(page, fetchNotes(`{ reconnect: 'redirect' }`))
  await page.getByRole('button', { name: 'Allow' }).click()
  await backAt(page, `${frontend}/list?page=2#here`)
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
  t.match(await runWork(page, 'grantkeeper.complete()'), { value: { provider: 'productboard', status: 'connected' } })
  t.equal(vendor.counts.tokenRequests.authorization_code, 1)
  t.same(
    crossSite.filter(({ cookie }) => cookie !== undefined),
    [],
    'no request brought a cookie'
  )
  t.same(
    consoleErrors.filter(error => !error.includes('status of 401')),
    []
  )
})

t.test('SEC-52: who comes back as another user gets user_mismatch, and the grant is revoked', async t => {
  const { frontend, vendor } = await startBearerFrontend(t)
  const { page, context } = await newFrontendUser(t, browser, frontend, 'ada')
  await startWork(page, `grantkeeper.connect('productboard')`)
  await page.getByRole('button', { name: 'Allow' }).waitFor()
  await signInAtFrontend(await context.newPage(), frontend, 'grace')
  await page.getByRole('button', { name: 'Allow' }).click()
  await backAt(page, `${frontend}/`)
  t.match(await runWork(page, 'grantkeeper.complete()'), { error: { isOurs: true, code: 'user_mismatch', provider: 'productboard' } })
  t.equal(vendor.counts.revocations, 1)
})

t.test('SEC-52: whoever follows the link of another user connects nothing', async t => {
  const { frontend, vendor } = await startBearerFrontend(t)
  const eve = await newFrontendUser(t, browser, frontend, 'eve')
  const { value } = (await runWork(eve.page, `grantkeeper.begin('productboard', { returnTo: '${frontend}/' })`)) as {
    value: { url: string }
  }
  const ada = await newFrontendUser(t, browser, frontend, 'ada')
  await ada.page.goto(value.url)
  await ada.page.getByRole('button', { name: 'Allow' }).click()
  await backAt(ada.page, `${frontend}/`)
  t.match(await runWork(ada.page, 'grantkeeper.complete()'), { error: { code: 'user_mismatch' } })
  t.equal(vendor.counts.revocations, 1)
  for (const { page } of [eve, ada]) t.match(await runWork(page, fetchNotes()), { error: { code: 'connection_required' } })
})

t.test('a sign-in that came back is completed once, also when the page is loaded again', async t => {
  const { frontend, crossSite } = await startBearerFrontend(t)
  const { page } = await newFrontendUser(t, browser, frontend, 'ada')
  await startWork(page, `grantkeeper.connect('productboard')`)
  await page.getByRole('button', { name: 'Allow' }).click()
  await backAt(page, `${frontend}/`)
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
  await page.reload()
  await page.getByText('Ready').waitFor()
  t.same(await runWork(page, 'grantkeeper.complete()'), {})
  t.same(await runWork(page, fetchNotes()), { value: [200, 5] })
  t.equal(crossSite.filter(({ path }) => path === '/connections/complete').length, 2, 'a preflight request, and one to complete')
})

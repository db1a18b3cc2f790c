import t, { type Test } from 'tap'
import { cardOf, newUser, startChromium, waitForStatus } from '../support/chromium.ts'
import { chooseSignIn, openPage, openSignIn, startWithFrontend, submitConsent, workResult } from '../support/client-page.ts'
import { json, startFakeProvider, tokens } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { clientPage, startFrontend } from '../support/frontend.ts'
import { startGateway, startGatewayAndSandbox, startTestSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

/** `localhost` and its IP address are different sites. */
const onOtherSite = (url: string) => url.replace('localhost', '127.0.0.1')

/** A frontend with this content. */
const pageWith = (t: Test, html: string) =>
  startFrontend(t, () => ({ html: `<!doctype html><html lang="en"><title>Elsewhere</title>${html}</html>` }))

t.test('a sign-in started by another site asks for a click on our page', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, context, consoleErrors } = await newUser(t, browser)
  const otherOrigin = onOtherSite(await pageWith(t, '<h1>Elsewhere</h1>'))
  for (let i = 0; i < 6; i++) {
    await page.goto(otherOrigin)
    await page.evaluate(`location.href = '${gateway.url}/auth/productboard?return_to=%2F%3Fconnected%3Dproductboard'`)
    await page.getByRole('heading', { name: 'Connect Productboard' }).waitFor()
  }
  t.same(await context.cookies(gateway.url), [], 'no sign-in is started')
  await chooseSignIn(page)
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.getByRole('status').getByText('Productboard is connected').waitFor()
  t.equal(sandbox.vendor('productboard').counts.tokenRequests.authorization_code, 1)
  t.same(consoleErrors, [])
})

t.test('prefetches of a same-site page start no sign-in and do not block a click', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, context } = await newUser(t, browser)
  await page.goto(`${gateway.url}/auth/ignition?return_to=%2F%3Fconnected%3Dignition`)
  await page.getByRole('button', { name: 'Allow' }).waitFor()

  const address = `${gateway.url}/auth/productboard`
  const urls = Array.from({ length: 6 }, (_, i) => `${address}?return_to=/${i}`)
  const rules = JSON.stringify({ prefetch: [{ urls, eagerness: 'immediate' }] })
  const links = urls.map(url => `<link rel="prefetch" href="${url}">`).join('')
  const frontend = await pageWith(t, `${links}<script type="speculationrules">${rules}</script><a href="${urls[0]}">Connect</a>`)
  const statuses: number[] = []
  const all = Promise.withResolvers<void>()
  gateway.app.server.on('request', ({ headers }, response) => {
    if (headers['sec-purpose'] === 'prefetch') response.once('finish', () => statuses.push(response.statusCode) === 12 && all.resolve())
  })
  const other = await context.newPage()
  await other.goto(frontend)
  await all.promise
  t.strictSame([...new Set(statuses)], [503])
  await other.evaluate(`fetch('${address}', { mode: 'no-cors', credentials: 'include' }).catch(() => {})`)
  t.equal((await context.cookies(gateway.url)).length, 1, 'the sign-in in flight')

  await page.getByRole('button', { name: 'Allow' }).click()
  await page.getByRole('status').getByText('Ignition is connected').waitFor()
  await other.getByRole('link', { name: 'Connect' }).click()
  await other.getByRole('button', { name: 'Allow' }).waitFor()
})

t.test('the opener gets a message at once when the token endpoint fails', async t => {
  const { frontend, page, vendor } = await startWithFrontend(t, browser)
  vendor.switches.tokenFault = 'error503'
  await openPage(page, frontend)
  await page.evaluate('window.messages = []; addEventListener("message", ({ data }) => messages.push(data))')
  const popup = await openSignIn(page)
  await submitConsent(popup, 'Allow')
  t.match(await workResult(page), { error: { code: 'provider_unavailable', provider: 'productboard' } })
  t.match(await page.evaluate('messages'), [{ provider: 'productboard', status: 'failed', error: 'provider_unavailable' }])
})

t.test('a frontend on another site connects by our page and then gets cookies_blocked', async t => {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const frontend = onOtherSite(await startFrontend(t, () => ({ html: clientPage(url) })))
  const sandbox = await startTestSandbox(t, [port])
  await startGateway(t, { port, sandbox, environment: { ALLOWED_ORIGINS: frontend } })
  const { page, context } = await newUser(t, browser)
  await openPage(page, frontend)
  const popup = await openSignIn(page)
  await submitConsent(popup, 'Allow')
  t.match(await workResult(page), { error: { code: 'cookies_blocked', provider: 'productboard' } })

  const own = await context.newPage()
  await own.goto(url)
  await waitForStatus(own, 'Productboard', 'Connected')
})

t.test('the card names the scopes that the user did not allow', async t => {
  const provider = await startFakeProvider(t)
  provider.api = ({ url }, response) => {
    const { searchParams } = new URL(url, provider.origin)
    const back = `${searchParams.get('redirect_uri')}?${new URLSearchParams({ code: 'c', state: searchParams.get('state') ?? '' })}`
    response.writeHead(302, { location: back }).end()
  }
  provider.token = (_, response) => json(response, 200, tokens({ scope: 'entities:read' }))
  const gateway = await startGateway(t, { environment: provider.environment })
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Connect Productboard' }).click()
  const card = cardOf(page, 'Productboard')
  await card.getByText('Not allowed: see notes and feedback, see who the members are. Connect again to allow them.').waitFor()

  provider.token = (_, response) => json(response, 200, tokens())
  await page.getByRole('link', { name: 'Reconnect Productboard' }).click()
  await page.getByRole('status').getByText('Productboard is connected').waitFor()
  t.equal(await card.getByText('Not allowed').count(), 0)
  t.same(consoleErrors, [])
})

import t from 'tap'
import { languages } from '../../src/pages/languages.ts'
import { checkAccessibility } from '../support/axe.ts'
import { cardOf, chooseFromMenu, newUser, startChromium } from '../support/chromium.ts'
import { newKey, startGatewayAndSandbox } from '../support/gateway.ts'
import { startUserSession } from '../support/user-session.ts'

const browser = await startChromium(t)

t.test('a visitor from Austria connects, disconnects and invites in German', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, consoleErrors } = await newUser(t, browser, { locale: 'de-AT', reducedMotion: 'reduce' })
  const check = checkAccessibility(t, page)
  await page.goto(gateway.url)
  await page.getByRole('heading', { level: 1, name: 'Verbindungen' }).waitFor()

  await chooseFromMenu(page, 'Stattdessen mit Schlüssel: Process Street')
  const dialog = page.getByRole('dialog', { name: 'Process Street mit einem Schlüssel verbinden' })
  const field = dialog.getByLabel('Ihr Schlüssel von Process Street')
  await dialog.getByRole('button', { name: 'Zeigen: Schlüssel' }).click()
  t.equal(await dialog.getByRole('button', { name: 'Verbergen: Schlüssel' }).textContent(), 'Verbergen')
  await field.fill('wrong')
  await field.press('Enter')
  await dialog.getByRole('alert').getByText('Der Dienst nimmt diesen Schlüssel nicht an.').waitFor()
  await check('the key dialog with an error')
  await field.fill(sandbox.vendor('process-street').apiKey)
  await field.press('Enter')
  const card = cardOf(page, 'Process Street')
  await card.getByText('Verbunden', { exact: true }).waitFor()
  await page
    .getByRole('status')
    .getByText(/^Process Street ist .*verbunden\./)
    .waitFor()
  // `28. Nov. 2026, 11:00` or the like, by the browser's own locale.
  const since = await card.locator('time').first().textContent()
  t.match(since, /^\d+\.( \p{L}+\.?|\d+\.) ?\d{4}, \d\d:\d\d$/u)
  await check('connected, with a message')

  await chooseFromMenu(page, 'Jemand anderen bitten, zu verbinden: Productboard')
  await page.getByRole('button', { name: 'Link erstellen' }).click()
  await page.getByText('Geben Sie Ihren Namen an, damit klar ist, wer bittet.').waitFor()
  await page.getByLabel('Ihr Name, wie er dort erscheint').fill('Ada')
  await page.getByRole('button', { name: 'Link erstellen' }).click()
  const link = page.getByLabel('Der Link für die Person, die verbinden soll: Productboard')
  await link.waitFor()
  await check('an invitation')
  const invitation = await link.inputValue()
  await page.getByRole('button', { name: 'Fertig' }).click()

  await page.getByRole('button', { name: 'Trennen: Process Street' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Trennen' }).click()
  await page.getByRole('status').getByText('Process Street ist getrennt.').waitFor()
  await page.goto(invitation)
  await page.getByRole('heading', { level: 1, name: 'Ada bittet Sie, Productboard zu verbinden' }).waitFor()
  await check('the page of an invitation')
  await page.goto(`${gateway.url}/auth/productboard/callback?code=late&state=late`)
  await page.getByRole('heading', { level: 1, name: 'Dieser Vorgang lässt sich nicht abschließen' }).waitFor()
  await check('an error')
  t.same(
    consoleErrors.filter(error => !/status of (400|422)/.test(error)),
    []
  )
})

t.test('no page scrolls sideways from 320 to 1280 pixels, with long names too', async t => {
  const key = newKey()
  const { gateway, sandbox } = await startGatewayAndSandbox(t, {
    environment: { SESSION_KEYS: key, APP_NAME: 'Donaudampfschifffahrtsgesellschaft Linz' }
  })
  for (const { tag } of languages) {
    const { page, context } = await newUser(t, browser, { locale: tag })
    const { name, value } = await startUserSession(gateway, key, { id: 'u-1', name: 'Wolfeschlegelsteinhausenbergerdorff-Hohenzollern' })
    await context.addCookies([{ name, value, url: gateway.url }])
    const connect = await context.request.post(`${gateway.url}/connections/process-street`, {
      headers: { 'x-csrf': '1' },
      data: { apiKey: sandbox.vendor('process-street').apiKey }
    })
    t.equal(connect.status(), 201)
    const invited = await context.request.post(`${gateway.url}/connections/outgrow/invitation`, {
      headers: { 'x-csrf': '1' },
      data: { name: 'Wolfeschlegelsteinhausenbergerdorff-Hohenzollern' }
    })
    const { url } = (await invited.json()) as { url: string }
    for (const address of [gateway.url, `${gateway.url}/connect/process-street`, url, `${gateway.url}/nothing`]) {
      await page.goto(address)
      await page.evaluate("for (const menu of document.querySelectorAll('details')) menu.open = true")
      for (const width of [320, 360, 420, 560, 671, 673, 768, 900, 1024, 1280]) {
        await page.setViewportSize({ width, height: 640 })
        const scrollWidth = await page.evaluate<number>('document.documentElement.scrollWidth')
        t.ok(scrollWidth <= width, `${tag} ${new URL(address).pathname} ${width} px: ${scrollWidth}`)
      }
    }
  }
})

t.test('a failed request is explained in German', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page, context } = await newUser(t, browser, { locale: 'de-DE' })
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Verbinden: Productboard' }).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await cardOf(page, 'Productboard').getByText('Verbunden', { exact: true }).waitFor()
  await page.waitForLoadState()
  await context.setOffline(true)
  await page.getByRole('button', { name: 'Trennen: Productboard' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Trennen' }).click()
  const failed = 'Das hat nicht geklappt. Diese Website ist gerade nicht erreichbar. Versuchen Sie es gleich noch einmal.'
  await page.getByRole('status').getByText(failed).waitFor()
})

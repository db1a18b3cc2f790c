import t from 'tap'
import { cardOf, connect, newUser, startChromium, tabTo } from '../support/chromium.ts'
import { fourProviders, startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

for (const javaScriptEnabled of [true, false]) {
  t.test(`an invalid sign-in ends on an error page, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async t => {
    const { gateway } = await startGatewayAndSandbox(t)
    const { page, consoleErrors } = await newUser(t, browser, { javaScriptEnabled })
    const response = await page.goto(`${gateway.url}/auth/productboard/callback?state=unknown&code=stolen`)
    t.equal(response?.status(), 400)
    await page.getByRole('heading', { level: 1, name: 'This sign-in cannot be finished' }).waitFor()
    t.same(
      consoleErrors.filter(error => !error.includes('status of 400')),
      []
    )
    await page.getByRole('link', { name: 'Back to your connections' }).click()
    await page.getByRole('heading', { name: 'Connections' }).waitFor()
  })
}

t.test('without JavaScript a user can connect and sees no button without effect', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser, { javaScriptEnabled: false })
  await page.goto(gateway.url)
  await connect(page, 'Process Street')
  await page.getByText('Process Street is connected').waitFor()
  await cardOf(page, 'Process Street')
    .getByText(/^\w{3} \d{1,2}, \d{4}, \d{1,2}:\d\d\s[AP]M UTC$/)
    .waitFor()
  await page.getByText('Disconnecting and signing out need JavaScript').waitFor()
  t.equal(await page.getByRole('button').count(), 0)
})

t.test('the three promises stand in one row, or one below the other on a narrow screen', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser)
  await page.goto(gateway.url)
  const rowsAt = async (width: number) => {
    await page.setViewportSize({ width, height: 640 })
    const promises = await page.locator('.facts > div').all()
    return new Set(await Promise.all(promises.map(async promise => (await promise.boundingBox())?.y))).size
  }
  for (const width of [1280, 768]) t.equal(await rowsAt(width), 1, `${width} px`)
  for (const width of [700, 600, 320]) t.equal(await rowsAt(width), 3, `${width} px`)
})

t.test('a page about one provider is one card in the middle, with the logos of both sides', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser)
  for (const [path, logos] of [
    ['/connect/productboard', 2],
    ['/auth/productboard/callback?state=unknown&code=stolen', 2],
    ['/connect/nobody', 1]
  ] as const) {
    await page.goto(gateway.url + path)
    t.equal(await page.locator('.logos > :is(img, .badge)').count(), logos, path)
    for (const width of [1280, 768, 320]) {
      await page.setViewportSize({ width, height: 640 })
      const cards = await page.locator('.panel').all()
      t.equal(cards.length, 1, path)
      const { x, width: cardWidth } = (await cards[0]?.boundingBox()) ?? { x: 0, width: 0 }
      t.equal(x + cardWidth / 2, width / 2, `${path} ${width} px`)
      t.ok(cardWidth <= 576, `${path} ${width} px`)
    }
  }
})

t.test('the menu of a card opens and closes with the keyboard, and when something else is used', async t => {
  const { gateway } = await startGatewayAndSandbox(t, { environment: fourProviders })
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  const focused = page.locator(':focus')
  const invite = page.getByRole('button', { name: 'Ask somebody else to connect Outgrow' })
  t.equal(await invite.isVisible(), false)

  await tabTo(page, 'More for Outgrow')
  await page.keyboard.press('Enter')
  await invite.waitFor()
  await tabTo(page, 'Ask somebody else to connect Outgrow')
  await page.keyboard.press('Escape')
  await invite.waitFor({ state: 'hidden' })
  t.equal(await focused.getAttribute('aria-label'), 'More for Outgrow', 'the focus returns to the button')

  await page.keyboard.press('Space')
  await invite.waitFor()
  await page.keyboard.press('Shift+Tab')
  await invite.waitFor({ state: 'hidden' })
  t.equal(await focused.getAttribute('aria-label'), 'Connect Outgrow')

  await page.getByLabel('More for Outgrow').click()
  await invite.waitFor()
  await page.getByLabel('More for Ignition').click()
  await page.getByRole('button', { name: 'Ask somebody else to connect Ignition' }).waitFor()
  t.equal(await invite.isVisible(), false, 'one menu at a time')
  await page.getByRole('heading', { level: 1 }).click()
  t.equal(await page.locator('.menu[open]').count(), 0)
  t.same(consoleErrors, [])
})

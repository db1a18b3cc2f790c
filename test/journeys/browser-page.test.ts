import t from 'tap'
import { cardOf, connect, newUser, startChromium } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

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
    .getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/)
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

import t from 'tap'
import { cardOf, connect, newPerson, startChromium } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

for (const javaScriptEnabled of [true, false]) {
  t.test(`a sign-in that cannot be finished ends on a page for a person, JavaScript ${javaScriptEnabled ? 'on' : 'off'}`, async t => {
    const { gateway } = await startGatewayAndSandbox(t)
    const { page, faults } = await newPerson(t, browser, { javaScriptEnabled })
    const answer = await page.goto(`${gateway.url}/auth/productboard/callback?state=unknown&code=stolen`)
    t.equal(answer?.status(), 400)
    await page.getByRole('heading', { level: 1, name: 'This sign-in cannot be finished' }).waitFor()
    t.same(
      faults.filter(fault => !fault.includes('status of 400')),
      []
    )
    await page.getByRole('link', { name: 'Back to your connections' }).click()
    await page.getByRole('heading', { name: 'Connections' }).waitFor()
  })
}

t.test('without JavaScript a person connects all the same, and sees no button that does nothing', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newPerson(t, browser, { javaScriptEnabled: false })
  await page.goto(gateway.url)
  await connect(page, 'Process Street')
  await page.getByText('Process Street is connected').waitFor()
  await cardOf(page, 'Process Street')
    .getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/)
    .waitFor()
  await page.getByText('Disconnecting and signing out need JavaScript').waitFor()
  t.equal(await page.getByRole('button').count(), 0)
})

const looks = (['light', 'dark'] as const).flatMap(colorScheme => [320, 1280].map(width => ({ colorScheme, width })))

t.test('in light and dark, wide and 320 px narrow, nothing scrolls sideways, and the browser has nothing to complain of', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  const { page, faults } = await newPerson(t, browser)
  const fits = async (where: string) => {
    for (const { colorScheme, width } of looks) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 640 })
      const needed = await page.evaluate<number>('document.documentElement.scrollWidth')
      t.ok(needed <= width, `${where}, ${colorScheme}: needs ${needed} of ${width} px`)
    }
  }
  await page.goto(gateway.url)
  await fits('nothing connected')
  await page.getByRole('link', { name: 'Connect Productboard' }).click()
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.getByText('Productboard was not connected').waitFor()
  await fits('after a refusal')
  await connect(page, 'Productboard')
  await fits('connected')
  await page.getByRole('button', { name: 'Disconnect Productboard' }).click()
  await page.getByRole('dialog').waitFor()
  await fits('the question')
  t.same(faults, [])

  sandbox.vendor('productboard').revokeGrants()
  await page.evaluate(() => fetch('/proxy/productboard/v2/notes', { headers: { 'x-csrf': '1' } }).then(answer => answer.status))
  await page.reload()
  await page.getByText('Access has ended').waitFor()
  await fits('to be reconnected')
  await page.goto(`${gateway.url}/auth/productboard/callback`)
  await fits('an error')
  t.same(
    faults.filter(fault => !/status of 40[01]/.test(fault)),
    []
  )
})

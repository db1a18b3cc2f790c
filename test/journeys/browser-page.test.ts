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

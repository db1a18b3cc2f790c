import t, { type Test } from 'tap'
import { apiKeyWith, providerWith } from '../core/support.ts'
import { checkAccessibility } from '../support/axe.ts'
import { newUser, startChromium } from '../support/chromium.ts'
import { startGateway } from '../support/gateway.ts'

const browser = await startChromium(t)

const services = [
  ['acme', 'Acme', 'Tickets and their comments'],
  ['cafe', 'Café Plan', 'Tables and reservations'],
  ['drive', 'Drive', 'Files and folders'],
  ['ledger', 'Ledger', 'Invoices and payments'],
  ['mailer', 'Mailer', 'Messages and contacts'],
  ['notes', 'Notes', 'Pages and comments'],
  ['planner', 'Planner', 'Tasks and deadlines'],
  ['shop', 'Shop', 'Orders and payments'],
  ['survey', 'Survey', 'Questions and answers']
] as const

async function open(t: Test, count: number, javaScriptEnabled = true) {
  const definitions = services
    .slice(0, count)
    .map(([name, title, description]) => providerWith({ name, title, description, methods: { apiKey: apiKeyWith({ in: 'basic' }) } }))
  const environment = Object.fromEntries(definitions.map(({ name }) => [`${name.toUpperCase()}_API_URL`, 'http://127.0.0.1:9']))
  const gateway = await startGateway(t, { definitions, environment })
  const user = await newUser(t, browser, { reducedMotion: 'reduce', javaScriptEnabled })
  await user.page.goto(gateway.url)
  return user
}

t.test('with more than eight services a user finds one by its name or what it has', async t => {
  const { page, consoleErrors } = await open(t, 9)
  const search = page.getByRole('searchbox', { name: 'Find a service' })
  const shown = async () => (await page.getByRole('heading', { level: 2 }).allTextContents()).slice(0, -3)
  const status = page.getByRole('search').getByRole('status')
  t.equal((await shown()).length, 9)
  for (const [typed, titles, text] of [
    ['pay', ['Ledger', 'Shop'], '2 of 9 services'],
    ['PAYMENTS  shop', ['Shop'], '1 of 9 services'],
    ['cafe', ['Café Plan'], '1 of 9 services'],
    ['nothing', [], 'No service matches.'],
    ['   ', services.map(([, title]) => title), '']
  ] as const) {
    await search.fill(typed)
    t.same(await shown(), titles, typed)
    t.equal(await status.textContent(), text)
  }
  await search.fill('comments')
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await page.waitForLoadState('networkidle')
  t.same(await shown(), ['Acme', 'Notes'], 'a refresh of the cards keeps what was found')
  await checkAccessibility(t, page)('a search')
  t.same(consoleErrors, [])
})

t.test('with up to eight services there is no search, and none without JavaScript', async t => {
  const few = await open(t, 8)
  t.equal(await few.page.getByRole('searchbox').count(), 0)
  const { page } = await open(t, 9, false)
  t.equal(await page.getByRole('heading', { name: 'Survey' }).isVisible(), true)
  t.equal(await page.getByRole('searchbox').isVisible(), false)
})

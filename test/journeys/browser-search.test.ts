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

t.test('sixty services, each of which asks for something, are one page in which a user finds one', async t => {
  const fields = {
    email: { title: 'E-mail address', example: 'ada@example.com' },
    key: { title: 'API token', example: 'k3y', secret: true }
  }
  const definitions = Array.from({ length: 60 }, (_, i) =>
    providerWith({
      name: `service${i}`,
      title: `Service ${i}`,
      description: `Things of kind ${i}`,
      docsUrl: 'https://docs.example.com/',
      parameters: { subdomain: { title: 'Subdomain', example: 'acme', suffix: '.example.com' } },
      api: { baseUrl: 'https://{subdomain}.example.com' },
      methods: { apiKey: { ...apiKeyWith({ in: 'basic', username: '{email}' }), fields } }
    })
  )
  const PROVIDERS = definitions.map(({ name }) => name).join(',')
  const gateway = await startGateway(t, { definitions, environment: { PROVIDERS, SERVICE0_API_URL: 'http://127.0.0.1:9/{subdomain}' } })
  const markup = await (await fetch(gateway.url, { headers: { accept: 'text/html' } })).text()
  t.ok(markup.length < 350_000, `${markup.length} characters`)
  const ids = [...markup.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  t.same(ids, [...new Set(ids)])

  const { page, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
  await page.goto(gateway.url)
  await page.getByRole('searchbox', { name: 'Find a service' }).fill('kind 42')
  await page.getByText('1 of 60 services').waitFor()
  await page.getByRole('link', { name: 'Connect Service 42' }).click()
  await page.getByRole('dialog', { name: 'Connect Service 42 with a key' }).getByLabel('Subdomain').fill('acme')
  t.same(consoleErrors, [])
})

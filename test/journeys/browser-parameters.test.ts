import t, { type Test } from 'tap'
import { checkAccessibility } from '../support/axe.ts'
import { cardOf, chooseFromMenu, fetchJson, keyDialog, newUser, startChromium, waitForStatus } from '../support/chromium.ts'
import { openPage, openPopup, runWork, workResult } from '../support/client-page.ts'
import { json } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { clientPage, startFrontend } from '../support/frontend.ts'
import { startGateway } from '../support/gateway.ts'
import { playDefinition } from '../support/played-definition.ts'
import { desk, deskKey, shop, signInAtOnce, startShops } from '../support/shop.ts'

const browser = await startChromium(t)

async function start(t: Test, environment: Record<string, string> = {}, options: Parameters<typeof newUser>[2] = {}) {
  const shops = await startShops(t)
  const gateway = await startGateway(t, { definitions: [shop, desk], environment: { ...shops.environment, ...environment } })
  const user = await newUser(t, browser, options)
  return { ...shops, gateway, ...user }
}

/** Browsers log every response with an error status. */
const withoutHttpErrors = (errors: readonly string[]) => errors.filter(text => !text.startsWith('Failed to load resource'))

t.test('a user is asked for their shop, is told what is wrong, and is connected to it', async t => {
  const { page, gateway, seen, consoleErrors } = await start(t)
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Connect Shop' }).click()
  const field = page.getByLabel('Your shop')
  const connect = page.getByRole('button', { name: 'Sign in at Shop' })
  t.equal(await field.getAttribute('placeholder'), 'my-shop')
  await page.getByText('.shop.example', { exact: true }).waitFor()

  await connect.click()
  await page.getByRole('alert').getByText('Fill this in.').waitFor()
  await page.locator('#parameter-shop:focus').waitFor()
  for (const wrong of ['evil.example/x', 'my shop', 'evil.com#.shop.example']) {
    await field.fill(wrong)
    await connect.click()
    await page.getByRole('alert').getByText('That is not right. It looks like this: my-shop').waitFor()
    await page.locator('#parameter-shop:focus[aria-invalid="true"]').waitFor()
    t.equal(await field.inputValue(), wrong, 'what was typed stays')
  }
  t.same(seen(), [])

  await field.fill('https://Fern-Hill.shop.example/admin/orders?page=2')
  await field.press('Enter')
  await waitForStatus(page, 'Shop', 'Connected')
  await cardOf(page, 'Shop').getByText('fern-hill.shop.example').waitFor()
  t.match(await fetchJson(page, '/proxy/shop/orders'), { status: 200, body: { name: 'fern-hill' } })

  await chooseFromMenu(page, 'Reconnect Shop')
  t.equal(await field.inputValue(), 'fern-hill', 'asked again, it is there')
  await connect.click()
  await waitForStatus(page, 'Shop', 'Connected')
  await chooseFromMenu(page, 'Add another account of Shop')
  t.equal(await field.inputValue(), '')
  t.same(withoutHttpErrors(consoleErrors), [])
})

t.test('without JavaScript the browser asks for what is missing, and the page says what is wrong', async t => {
  const { page, gateway } = await start(t, {}, { javaScriptEnabled: false })
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Connect Shop' }).click()
  const connect = page.getByRole('button', { name: 'Sign in at Shop' })
  await connect.click()
  await page.locator('#parameter-shop:focus:invalid').waitFor()
  t.match(page.url(), '/connect/shop?', 'the browser has sent nothing')
  await page.getByLabel('Your shop').fill('a/b')
  await connect.click()
  await page.getByText('That is not right. It looks like this: my-shop').waitFor()
  await page.getByLabel('Your shop').fill('acme')
  await connect.click()
  await page.getByText('Shop is connected').waitFor()
  await page.getByText('acme.shop.example').waitFor()
})

t.test('a link from another site shows what it would connect, and waits for a click', async t => {
  const { page, gateway, seen } = await start(t)
  const link = `${gateway.url}/auth/shop?shop=evil`
  const site = await startFrontend(
    t,
    () => ({ html: `<!doctype html><title>Elsewhere</title><a href="${link}">Look</a>` }),
    'elsewhere.test'
  )
  await page.goto(site)
  await page.getByRole('link', { name: 'Look' }).click()
  await page.getByRole('heading', { name: 'Connect Shop' }).waitFor()
  t.equal(await page.getByLabel('Your shop').inputValue(), 'evil')
  t.same(seen(), [])
  await page.getByLabel('Your shop').fill('mine')
  await page.getByRole('button', { name: 'Sign in at Shop' }).click()
  await waitForStatus(page, 'Shop', 'Connected')
  await page.getByText('mine.shop.example').waitFor()
})

t.test('a key goes with its address and e-mail, each with its error at its field', async t => {
  const { page, gateway, seen, consoleErrors } = await start(t)
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Connect Desk' }).click()
  const dialog = keyDialog(page, 'Desk')
  const field = (label: string) => dialog.getByLabel(label, { exact: true })
  const connect = dialog.getByRole('button', { name: 'Connect' })
  await connect.click()
  t.equal(await dialog.getByText('Fill this in.').count(), 3, 'all that is missing at once')
  await page.locator('#key-desk_subdomain:focus').waitFor()
  t.equal(await field('Region').inputValue(), 'eu')

  await field('Subdomain').fill('fernhill.evil.example')
  await field('E-mail address').fill('ada')
  await field('PIN').fill('1234')
  await connect.click()
  await dialog.getByText('That is not right. It looks like this: ada@example.com').waitFor()
  await field('E-mail address').fill(deskKey.email)
  await connect.click()
  await dialog.getByRole('alert').getByText('The key is empty.').waitFor()
  await field('API token').fill('wrong')
  await connect.click()
  await dialog.getByText('That is not right. It looks like this: acme').waitFor()
  t.same(seen(), [])

  await field('Subdomain').fill('https://fernhill.desk.example/agent')
  await field('Region').selectOption('United States')
  await connect.click()
  await dialog.getByRole('alert').getByText('Desk does not accept this key.').waitFor()
  t.equal(await field('E-mail address').inputValue(), deskKey.email, 'what was typed stays')
  await dialog.getByRole('button', { name: 'Show: PIN' }).click()
  t.equal(await field('PIN').getAttribute('type'), 'text')
  t.equal(await field('API token').getAttribute('type'), 'password', 'one secret is shown, not all')
  await field('API token').fill(deskKey.key)
  await connect.click()
  await waitForStatus(page, 'Desk', 'Connected')

  const card = cardOf(page, 'Desk')
  for (const shown of ['fernhill.desk.example', 'United States', deskKey.email]) await card.getByText(shown).waitFor()
  t.notMatch(await page.content(), '1234')
  t.match(await fetchJson(page, '/proxy/desk/tickets'), { status: 200, body: { name: 'fernhill', region: 'us' } })
  await chooseFromMenu(page, 'Reconnect Desk')
  t.equal(await field('Subdomain').inputValue(), 'fernhill')
  t.equal(await field('Region').inputValue(), 'us')
  t.equal(await field('E-mail address').inputValue(), deskKey.email)
  for (const secret of ['PIN', 'API token']) t.equal(await field(secret).inputValue(), '')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await chooseFromMenu(page, 'Add another account of Desk')
  t.equal(await field('Subdomain').inputValue(), '', 'nothing of the other account')
  t.same(withoutHttpErrors(consoleErrors), [])
})

t.test('what the operator has fixed is not asked', async t => {
  const { page, gateway } = await start(t, { SHOP_PARAMETER_SHOP: 'ours', DESK_PARAMETER_SUBDOMAIN: 'ours', DESK_PARAMETER_REGION: 'us' })
  await page.goto(gateway.url)
  await page.getByRole('link', { name: 'Connect Shop' }).click()
  await waitForStatus(page, 'Shop', 'Connected')
  t.match(await fetchJson(page, '/proxy/shop/orders'), { body: { name: 'ours' } })
  await page.getByRole('link', { name: 'Connect Desk' }).click()
  const dialog = keyDialog(page, 'Desk')
  t.equal(await dialog.getByLabel('Subdomain').count(), 0)
  await dialog.getByLabel('E-mail address').fill(deskKey.email)
  await dialog.getByLabel('PIN', { exact: true }).fill('1')
  await dialog.getByLabel('API token', { exact: true }).fill(deskKey.key)
  await dialog.getByRole('button', { name: 'Connect' }).click()
  await waitForStatus(page, 'Desk', 'Connected')
  t.match(await fetchJson(page, '/proxy/desk/tickets'), { body: { name: 'ours', region: 'us' } })
})

t.test('a popup of a frontend asks too, and with parameters it goes on at once', async t => {
  const shops = await startShops(t)
  const port = await freePort()
  const frontend = await startFrontend(t, () => ({ html: clientPage(`http://localhost:${port}`) }))
  await startGateway(t, { port, definitions: [shop, desk], environment: { ...shops.environment, ALLOWED_ORIGINS: frontend } })
  const { page } = await newUser(t, browser)
  await openPage(page, frontend)
  const popup = await openPopup(page, "grantkeeper.connect('shop', { popup: true })")
  await popup.getByLabel('Your shop').fill('first')
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('button', { name: 'Sign in at Shop' }).click()])
  t.match(await workResult(page), { value: { provider: 'shop', parameters: { shop: 'first' } } })

  const direct = await openPopup(page, "grantkeeper.connect('shop', { popup: true, account: 'add', parameters: { shop: 'second' } })")
  await direct.waitForEvent('close')
  t.match(await workResult(page), { value: { parameters: { shop: 'second' } } })
  const wrong = { email: deskKey.email, pin: '1', key: 'k' }
  t.match(await runWork(page, `grantkeeper.connectWithKey('desk', ${JSON.stringify(wrong)}, { parameters: { subdomain: 'a.b' } })`), {
    error: { isOurs: true, code: 'parameters_invalid', parameter: 'subdomain', status: 400 }
  })
})

t.test('a user sees which of several sites is used, and takes another', async t => {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/sites/{site}` },
    methods: {
      oauth2: {
        authorizeUrl: `${origin}/authorize`,
        tokenUrl: `${origin}/token`,
        scopes: [],
        clientAuthentication: 'body',
        lookup: { url: `${origin}/sites`, choose: { title: 'Site', items: '', id: '/id', name: '/name' } },
        values: { site: { from: 'lookup', pointer: '/id', pattern: '[\\w\\-]+', example: 's-1' } },
        help: { steps: ['Sign in.'] }
      }
    }
  }))
  s.provider.api = ({ url }, response) => {
    if (url.startsWith('/authorize')) return signInAtOnce(url, response)
    if (url === '/sites')
      return json(response, 200, [
        { id: 's-1', name: 'Fernhill <b>' },
        { id: 's-2', name: 'Acme' }
      ])
    json(response, 200, { url })
  }
  const { page, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
  await page.goto(s.gateway.url)
  await page.getByRole('link', { name: 'Connect Acme' }).click()
  await page.getByRole('status').getByText('Site: Fernhill <b>, one of 2. You can change it among your connections.').waitFor()
  const list = page.getByLabel('Site of Acme', { exact: true })
  t.equal(await list.inputValue(), 's-1')
  await checkAccessibility(t, page)('a card with a choice')
  await list.selectOption('Acme')
  await page.getByRole('button', { name: 'Change Site of Acme' }).click()
  await page.getByRole('status').getByText('Acme uses Acme now.').waitFor()
  t.equal(await list.inputValue(), 's-2')
  t.match(await fetchJson(page, '/proxy/acme/x'), { body: { url: '/sites/s-2/x' } })
  t.equal(await page.locator(':focus').getAttribute('aria-label'), 'Change Site of Acme', 'the focus stays')
  t.same(consoleErrors, [])
})

t.test('axe finds no violations in the forms that ask, with errors and without', async t => {
  const { page, gateway } = await start(t, {}, { reducedMotion: 'reduce' })
  const check = checkAccessibility(t, page)
  await page.goto(`${gateway.url}/connect/shop`)
  await check('a form that asks')
  await page.goto(`${gateway.url}/auth/shop?shop=a%20b`)
  await check('a form with an error')
  await page.goto(`${gateway.url}/connect/desk`)
  await check('a key with several fields')
  await page.getByRole('button', { name: 'Connect' }).click()
  await check('a key with several fields and errors')
})

import t from 'tap'
import { checkAccessibility } from '../support/axe.ts'
import {
  chooseFromMenu,
  connect,
  connectByKey,
  fetchJson,
  keyDialog,
  newUser,
  pasteKey,
  startChromium,
  waitForStatus
} from '../support/chromium.ts'
import { fourProviders, startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

t.test('axe finds no violations in any state of the pages', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: fourProviders })
  // axe would measure contrast in the middle of a colour transition.
  const { page, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
  const check = checkAccessibility(t, page)
  await page.goto(gateway.url)
  await check('nothing connected')
  await chooseFromMenu(page, 'Use a key instead for Process Street')
  await keyDialog(page, 'Process Street').waitFor()
  await check('the key dialog')
  await pasteKey(page, 'Process Street', 'wrong')
  await page.getByRole('alert').getByText('does not accept this key').waitFor()
  await check('the key dialog with an error')
  await page.keyboard.press('Escape')
  await connectByKey(page, 'Process Street', sandbox.vendor('process-street').apiKey)
  await connect(page, 'Productboard')
  await check('connected, with a message')
  await page.getByLabel('More for Productboard').click()
  await check('the menu of a card')
  await page.getByRole('button', { name: 'Disconnect Productboard' }).click()
  await page.getByRole('dialog').waitFor()
  await check('the confirmation')
  await page.keyboard.press('Escape')

  sandbox.vendor('productboard').revokeGrants()
  t.match(await fetchJson(page, '/proxy/productboard/v2/notes'), { status: 401 })
  await page.goto(`${gateway.url}/?connect_error=access_denied&provider=productboard`)
  await waitForStatus(page, 'Productboard', 'Access has ended')
  await check('reconnect required, with an error message')
  await page.goto(`${gateway.url}/connect/productboard`)
  await page.getByText('It was connected on').waitFor()
  await check('the page of a provider that was connected')
  await page.goto(`${gateway.url}/auth/productboard/callback?code=unasked`)
  await page.getByText('Productboard sent you here').waitFor()
  await check('the page of a provider, from its marketplace')
  await page.goto(`${gateway.url}/auth/productboard/callback?code=late&state=late`)
  await page.getByRole('link', { name: 'Connect again' }).waitFor()
  await check('an invalid sign-in')
  await page.goto(`${gateway.url}/connect/nobody`)
  await page.getByRole('heading', { name: 'No such provider' }).waitFor()
  await check('an error')
  t.same(
    consoleErrors.filter(error => !/status of (400|401|404|422)/.test(error)),
    []
  )
})

t.test('the pages allow no inline code, and their assets are small and immutable', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newUser(t, browser)
  const assets = new Set<string>()
  for (const path of ['/', '/connect/productboard', '/connect/nobody']) {
    const policy = (await page.goto(gateway.url + path))?.headers()['content-security-policy'] ?? ''
    t.match(policy, /default-src 'none'/)
    t.notMatch(policy, /unsafe|\*|data:/)
    for (const url of await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))) assets.add(url)
  }
  t.same([...assets].map(url => url.replace(/^.*\/|-\w{12}(?=\.)/g, '')).sort(), [
    'connect-form.js',
    'connections.js',
    'grantkeeper.css',
    'grantkeeper.svg',
    'invite.js'
  ])
  let bytes = 0
  for (const url of assets) {
    const response = await fetch(url)
    t.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    bytes += (await response.bytes()).length
  }
  t.ok(bytes < 40_000, `${bytes} bytes in total`)
})

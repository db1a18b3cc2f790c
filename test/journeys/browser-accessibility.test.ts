import t from 'tap'
import { goodInEveryLook } from '../support/axe.ts'
import { callFrom, connect, connectByKey, keyDialogOf, newPerson, pasteKey, startChromium, statusOf } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

t.test('axe finds nothing to complain of, in any state of any page, in light and dark, wide and at 320 px', async t => {
  const { gateway, sandbox } = await startGatewayAndSandbox(t)
  // A colour on its way from light to dark has a contrast that nobody sees.
  const { page, faults } = await newPerson(t, browser, { reducedMotion: 'reduce' })
  const isGood = goodInEveryLook(t, page)
  await page.goto(gateway.url)
  await isGood('nothing connected')
  await page.getByRole('link', { name: 'Use a key instead for Process Street' }).click()
  await keyDialogOf(page, 'Process Street').waitFor()
  await isGood('the key dialog')
  await pasteKey(page, 'Process Street', 'wrong')
  await page.getByRole('alert').getByText('does not accept this key').waitFor()
  await isGood('the key dialog with an error')
  await page.keyboard.press('Escape')
  await connectByKey(page, 'Process Street', sandbox.vendor('process-street').apiKey)
  await connect(page, 'Productboard')
  await isGood('connected, with a message')
  await page.getByRole('button', { name: 'Disconnect Productboard' }).click()
  await page.getByRole('dialog').waitFor()
  await isGood('the question')
  await page.keyboard.press('Escape')

  sandbox.vendor('productboard').revokeGrants()
  t.match(await callFrom(page, '/proxy/productboard/v2/notes'), { status: 401 })
  await page.goto(`${gateway.url}/?connect_error=access_denied&provider=productboard`)
  await statusOf(page, 'Productboard', 'Access has ended')
  await isGood('to be reconnected, with a message of a refusal')
  await page.goto(`${gateway.url}/connect/productboard`)
  await page.getByText('It was connected on').waitFor()
  await isGood('the page of one provider, which was connected')
  await page.goto(`${gateway.url}/auth/productboard/callback?code=unasked`)
  await page.getByText('Productboard sent you here').waitFor()
  await isGood('the same for who comes from a marketplace')
  await page.goto(`${gateway.url}/auth/productboard/callback?code=late&state=late`)
  await page.getByRole('link', { name: 'Connect again' }).waitFor()
  await isGood('a sign-in that cannot be finished')
  await page.goto(`${gateway.url}/connect/nobody`)
  await page.getByRole('heading', { name: 'No such provider' }).waitFor()
  await isGood('an error')
  t.same(
    faults.filter(fault => !/status of (400|401|404|422)/.test(fault)),
    []
  )
})

t.test('the pages allow no inline script or style, and what they are drawn with is small and cached for ever', async t => {
  const { gateway } = await startGatewayAndSandbox(t)
  const { page } = await newPerson(t, browser)
  const assets = new Set<string>()
  for (const path of ['/', '/connect/productboard', '/connect/nobody']) {
    const policy = (await page.goto(gateway.url + path))?.headers()['content-security-policy'] ?? ''
    t.match(policy, /default-src 'none'/)
    t.notMatch(policy, /unsafe|\*|data:/)
    for (const url of await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))) assets.add(url)
  }
  t.same([...assets].map(url => url.replace(/^.*\/|-\w{12}(?=\.)/g, '')).sort(), [
    'connections.js',
    'grantkeeper.css',
    'grantkeeper.svg',
    'invite.js',
    'key-form.js'
  ])
  let bytes = 0
  for (const url of assets) {
    const answer = await fetch(url)
    t.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    bytes += (await answer.bytes()).length
  }
  t.ok(bytes < 40_000, `${bytes} bytes in all`)
})

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { checkAccessibility } from '../support/axe.ts'
import { chooseFromMenu, connect, newUser, startChromium, waitForStatus } from '../support/chromium.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)
const image = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 1"><rect width="4" height="1" fill="#d22"/></svg>'

/** A server of images, on an origin of its own. */
async function startImages(t: Test) {
  const server = createServer((_request, response) => response.setHeader('content-type', 'image/svg+xml').end(image))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('the logo is loaded from elsewhere, and no other image there', async t => {
  const images = await startImages(t)
  const { gateway } = await startGatewayAndSandbox(t, { environment: { APP_NAME: 'Acme', APP_LOGO_URL: `${images}/acme/logo.svg?v=2` } })
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(gateway.url)
  t.equal(await page.title(), 'Connections · Acme')
  const widthOf = (path: string) =>
    page.evaluate<number>(`new Promise(resolve => {
      const image = new Image()
      image.onload = () => resolve(image.naturalWidth)
      image.onerror = () => resolve(0)
      image.src = ${JSON.stringify(images + path)}
    })`)
  t.ok((await widthOf('/acme/logo.svg?v=2')) > 0)
  t.same(consoleErrors, [])
  for (const other of ['/acme/other.svg', '/acme/logo.svg/more', '/']) t.equal(await widthOf(other), 0, other)
  t.ok(consoleErrors.every(error => /policy img-src|violates the following Content Security Policy/.test(error)))
})

t.test('pages in any colour can be read, in both schemes and on a phone', async t => {
  for (const color of ['ffd400', '000000', 'ff4fa3']) {
    const { gateway } = await startGatewayAndSandbox(t, {
      environment: { APP_NAME: 'Acme Integrations and Connections Ltd', APP_COLOR: color }
    })
    const { page, consoleErrors } = await newUser(t, browser, { reducedMotion: 'reduce' })
    const check = checkAccessibility(t, page)
    await page.goto(gateway.url)
    await connect(page, 'Productboard')
    await check(`${color}: connected, with a message`)
    await page.goto(`${gateway.url}/?connect_error=access_denied&provider=productboard`)
    await waitForStatus(page, 'Productboard', 'Connected')
    await check(`${color}: a link in an error message`)
    t.same(consoleErrors, [])
  }
})

t.test('the e-mail that a user writes to an admin names the product, and has the link', async t => {
  const { gateway } = await startGatewayAndSandbox(t, { environment: { APP_NAME: 'Acme & Co' } })
  for (const [locale, open, name, submit, mail, expected] of [
    [
      'en-GB',
      'Ask somebody else to connect Productboard',
      'Your name, as they will see it',
      'Make the link',
      'Write an e-mail',
      'connect Productboard, so that Acme & Co can use it for me'
    ],
    [
      'de-DE',
      'Jemand anderen bitten, zu verbinden: Productboard',
      'Ihr Name, wie er dort erscheint',
      'Link erstellen',
      'E-Mail schreiben',
      'verbinden Sie Productboard, damit Acme & Co es für mich nutzen kann'
    ]
  ] as const) {
    const { page } = await newUser(t, browser, { locale })
    await page.goto(gateway.url)
    await chooseFromMenu(page, open)
    await page.getByLabel(name).fill('Ada {link}')
    await page.getByRole('button', { name: submit }).click()
    const link = page.getByRole('link', { name: mail })
    await link.waitFor()
    const url = new URL((await link.getAttribute('href')) ?? '')
    t.equal(url.protocol, 'mailto:')
    t.match(url.searchParams.get('subject'), 'Acme & Co')
    const body = url.searchParams.get('body') ?? ''
    t.match(body, expected)
    t.match(body, `\r\n${await page.locator('#invite-link').inputValue()}\r\n`)
    t.ok(body.endsWith('\r\nAda {link}'), 'what a user writes is not replaced')
    t.notMatch(body, /\{(service|time|name)\}/)
  }
})

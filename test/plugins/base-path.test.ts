import t, { type Test } from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn } from '../support/connected.ts'
import { visitEveryPage } from '../support/every-page.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { startGateway } from '../support/gateway.ts'

const path = '/integrations'

/** A gateway below a path, as behind a proxy that passes the path on. */
async function startBelowPath(t: Test) {
  const port = await freePort()
  const provider = await startFakeProvider(t)
  const gateway = await startGateway(t, { port, environment: { ...provider.environment, PUBLIC_URL: `http://localhost:${port}${path}` } })
  return { origin: gateway.url, url: gateway.url + path, provider, browser: new Browser() }
}

t.test('with a path in PUBLIC_URL every route is below it, and nowhere else', async t => {
  const { origin, url } = await startBelowPath(t)
  for (const route of ['/health/live', '/connections', '/', '', '?connected=productboard'])
    t.equal((await fetch(url + route)).status, 200, route)
  for (const route of ['/health/live', '/connections', '/', `${path}x/connections`, '//integrations/connections', '/x/integrations/'])
    await assertProblem(t, await fetch(origin + route), 404, 'not_found')
})

t.test('a sign-in below a path goes out and comes back below it', async t => {
  const { url, browser } = await startBelowPath(t)
  const started = await browser.request(`${url}/auth/productboard`)
  const redirectUri = new URL(started.headers.get('location') ?? '').searchParams.get('redirect_uri')
  t.equal(redirectUri, `${url}/auth/productboard/callback`)

  const finished = await signIn({ url }, browser)
  t.equal(finished.headers.get('location'), `${path}/`, 'to the Connections page')
  const { connections } = (await (await browser.fetch(`${url}/connections`)).json()) as { connections: Array<Record<string, unknown>> }
  t.match(connections[0], { status: 'connected', connectUrl: `${url}/connect/productboard` })
})

t.test('return_to is a path on the host, and not below the path', async t => {
  const { url, browser } = await startBelowPath(t)
  const started = await browser.request(`${url}/auth/productboard?return_to=/settings`)
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state')
  const finished = await browser.request(`${url}/auth/productboard/callback?code=c&state=${state}`)
  t.equal(finished.headers.get('location'), '/settings')
})

t.test('a proxied call below a path is forwarded without it, and its Location has it', async t => {
  const { url, provider, browser } = await startBelowPath(t)
  await signIn({ url }, browser)
  provider.api = (seen, response) => json(response, 200, { url: seen.url }, { location: `${provider.origin}/base/items/7` })
  for (const target of ['/items/a%2Fb?q=%', '', '?q=1', '/integrations/proxy/productboard/x']) {
    const response = await browser.fetch(`${url}/proxy/productboard${target}`)
    t.same(await response.json(), { url: `/base${target}` }, target)
    t.equal(response.headers.get('location'), `${path}/proxy/productboard/items/7`)
  }
})

t.test('gateways below different paths of one host keep their cookies apart', async t => {
  const { url, browser } = await startBelowPath(t)
  await browser.request(`${url}/auth/productboard`)
  await signIn({ url }, browser)
  const names = [...browser.cookies.values()].map(({ name }) => name)
  t.ok(names.length > 0)
  for (const name of names) t.match(name, /^grantkeeper-\d+\.integrations(-|$)/)
})

t.test('the client that a gateway below a path serves finds the gateway', async t => {
  const { url } = await startBelowPath(t)
  t.match(await (await fetch(`${url}/client.js`)).text(), "new URL('.', import.meta.url)")
})

/** The attributes whose values are addresses. */
const addresses = (html: string) =>
  [...html.matchAll(/ (href|src|action|data-path|data-invite|data-home|data-return-to)="([^"]*)"/g)].map(
    ([, attribute = '', value = '']) => ({
      attribute,
      address: value.replaceAll('&amp;', '&')
    })
  )

t.test('every address on every page of a gateway below a path is below it, and exists', async t => {
  const { origin, browser, pages } = await visitEveryPage(t, { basePath: path })
  const statuses = new Map<string, number>()
  for (const { name, url, text } of pages) {
    const found = addresses(text).filter(({ address }) => address !== `${origin}/done`)
    t.ok(found.length > 2, name)
    for (const { attribute, address } of found) {
      const { href, pathname } = new URL(address, url)
      t.ok(address.startsWith(`${path}/`) || address.startsWith(`${origin}${path}/`), `${name}: ${attribute} ${address}`)
      if (statuses.has(href)) continue
      // A form or button sends another method, and is refused for want of its header before anything else.
      const isRead = ['href', 'src', 'data-home', 'data-return-to'].includes(attribute)
      const response = await browser.request(href, isRead ? {} : { method: 'POST' })
      statuses.set(href, response.status)
      t.ok((isRead ? [200, 302] : [403, 405]).includes(response.status), `${name}: ${pathname} ${response.status}`)
      if (attribute === 'src') t.match(response.headers.get('content-type'), /javascript|svg/)
    }
  }
})

t.test('a path that looks like a route of the gateway does not confuse its links', async t => {
  const below = '/connect/productboard'
  const { url, pages } = await visitEveryPage(t, { basePath: below })
  const failed = pages.find(({ name }) => name === 'a failed sign-in')?.text ?? ''
  t.match(failed, `href="${url}/auth/productboard?return_to=${encodeURIComponent(`${below}/?connected=productboard`)}`)
})

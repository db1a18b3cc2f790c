import type { Page } from 'playwright-core'
import t from 'tap'
import { connect, newUser, startChromium } from '../support/chromium.ts'
import { startConnected } from '../support/connected.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { startFrontend } from '../support/frontend.ts'
import { startGatewayAndSandbox } from '../support/gateway.ts'

const browser = await startChromium(t)

/** A request of a frontend: the response, or the error that the browser throws instead. */
const call = (page: Page, url: string, init: Pick<RequestInit, 'method'> & { headers?: Record<string, string>; body?: string } = {}) =>
  page.evaluate(
    async ([address, options]) => {
      try {
        const response = await fetch(address, { credentials: 'include', ...options })
        const { status, headers } = response
        return { status, headers: Object.fromEntries(headers), body: await response.json() }
      } catch (error) {
        return { error: (error as Error).name }
      }
    },
    [url, init] as const
  )

const marked = { headers: { 'x-csrf': '1' } }

t.test('a frontend on an allowed origin signs in, sends requests and reads response headers', async t => {
  const frontend = await startFrontend(t)
  const { gateway } = await startGatewayAndSandbox(t, { environment: { ALLOWED_ORIGINS: frontend } })
  const { page } = await newUser(t, browser)
  const notes = `${gateway.url}/proxy/productboard/v2/notes`
  await page.goto(frontend)
  t.match(await call(page, notes, marked), {
    status: 401,
    headers: { 'grantkeeper-error': 'connection_required' },
    body: { connectUrl: `${gateway.url}/connect/productboard` }
  })
  await page.goto(`${gateway.url}/auth/productboard?return_to=${encodeURIComponent(`${frontend}/done`)}`)
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL(`${frontend}/done`)
  await page.getByRole('heading', { name: 'Frontend' }).waitFor()

  t.match(await call(page, notes, marked), {
    status: 200,
    headers: { 'x-ratelimit-limit': '50', 'content-type': /json/ },
    body: { data: [{ type: 'textNote' }] }
  })
  const note = JSON.stringify({ data: { type: 'textNote', fields: { name: 'From a frontend' } } })
  const headers = { ...marked.headers, 'content-type': 'application/json' }
  t.match(await call(page, notes, { method: 'POST', headers, body: note }), { status: 201, body: { data: { type: 'textNote' } } })
})

t.test('a page on any other origin cannot send requests, even with the CSRF header', async t => {
  const [frontend, otherOrigin] = await Promise.all([startFrontend(t), startFrontend(t)])
  const { gateway, sandbox } = await startGatewayAndSandbox(t, { environment: { ALLOWED_ORIGINS: frontend } })
  const { page } = await newUser(t, browser)
  await page.goto(gateway.url)
  await connect(page, 'Productboard')

  // The browser sends the cookie to the same host on another port, which is the same site, but not to another host.
  for (const origin of [otherOrigin, otherOrigin.replace('localhost', '127.0.0.1')]) {
    await page.goto(origin)
    const notes = `${gateway.url}/proxy/productboard/v2/notes`
    for (const init of [marked, {}, { method: 'POST', body: 'x' }, { ...marked, method: 'DELETE' }])
      t.same(await call(page, notes, init), { error: 'TypeError' }, `${origin} ${JSON.stringify(init)}`)
    t.same(await call(page, `${gateway.url}/connections`), { error: 'TypeError' })
    t.same(await call(page, `${gateway.url}/logout`, { method: 'POST' }), { error: 'TypeError' })
  }
  t.equal(sandbox.vendor('productboard').counts.apiCalls, 0)
  await page.goto(gateway.url)
  await page.getByText('Connected', { exact: true }).waitFor()
})

t.test('SEC-24: a same-site page of another origin cannot load a cached response', async t => {
  const [frontend, otherOrigin] = await Promise.all([startFrontend(t), startFrontend(t)])
  for (const environment of [{}, { ALLOWED_ORIGINS: frontend }]) {
    const s = await startConnected(t, { environment })
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
    s.provider.api = ({ url }, r) => {
      const type = url.endsWith('.js') ? 'text/javascript' : 'image/svg+xml'
      r.writeHead(200, { 'content-type': type, 'cache-control': 'max-age=3600' }).end(url.endsWith('.js') ? 'window.stolen = true' : svg)
    }
    const { context, page } = await newUser(t, browser)
    await context.addCookies([
      { name: sessionCookie(s.gateway.url), value: s.browser.session(s.gateway.url)?.value ?? '', url: s.gateway.url }
    ])
    await page.goto(s.gateway.url)
    for (const file of ['/a.svg', '/a.js'])
      t.equal(await page.evaluate(async url => (await fetch(url, { headers: { 'x-csrf': '1' } })).status, `${s.proxy}${file}`), 200)
    const seen = s.provider.seen.api.length

    await page.goto(otherOrigin)
    for (const [tag, file] of [
      ['img', '/a.svg'],
      ['script', '/a.js']
    ] as const) {
      // As a string: these files are checked without DOM types.
      const result = await page.evaluate(`new Promise(resolve => {
        const element = Object.assign(document.createElement('${tag}'), { src: '${s.proxy}${file}' })
        element.onload = () => resolve('loaded')
        element.onerror = () => resolve('blocked')
        document.body.append(element)
      })`)
      t.equal(result, 'blocked', `${tag} ${JSON.stringify(environment)}`)
    }
    t.notOk(await page.evaluate('window.stolen'))
    t.equal(s.provider.seen.api.length, seen)
  }
})

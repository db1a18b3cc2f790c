import t from 'tap'
import { startConnected } from '../support/connected.ts'
import { sessionCookie } from '../support/cookie-names.ts'
import { newKey, startGateway } from '../support/gateway.ts'

t.test('SEC-23: a cookie of an older key is accepted and encrypted again, on every route', async t => {
  const [oldKey, newestKey, tokenKey] = [newKey(), newKey(), newKey()]
  const dataDir = t.testdir()
  const s = await startConnected(t, { environment: { SESSION_KEYS: oldKey, TOKEN_KEYS: tokenKey, DATA_DIR: dataDir } })
  const port = Number(new URL(s.gateway.url).port)
  await s.gateway.close()

  const environment = { ...s.provider.environment, SESSION_KEYS: `${newestKey},${oldKey}`, TOKEN_KEYS: tokenKey, DATA_DIR: dataDir }
  const rotated = await startGateway(t, { port, clock: s.clock, environment })
  for (const path of ['/', '/connections', '/proxy/productboard/x']) {
    const browser = s.browser.copy()
    const response = await browser.fetch(rotated.url + path)
    t.equal(response.status, 200)
    const resealed = response.headers.getSetCookie().find(cookie => cookie.startsWith(`${sessionCookie(rotated.url)}=`))
    t.ok(resealed, `${path} sets a cookie under the new key`)
    t.equal((await browser.fetch(`${rotated.url}/proxy/productboard/x`)).headers.getSetCookie().length, 0, 'once')
  }
  const renewed = s.browser.copy()
  await renewed.fetch(`${rotated.url}/connections`)
  await rotated.close()

  const after = await startGateway(t, { port, clock: s.clock, environment: { ...environment, SESSION_KEYS: newestKey } })
  t.equal((await renewed.fetch(`${after.url}/proxy/productboard/x`)).status, 200, 'the old key can be removed')
  t.equal((await s.browser.copy().fetch(`${after.url}/proxy/productboard/x`)).status, 401)
})

t.test('SEC-23: a response that shared caches may store never sets a cookie', async t => {
  const [oldKey, newestKey] = [newKey(), newKey()]
  const environment = { TOKEN_KEYS: newKey(), DATA_DIR: t.testdir() }
  const s = await startConnected(t, { environment: { ...environment, SESSION_KEYS: oldKey } })
  const port = Number(new URL(s.gateway.url).port)
  await s.gateway.close()
  const rotated = await startGateway(t, {
    port,
    clock: s.clock,
    environment: { ...s.provider.environment, ...environment, SESSION_KEYS: `${newestKey},${oldKey}` }
  })
  const page = await (await s.browser.copy().request(`${rotated.url}/`)).text()
  for (const path of ['/client.js', ...(page.match(/\/assets\/[\w.-]+/g) ?? [])]) {
    const response = await s.browser.copy().request(rotated.url + path)
    t.match(response.headers.get('cache-control'), /^public/, path)
    t.same(response.headers.getSetCookie(), [], path)
  }
})

t.test('SEC-38: records of a removed token key require a new connection', async t => {
  const dataDir = t.testdir()
  const sessionKey = newKey()
  const s = await startConnected(t, { environment: { SESSION_KEYS: sessionKey, TOKEN_KEYS: newKey(), DATA_DIR: dataDir } })
  const port = Number(new URL(s.gateway.url).port)
  await s.gateway.close()
  const after = await startGateway(t, {
    port,
    clock: s.clock,
    environment: { ...s.provider.environment, SESSION_KEYS: sessionKey, TOKEN_KEYS: newKey(), DATA_DIR: dataDir }
  })
  t.equal((await s.browser.fetch(`${after.url}/proxy/productboard/x`)).status, 401)
  t.equal((await s.browser.fetch(`${after.url}/connections`)).status, 200)
})

t.test('the session cookie is encrypted', async t => {
  const { gateway, browser } = await startConnected(t)
  const value = decodeURIComponent(browser.session(gateway.url)?.value ?? '')
  t.notMatch(Buffer.from(value.split(';')[0] ?? '', 'base64').toString('latin1'), /owner|access|refresh/)
})

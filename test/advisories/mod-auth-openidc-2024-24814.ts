// mod_auth_openidc, CVE-2024-24814: a cookie held the number of chunks of the session, and the server trusted it. With a huge number, a few
// requests kept every worker busy.
//
// Here: no cookie holds a loop count. A session is one cookie and each sign-in in flight is one, so the remaining attack is a large number
// of cookies.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { startConnected } from '../support/connected.ts'
import { flowCookie, sessionCookie } from '../support/cookie-names.ts'
import { assertRawError, sendRaw } from '../support/raw.ts'

t.test('CVE-2024-24814: numbers in cookies have no effect, and flow cookies are limited to five', async t => {
  const { gateway, provider, browser, proxy } = await startConnected(t)
  const port = Number(new URL(gateway.url).port)
  const get = (path: string, cookie: string) =>
    sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nX-CSRF: 1\r\nConnection: close\r\nCookie: ${cookie}\r\n\r\n`)
  const huge = 99_999_999
  const [session, flow] = [sessionCookie(gateway.url), flowCookie(gateway.url)]
  const forged = [
    `${session}_session_chunks=${huge}; ${session}_chunks=${huge}; ${session}-chunks=${huge}; ${session}.${huge}=x; ${session}=${huge}`,
    `${flow}=${huge}; ${flow}-${huge}=x; ${flow}-chunks=${huge}`,
    Array.from({ length: 400 }, (_, i) => `${flow}-${i}=x%3By`).join('; ')
  ]
  for (const cookie of forged) {
    const response = await get('/connections', cookie)
    t.match(response, /^HTTP\/1.1 200 /, cookie.slice(0, 60))
    t.match(response, '"disconnected"')
    t.notMatch(response, /^set-cookie/im)
    assertRawError(t, await get('/proxy/productboard/x', cookie), 401, 'connection_required')
  }
  assertRawError(t, await get('/connections', `${flow}-a=${'x'.repeat(17_000)}`), 431, 'header_rejected')
  t.equal(provider.seen.api.length, 0)

  const many = new Browser()
  for (let i = 0; i < 20; i++) {
    const one = new Browser()
    await one.request(`${gateway.url}/auth/productboard`)
    for (const [key, cookie] of one.cookies) many.cookies.set(key, cookie)
  }
  t.equal(many.cookies.size, 20)
  t.equal((await many.request(`${gateway.url}/auth/productboard`)).status, 302)
  t.equal(many.cookies.size, 5, 'the oldest are deleted')
  t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
})

// oauth2-proxy, CVE-2020-11053, CVE-2020-4037 and CVE-2021-21291: the redirect URL after a sign-in passed the check and still led elsewhere:
// with encoded white space between its slashes, with forms that the fix for that missed, and on a domain that ends like an allowed one.
//
// Here: `return_to` of a provider's sign-in and of its page.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

const hostile = {
  'CVE-2020-11053: white space between slashes': [
    '%09',
    '%0a',
    '%0b',
    '%0c',
    '%0d',
    '%2509',
    '\t',
    '\n',
    '\v',
    '\r',
    ' ',
    '\u2028'
  ].flatMap(space => [`/${space}/evil.example`, `/${space}${space}/evil.example`, `/${space}\\evil.example`, `${space}//evil.example`]),
  'CVE-2020-4037: slashes, backslashes and dots in any order': [
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/./\\evil.example',
    '/a/..//evil.example',
    '/%2f/evil.example',
    '/%5cevil.example',
    '/%2e%2e//evil.example',
    'https:evil.example',
    'https:/evil.example',
    'https:///evil.example',
    'HTTPS://evil.example',
    'javascript://app.example.com/%0aalert(1)',
    'data:text/html,x',
    'evil.example'
  ],
  'CVE-2021-21291: a host that resembles an allowed one': [
    'https://badapp.example.com',
    'https://app.example.com.evil.example',
    'https://sub.app.example.com',
    'https://example.com',
    'https://app.example.com:8443',
    'https://app.example.com@evil.example',
    'https://evil.example/https://app.example.com',
    'https://evil.example#app.example.com',
    'https://evil.example\\.app.example.com',
    'https://app.example.com%2eevil.example',
    'http://app.example.com'
  ]
}

for (const [title, urls] of Object.entries(hostile)) {
  t.test(`${title} starts no sign-in`, async t => {
    const provider = await startFakeProvider(t)
    const gateway = await startGateway(t, { environment: { ...provider.environment, ALLOWED_ORIGINS: 'https://app.example.com' } })
    const browser = new Browser()
    for (const url of urls) {
      for (const page of ['auth', 'connect']) {
        const response = await browser.request(`${gateway.url}/${page}/productboard?return_to=${encodeURIComponent(url)}`)
        await assertProblem(t, response, 400, 'return_to_rejected')
        t.notOk(response.headers.has('location'), encodeURIComponent(url))
      }
    }
    t.equal(browser.cookies.size, 0)

    const allowed = ['/done?next=//evil.example#//evil.example', '/a/b//c', 'https://app.example.com/x?y=1']
    for (const url of allowed) {
      const started = await browser.request(`${gateway.url}/auth/productboard?return_to=${encodeURIComponent(url)}`)
      const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
      const query = new URLSearchParams({ code: 'c', state, return_to: '//evil.example' })
      const ended = await browser.request(`${gateway.url}/auth/productboard/callback?${query}`)
      t.equal(ended.status, 303)
      t.equal(ended.headers.get('location'), url, 'the browser returns to an allowed URL')
    }
  })
}

// oauth2-proxy, CVE-2020-11053, CVE-2020-4037 and CVE-2021-21291: the address to go to after a sign-in was checked, and led elsewhere
// all the same: with encoded white space between its slashes, with what the check for that did not know, and on a domain that
// ends like an allowed one.
//
// Here: `return_to`, at a provider's sign-in and on its page.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { problem } from '../support/connected.ts'
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
  'CVE-2021-21291: a host that looks like an allowed one': [
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

for (const [title, addresses] of Object.entries(hostile)) {
  t.test(`${title} leads to no other origin: nothing is begun`, async t => {
    const provider = await startFakeProvider(t)
    const gateway = await startGateway(t, { environment: { ...provider.environment, ALLOWED_ORIGINS: 'https://app.example.com' } })
    const browser = new Browser()
    for (const address of addresses) {
      for (const page of ['auth', 'connect']) {
        const response = await browser.request(`${gateway.url}/${page}/productboard?return_to=${encodeURIComponent(address)}`)
        await problem(t, response, 400, 'return_to_rejected')
        t.notOk(response.headers.has('location'), encodeURIComponent(address))
      }
    }
    t.equal(browser.cookies.size, 0)

    const allowed = ['/done?next=//evil.example#//evil.example', '/a/b//c', 'https://app.example.com/x?y=1']
    for (const address of allowed) {
      const started = await browser.request(`${gateway.url}/auth/productboard?return_to=${encodeURIComponent(address)}`)
      const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
      const query = new URLSearchParams({ code: 'c', state, return_to: '//evil.example' })
      const ended = await browser.request(`${gateway.url}/auth/productboard/callback?${query}`)
      t.equal(ended.status, 303)
      t.equal(ended.headers.get('location'), address, 'what is allowed is where it ends')
    }
  })
}

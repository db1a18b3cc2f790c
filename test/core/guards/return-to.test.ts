import t from 'tap'
import { appendParams, guardReturnTo } from '../../../src/core/guards/return-to.ts'
import { codeOf, printable } from '../support.ts'

const publicUrl = 'https://connect.example.com'
const origins = new Set([publicUrl, 'https://app.example.com', 'http://localhost:5173'])
const guard = (address: string) => guardReturnTo(address, publicUrl, origins)

const rejected: Record<string, readonly string[]> = {
  'a URL without a scheme, which browsers read as another host': [
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '//evil.example/%2e%2e',
    '//app.example.com/x',
    '//evil.example:443',
    '//[::1]/x'
  ],
  'a backslash, which browsers read as a slash': [
    '/\\evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/a\\b',
    'https:\\\\evil.example',
    '/a?b=\\'
  ],
  'a path that reads as another host once it is decoded': [
    '/%2fevil.example',
    '/%2Fevil.example',
    '/%252fevil.example',
    '/%25252fevil.example',
    '/%5cevil.example',
    '/%5Cevil.example',
    '/%255cevil.example',
    '/a/%5c/b'
  ],
  'a path that reads as another host once it is normalized': [
    '/.//evil.example',
    '/..//evil.example',
    '/%2e//evil.example',
    '/a/..//evil.example',
    '/%2e%2e//evil.example'
  ],
  'a control character or space, bare or encoded in the path': [
    '/\t/evil.example',
    '/%09/evil.example',
    '/%0a/evil.example',
    '/%0d%0aset-cookie:x',
    '/%250a',
    '/%00',
    '/%7f',
    '/a\nb',
    '/a\rb',
    '/a\0b',
    '/a\x7fb',
    '/a\x85b',
    '/a\u2028b',
    ' /a',
    '/a b',
    'https://app.example.com/\n',
    '\thttps://app.example.com/',
    'ht\ntps://app.example.com/'
  ],
  'another scheme': [
    'javascript:alert(1)',
    'javascript://app.example.com/%0aalert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'ftp://app.example.com/',
    'blob:https://app.example.com/1',
    'ws://app.example.com/',
    'view-source:https://app.example.com/'
  ],
  'a scheme without its slashes': [
    'https:evil.example',
    'https:/evil.example',
    'https:app.example.com',
    'https:///app.example.com',
    'http:',
    'https://',
    'https:'
  ],
  'text that is neither a path nor an absolute URL': ['', 'done', './done', '../done', '?a=b', '#a', 'app.example.com/done', '*', 'null'],
  'a user name': [
    'https://app.example.com@evil.example/',
    'https://evil.example@app.example.com/',
    'https://user:password@app.example.com/',
    'https://@app.example.com/',
    'https://:@app.example.com/',
    '//user@connect.example.com/'
  ],
  'a look-alike of an allowed origin': [
    'https://app.example.com.evil.example/',
    'https://evil-app.example.com/',
    'https://evil.app.example.com/',
    'https://app.example.com:8443/',
    'https://app.example.com:80/',
    'https://app.example.com./',
    'http://app.example.com/',
    'https://app.example.co/',
    'https://appXexample.com/',
    'http://localhost:51730/',
    'http://localhost:517/',
    'http://localhost/',
    'https://localhost:5173/',
    'https://app.example.com%2eevil.example/',
    'https://app.example.com%00.evil.example/',
    'https://\u0430pp.example.com/',
    'https://evil.example/https://app.example.com/',
    'https://evil.example?https://app.example.com',
    'https://evil.example#@app.example.com'
  ],
  'an invalid host': ['https://[::1', 'https://a b/', 'https://app.example.com:port/', 'https://%/']
}

for (const [form, addresses] of Object.entries(rejected)) {
  t.test(`SEC-26: ${form} is rejected`, async t => {
    for (const address of addresses)
      t.equal(
        codeOf(() => guard(address)),
        'return_to_rejected',
        printable(address)
      )
  })
}

t.test('SEC-26: an allowed return URL is normalized', async t => {
  for (const [address, normal] of [
    ['/', '/'],
    ['/done', '/done'],
    ['/done?tab=2#top', '/done?tab=2#top'],
    ['/a/../b', '/b'],
    ['/a//b', '/a//b'],
    ['/a%2fb', '/a%2fb'],
    ['/a%20b', '/a%20b'],
    ['/?q=%0A', '/?q=%0A'],
    ['/?q=%0d%0a&r=%00#%0a', '/?q=%0d%0a&r=%00#%0a'],
    ['/?next=//evil.example', '/?next=//evil.example'],
    ['/?next=https://evil.example/%5c', '/?next=https://evil.example/%5c'],
    ['/done#//evil.example', '/done#//evil.example'],
    ['/@me', '/@me'],
    ['/user:1@home', '/user:1@home'],
    ['/100%25', '/100%25'],
    ['/übersicht', '/%C3%BCbersicht'],
    ['/%C3%9Cbersicht', '/%C3%9Cbersicht'],
    ['/Übersicht/日本', '/%C3%9Cbersicht/%E6%97%A5%E6%9C%AC'],
    ['/?q=日', '/?q=%E6%97%A5'],
    ['/#日', '/#%E6%97%A5'],
    ['//connect.example.com/done', '/done'],
    ['https://connect.example.com/done', 'https://connect.example.com/done'],
    ['https://app.example.com', 'https://app.example.com/'],
    ['https://app.example.com/done?a=%0A#x', 'https://app.example.com/done?a=%0A#x'],
    ['https://app.example.com//x', 'https://app.example.com//x'],
    ['https://app.example.com:443/x', 'https://app.example.com/x'],
    ['HTTPS://APP.example.COM/X', 'https://app.example.com/X'],
    ['https://app.example.com/a/../@b', 'https://app.example.com/@b'],
    ['http://localhost:5173/settings', 'http://localhost:5173/settings']
  ] as const) {
    t.equal(guard(address), normal, printable(address))
    t.equal(guard(normal), normal, `${normal} is its own normal form`)
  }
})

t.test('SEC-26: the gateway’s own host is allowed only if its origin is listed', async t => {
  t.equal(
    codeOf(() => guardReturnTo('/done', publicUrl, new Set())),
    'return_to_rejected'
  )
})

t.test('SEC-22: a return URL too long for the flow cookie is rejected, as given or normalized', async t => {
  const longest = `/${'a'.repeat(1999)}`
  t.equal(guard(longest), longest)
  t.equal(
    codeOf(() => guard(`${longest}a`)),
    'return_to_rejected'
  )
  t.equal(
    codeOf(() => guard(`/${'é'.repeat(1000)}`)),
    'return_to_rejected',
    'each é becomes six characters'
  )
  t.equal(
    codeOf(() => guard(`https://app.example.com/?${'日'.repeat(300)}`)),
    'return_to_rejected'
  )
})

t.test('parameters are added before the fragment, and nothing else changes', async t => {
  const params = { connect_error: 'access_denied', provider: 'acme' }
  const added = 'connect_error=access_denied&provider=acme'
  for (const [address, expected] of [
    ['/', `/?${added}`],
    ['/done', `/done?${added}`],
    ['/done#top', `/done?${added}#top`],
    ['/done?a=1', `/done?a=1&${added}`],
    ['/done?a=1#top', `/done?a=1&${added}#top`],
    ['/done#a?b', `/done?${added}#a?b`],
    ['/?q=%0A&x=%2B', `/?q=%0A&x=%2B&${added}`],
    ['https://app.example.com/x#a#b', `https://app.example.com/x?${added}#a#b`]
  ] as const)
    t.equal(appendParams(address, params), expected, address)
  t.equal(appendParams('/', { a: 'b&c=d#é\n' }), '/?a=b%26c%3Dd%23%C3%A9%0A', 'values are encoded')
})

t.test('the outcome of an earlier sign-in is replaced, however it is spelled', async t => {
  const params = { connect_code: 'new', provider: 'acme' }
  for (const query of ['connect_code=old&provider=other', 'connect_error=access_denied&provider=other', 'connect%5Fcode=old', '&'])
    t.equal(appendParams(`/x?a=1&${query}&b=%20#c`, params), '/x?a=1&b=%20&connect_code=new&provider=acme#c')
  t.equal(appendParams('/?connect_codes=1', params), '/?connect_codes=1&connect_code=new&provider=acme')
})

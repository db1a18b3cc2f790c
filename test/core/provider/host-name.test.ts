import t from 'tap'
import { isBelow, isHostName, isPublicHostName } from '../../../src/core/provider/host-name.ts'
import { printable } from '../support.ts'

t.test('a host name is labels of letters, digits and hyphens (RFC 1123 §2.1)', async t => {
  for (const host of ['a', 'A1', 'a-b', 'a.b', 'a'.repeat(63), `${'a.'.repeat(126)}b`, '127.0.0.1', 'xn--80ak6aa92e'])
    t.equal(isHostName(host), true, host)
  for (const host of [
    ...['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'a_b', 'a b', 'a:1', 'a/b', 'a@b', 'a#b', 'a?b', 'a%2eb', 'ä', 'a\n', 'a\0', '[::1]', 'а'],
    'a'.repeat(64),
    `${'a.'.repeat(127)}bc`
  ])
    t.equal(isHostName(host), false, printable(host))
})

t.test('SEC-61: a public host is no IP address in any notation, no private name and no look-alike', async t => {
  for (const host of ['example.com', 'a.b-c.example.co', 'EXAMPLE.com', '1.example.com', 'x.test-shop.com'])
    t.equal(isPublicHostName(host), true, host)
  for (const host of [
    ...[
      'localhost',
      'example',
      'com',
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '10.0.0.1',
      '169.254.169.254'
    ],
    ...[
      '[::1]',
      '::1',
      '[fd00::1]',
      'a.localhost',
      'router.lan',
      'db.internal',
      'metadata.google.internal',
      'x.local',
      'x.home.arpa',
      'x.test'
    ],
    ...['x.example', 'x.invalid', 'x.onion', 'xn--80ak6aa92e.com', 'www.xn--pple-43d.com', 'example.xn--p1ai', 'аpple.com', 'example.com.'],
    ...['example.com:80', 'user@example.com', 'example.com/x', 'example.com#', 'exa mple.com', 'example.c', 'a..com', '']
  ])
    t.equal(isPublicHostName(host), false, printable(host))
})

t.test('a host is below a suffix on a label’s boundary', async t => {
  for (const [host, suffix, is] of [
    ['a.example.com', '.example.com', true],
    ['a.b.example.com', '.example.com', true],
    ['example.com', '.example.com', true],
    ['evilexample.com', '.example.com', false],
    ['example.com.evil.com', '.example.com', false],
    ['com', '.example.com', false]
  ] as const)
    t.equal(isBelow(host, suffix), is, `${host} ${suffix}`)
})

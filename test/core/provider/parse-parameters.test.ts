import t from 'tap'
import { GatewayError } from '../../../src/core/errors.ts'
import type { Parameter, Parameters } from '../../../src/core/provider/parameter.ts'
import { parseParameters } from '../../../src/core/provider/parse-parameters.ts'
import { printable, providerWith } from '../support.ts'

const shop: Parameter = { title: 'Shop', example: 'my-shop', suffix: '.shops.com' }

function outcome(
  parameters: Parameters,
  given: unknown,
  { baseUrl = 'https://{shop}.shops.com', hosts }: { baseUrl?: string; hosts?: string[] } = {}
) {
  const definition = providerWith({ parameters, api: { baseUrl, headers: { 'x-note': '{note}' } } })
  try {
    return parseParameters(definition, parameters, given, hosts)
  } catch (error) {
    if (error instanceof GatewayError) return `${error.code}: ${error.parameter}`
    throw error
  }
}
const refused = (name: string) => `parameters_invalid: ${name}`

t.test('a value is what the vendor’s address has before its suffix, however it is pasted', async t => {
  for (const given of [
    ...[
      'acme',
      ' acme\n',
      'acme.shops.com',
      'https://acme.shops.com',
      'HTTPS://Acme.Shops.com/',
      'https://acme.shops.com/admin?x=1#y',
      '\u200bacme\ufeff'
    ]
  ])
    t.strictSame(outcome({ shop }, { shop: given }), { shop: 'acme' }, printable(given))
})

t.test('SEC-61: a value that could move the host is refused and named', async t => {
  for (const given of [
    ...[undefined, null, 7, true, [], ['acme'], {}, { toString: 'acme' }],
    ...[
      '',
      ' ',
      '\u200b',
      'x'.repeat(256),
      'x'.repeat(10_000),
      'a.b',
      'a.b.shops.com',
      '.shops.com',
      '.',
      '..',
      'a/b',
      '/acme',
      'a\\b',
      'a b'
    ],
    ...[
      'a@b',
      'evil.com/.shops.com',
      'evil.com#.shops.com',
      'evil.com?.shops.com',
      'evil.com\\.shops.com',
      'x@evil.com',
      'x:y@acme.shops.com'
    ],
    ...['https://evil.com/acme.shops.com', 'https://acme.shops.com.evil.com', 'https://acme.shops.com:444', 'http://acme.shops.com'],
    ...[
      'a:1',
      'a%2fb',
      '%61cme',
      'acme%00',
      'acme\0',
      'a\nb',
      'a\tb',
      '-a',
      'a-',
      'a_b',
      'ácme',
      'аcme',
      '日本',
      '\ud800',
      'xn--80ak6aa92e'
    ],
    ...['XN--acme', 'https://xn--acme.shops.com', '127.0.0.1', '[::1]', '{shop}', '<script>', "'", 'acmeevilshops.com']
  ])
    t.equal(outcome({ shop }, { shop: given }), refused('shop'), printable(String(JSON.stringify(given)).slice(0, 60)))
})

t.test('SEC-61: no value leaves its segment of a path, or its header', async t => {
  const at = { baseUrl: 'https://api.acme.com/{shop}/v1' }
  const tenant: Parameter = { title: 'Tenant', example: 'a' }
  for (const given of ['.', '..', '..;x', 'a/b', 'a?b', 'a#b', ';x', '%2e%2e', 'a%2fb', '..%2f', 'a\\b', '%5c', '%00'])
    t.equal(outcome({ shop: tenant }, { shop: given }, at), refused('shop'), given)
  for (const given of ['a b', 'a;b', 'é', '...', 'a..b', '100%'])
    t.strictSame(outcome({ shop: tenant }, { shop: given }, at), { shop: given }, given)
  for (const given of ['é', '日', 'a\u2028b']) t.equal(outcome({ note: tenant }, { note: given }, at), refused('note'), printable(given))
})

t.test('an address of the user’s own is a public host, or one that the operator lists', async t => {
  const server: Parameter = { title: 'Server', example: 'git.example.org', isHost: true }
  const at = { baseUrl: 'https://{shop}/api' }
  for (const given of ['git.acme.com', 'https://Git.Acme.com', 'https://git.acme.com/', ' git.acme.com '])
    t.strictSame(outcome({ shop: server }, { shop: given }, at), { shop: 'git.acme.com' }, given)
  for (const given of [
    ...[
      'localhost',
      '127.0.0.1',
      '127.1',
      '0x7f.0.0.1',
      '2130706433',
      '169.254.169.254',
      '[::1]',
      'db.internal',
      'x.local',
      'git',
      'git.acme.com.'
    ],
    ...[
      'git.acme.com:22',
      'http://git.acme.com',
      'git.acme.com/x',
      'git.acme.com?x',
      'git.acme.com#x',
      'u@git.acme.com',
      'xn--pple-43d.com',
      'аpple.com'
    ]
  ])
    t.equal(outcome({ shop: server }, { shop: given }, at), refused('shop'), printable(given))
  const hosts = ['git.intern.lan']
  t.strictSame(outcome({ shop: server }, { shop: 'git.intern.lan' }, { ...at, hosts }), { shop: 'git.intern.lan' })
  t.equal(outcome({ shop: server }, { shop: 'git.acme.com' }, { ...at, hosts }), refused('shop'))
})

t.test('lists, patterns, defaults and passwords are as the definition says', async t => {
  const region: Parameter = { title: 'Region', example: 'eu', oneOf: { eu: 'Europe', us: 'America' }, default: 'eu' }
  t.strictSame(outcome({ region }, {}), { region: 'eu' })
  t.strictSame(outcome({ region }, { region: '' }), { region: 'eu' })
  for (const given of ['EU', 'mars', '__proto__', 'constructor', 'toString'])
    t.equal(outcome({ region }, { region: given }), refused('region'), given)
  const code: Parameter = { title: 'Code', example: 'a1', pattern: '[a-z]\\d' }
  t.strictSame(outcome({ code }, { code: 'b2' }), { code: 'b2' })
  for (const given of ['b22', 'xb2', 'b2\n2', 'B2']) t.equal(outcome({ code }, { code: given }), refused('code'), printable(given))
  const password: Parameter = { title: 'Password', example: 'x', secret: true, verbatim: true }
  for (const given of [' a ', 'a\tb', '\u200b', 'x'.repeat(4096)])
    t.strictSame(outcome({ password }, { password: given }), { password: given })
  t.equal(outcome({ password }, { password: 'x'.repeat(4097) }), refused('password'))
})

t.test('what is not asked for is refused, and so is what the operator sets', async t => {
  const operators: Parameter = { title: 'Team', example: 'a', operator: true }
  t.strictSame(outcome({ team: operators }, {}), {})
  t.equal(outcome({ team: operators }, { team: 'x' }), refused('team'))
  t.equal(outcome({ shop }, { shop: 'acme', 'a\nb': 'x' }), refused('a?b'))
  t.equal(outcome({ shop }, JSON.parse('{"shop":"acme","__proto__":"x"}')), refused('__proto__'))
  t.equal(outcome({ shop }, Object.create({ shop: 'acme' })), refused('shop'), 'an inherited value is none')
  for (const given of [null, [], 'shop=acme', 7, undefined]) t.equal(outcome({ shop }, given), 'parameters_invalid: undefined')
})

t.test('SEC-40: no error repeats a value', async t => {
  const parameters = { shop, pass: { title: 'Pass', example: 'hidden-example', secret: true } }
  for (const given of [
    { shop: 'canary/x', pass: 'a' },
    { shop: 'acme', pass: `canary\n${'canary'.repeat(2000)}` },
    { shop: 'acme', pass: 'canary\0' }
  ])
    try {
      parseParameters(providerWith({ parameters, api: { baseUrl: 'https://{shop}.shops.com' } }), parameters, given)
      t.fail('it is accepted')
    } catch (error) {
      t.notMatch(String((error as Error).stack), /canary|hidden-example/)
    }
})

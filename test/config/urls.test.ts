import t from 'tap'
import { EnvironmentReader } from '../../src/config/environment.ts'
import { isLoopback, parseOrigin, readUrl } from '../../src/config/urls.ts'

const example = 'https://acme.example.com/x'

function outcome(text: string, kind: 'base' | 'endpoint', production = false): unknown {
  const env = new EnvironmentReader({ A_URL: text })
  const url = readUrl(env, 'A_URL', { production, kind, example })
  return url?.href ?? env.problems.join()
}

t.test('a base loses its trailing slash, and an endpoint keeps it', async t => {
  for (const [text, base, endpoint] of [
    ['https://acme.example.com', 'https://acme.example.com', 'https://acme.example.com/'],
    ['https://acme.example.com/', 'https://acme.example.com', 'https://acme.example.com/'],
    ['https://acme.example.com/v1', 'https://acme.example.com/v1', 'https://acme.example.com/v1'],
    ['https://acme.example.com/v1//', 'https://acme.example.com/v1', 'https://acme.example.com/v1//'],
    ['HTTPS://ACME.example.com:443/V1', 'https://acme.example.com/V1', 'https://acme.example.com/V1'],
    ['http://localhost:8080/v1', 'http://localhost:8080/v1', 'http://localhost:8080/v1'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example', 'https://xn--bcher-kva.example/']
  ] as const) {
    t.equal(outcome(text, 'base'), base, encodeURI(text))
    t.equal(outcome(text, 'endpoint'), endpoint, encodeURI(text))
  }
  t.equal(outcome('https://acme.example.com/x?tenant=1', 'endpoint'), 'https://acme.example.com/x?tenant=1')
})

t.test('an invalid URL is a problem that names the variable and shows an example', async t => {
  const absolute = `A_URL must be an absolute http or https URL, for example A_URL=${example}.`
  const user = `A_URL must not contain a user name or password, for example A_URL=${example}.`
  const fragment = (kind: string) => `A_URL must not contain a ${kind === 'base' ? 'query or ' : ''}fragment, for example A_URL=${example}.`
  for (const kind of ['base', 'endpoint'] as const) {
    for (const text of [
      'acme.example.com',
      '/v1',
      '//acme.example.com',
      'ftp://acme.example.com',
      'https:acme.example.com',
      'https:/acme.example.com',
      'javascript:alert(1)',
      'https://',
      'x'
    ])
      t.equal(outcome(text, kind), absolute, text)
    for (const text of ['https://canary@acme.example.com', 'https://user:canary@acme.example.com', 'https://:canary@acme.example.com'])
      t.equal(outcome(text, kind), user, text)
    for (const text of ['https://acme.example.com/#a', 'https://acme.example.com/#']) t.equal(outcome(text, kind), fragment(kind), text)
  }
  for (const text of ['https://acme.example.com/?a', 'https://acme.example.com/v1?']) t.equal(outcome(text, 'base'), fragment('base'), text)
})

t.test('in production only loopback may be used without TLS', async t => {
  for (const text of ['http://localhost:1/v1', 'http://127.0.0.1:1/v1', 'http://[::1]:1/v1', 'https://acme.example.com/v1'])
    t.equal(outcome(text, 'base', true), text)
  for (const text of ['http://acme.example.com/v1', 'http://10.0.0.1/v1', 'http://0.0.0.0/v1', 'http://localhost.example.com/v1']) {
    t.equal(outcome(text, 'base', true), `A_URL must be https, for example A_URL=${example}.`)
    t.equal(outcome(text, 'base'), text, 'any host in development')
  }
})

t.test('SEC-25: an origin is exactly scheme, host and port', async t => {
  for (const [text, origin] of [
    ['https://app.example.com', 'https://app.example.com'],
    ['https://app.example.com/', 'https://app.example.com'],
    ['https://APP.example.com', 'https://app.example.com'],
    ['http://localhost:5173', 'http://localhost:5173']
  ] as const)
    t.equal(parseOrigin(text)?.origin, origin, text)
  for (const text of [
    '',
    '*',
    'null',
    'app.example.com',
    'https://*.example.com',
    'https://app.example.com/path',
    'https://app.example.com//',
    'https://app.example.com?',
    'https://app.example.com#',
    'https://user@app.example.com',
    'https:app.example.com',
    'https://',
    'file:///x',
    'data:,x',
    'chrome-extension://abc'
  ])
    t.equal(parseOrigin(text), undefined, text)
})

t.test('an origin is parsed into its parts, with the default port of its scheme', async t => {
  for (const [text, parts] of [
    ['https://app.example.com', { host: 'app.example.com', hostname: 'app.example.com', port: 443, isHttps: true }],
    ['https://app.example.com:8443', { host: 'app.example.com:8443', hostname: 'app.example.com', port: 8443, isHttps: true }],
    ['http://localhost', { host: 'localhost', hostname: 'localhost', port: 80, isHttps: false }],
    ['http://[::1]:3000', { host: '[::1]:3000', hostname: '[::1]', port: 3000, isHttps: false }]
  ] as const)
    t.strictSame(parseOrigin(text), { origin: text, ...parts }, text)
})

t.test('loopback hosts are recognized', async t => {
  for (const host of ['localhost', 'app.localhost', '127.0.0.1', '127.1.2.3', '[::1]', '::1']) t.ok(isLoopback(host), host)
  for (const host of [
    '0.0.0.0',
    '::',
    '[::]',
    '10.0.0.1',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '1127.0.0.1',
    'xlocalhost',
    '',
    '128.0.0.1'
  ])
    t.notOk(isLoopback(host), host)
})

import t from 'tap'
import { isPathWithin } from '../../../src/core/guards/path.ts'
import type { Provider } from '../../../src/core/provider/definition.ts'
import type { Placement } from '../../../src/core/provider/request-template.ts'
import { applyCredential, credentialDetector, credentialHeaderNames, rewriteLocation } from '../../../src/core/proxy/credential.ts'
import { Secret } from '../../../src/core/secret.ts'
import { apiKeyWith, connectionWith, oauth2With, providerWith } from '../support.ts'

const baseUrl = 'https://api.acme.example/v1'
const keyed = (...placements: Placement[]): Provider => providerWith({ methods: { apiKey: apiKeyWith(...placements) } })
const granted = connectionWith({ credential: new Secret('TOKEN') })
const key = connectionWith({ method: 'api_key', credential: new Secret('KEY') })
const oddKey = connectionWith({ method: 'api_key', credential: new Secret('k/e+y=?&#') })

const ownHost = 'connect.example.com'

t.test('SEC-16: a grant is sent as a Bearer token by default (RFC 6750 §2.1)', async t => {
  t.strictSame(applyCredential(providerWith(), granted, '/a'), { path: '/v1/a', headers: { authorization: 'Bearer TOKEN' } })
})

t.test('a credential is placed as its method says', async t => {
  for (const [what, placement, connection, target, path, headers] of [
    ['a header', { in: 'header', name: 'x-api-key' }, key, '/a?b=1', '/v1/a?b=1', { 'x-api-key': 'KEY' }],
    ['a header with a prefix', { in: 'header', name: 'authorization', prefix: 'Key ' }, key, '/a', '/v1/a', { authorization: 'Key KEY' }],
    ['Basic', { in: 'basic' }, key, '/a', '/v1/a', { authorization: `Basic ${Buffer.from('KEY:').toString('base64')}` }],
    ['the query', { in: 'query', name: 'api_key' }, key, '/a', '/v1/a?api_key=KEY', {}],
    ['the query, encoded', { in: 'query', name: 'api key' }, oddKey, '/a', '/v1/a?api%20key=k%2Fe%2By%3D%3F%26%23', {}],
    ['the path', { in: 'path', after: '/cal' }, key, '/cal/x?b=1', '/v1/cal/KEY/x?b=1', {}],
    ['the path, encoded', { in: 'path', after: '/cal' }, oddKey, '/cal', '/v1/cal/k%2Fe%2By%3D%3F%26%23', {}]
  ] as const)
    t.strictSame(applyCredential(keyed(placement), connection, target), { path, headers }, what)
})

t.test('each method has its own placements', async t => {
  const provider = providerWith({
    methods: {
      oauth2: oauth2With({ placements: [{ in: 'header', name: 'x-token' }] }),
      apiKey: apiKeyWith({ in: 'header', name: 'x-api-key' })
    }
  })
  t.strictSame(applyCredential(provider, granted, '/a').headers, { 'x-token': 'TOKEN' })
  t.strictSame(applyCredential(provider, key, '/a').headers, { 'x-api-key': 'KEY' })
})

t.test('a definition’s headers are sent with every placement, and the credential overrides them', async t => {
  const headers = { 'x-version': '1', 'x-api-key': 'none' }
  for (const [placement, sent] of [
    [
      { in: 'header', name: 'x-api-key' },
      { 'x-version': '1', 'x-api-key': 'KEY' }
    ],
    [{ in: 'basic' }, { ...headers, authorization: 'Basic S0VZOg==' }],
    [{ in: 'query', name: 'k' }, headers],
    [{ in: 'path', after: '/a' }, headers]
  ] as const)
    t.strictSame(applyCredential({ ...keyed(placement), api: { baseUrl, headers } }, key, '/a').headers, sent, placement.in)
})

t.test('path and query are appended to the base byte for byte', async t => {
  const targets = ['/', '/a/', '/a%2Fb%2fc', '/%E6%97%A5', '/a;v=1', '/100%', '/a?', '/a??b', '/a?b=1&&c=%2b+&d', "/!$&'()*+,=:@~?/../x"]
  for (const url of [
    'https://api.acme.example',
    'https://api.acme.example/',
    'https://api.acme.example/v1',
    'https://api.acme.example/v1/',
    'https://api.acme.example/v1.1/x'
  ]) {
    const base = new URL(url).pathname.replace(/\/$/, '')
    const provider = providerWith({ api: { baseUrl: url } })
    for (const target of targets) t.equal(applyCredential(provider, granted, target).path, base + target, `${url} ${target}`)
  }
})

t.test('a key in the query leaves the rest of the query unchanged', async t => {
  const provider = keyed({ in: 'query', name: 'api_key' })
  for (const [target, path] of [
    ['/a', '/v1/a?api_key=KEY'],
    ['/a?', '/v1/a?api_key=KEY'],
    ['/a?b=1', '/v1/a?b=1&api_key=KEY'],
    ['/a?b=1&&c=%2b+&d', '/v1/a?b=1&&c=%2b+&d&api_key=KEY'],
    ['/a?b=1&', '/v1/a?b=1&&api_key=KEY'],
    ['/a?x_api_key=1&api_key2=2&b=api_key', '/v1/a?x_api_key=1&api_key2=2&b=api_key&api_key=KEY'],
    ['/a?b=?&c', '/v1/a?b=?&c&api_key=KEY']
  ] as const)
    t.equal(applyCredential(provider, key, target).path, path, target)
})

t.test('SEC-16: a client’s query parameter of the key’s name is stripped in any spelling', async t => {
  const provider = keyed({ in: 'query', name: 'api_key' })
  for (const theirs of [
    'api_key=x',
    'api%5Fkey=x',
    'api%5fkey=x',
    '%61pi_key=x',
    'api_key',
    'api_key=',
    'api_key=x&api_key=y',
    'api%5Fkey=x&api_key=y'
  ])
    t.equal(applyCredential(provider, key, `/a?b=1&${theirs}&c=2`).path, '/v1/a?b=1&c=2&api_key=KEY', theirs)
  t.equal(
    applyCredential(keyed({ in: 'query', name: 'api key' }), key, '/a?api+key=x&api%20key=y').path,
    '/v1/a?api%20key=KEY',
    'a space has two encodings'
  )
})

t.test('a key in the path is inserted between segments, or another placement applies', async t => {
  const provider = keyed({ in: 'path', after: '/cal' }, { in: 'header', name: 'api-key' })
  for (const [target, path, headers] of [
    ['/cal', '/v1/cal/KEY', {}],
    ['/cal/', '/v1/cal/KEY/', {}],
    ['/cal?x=1', '/v1/cal/KEY?x=1', {}],
    ['/cal/a/b?x=/cal', '/v1/cal/KEY/a/b?x=/cal', {}],
    ['/calendar', '/v1/calendar', { 'api-key': 'KEY' }],
    ['/a/cal', '/v1/a/cal', { 'api-key': 'KEY' }],
    ['/Cal', '/v1/Cal', { 'api-key': 'KEY' }],
    ['/cal%2Fx', '/v1/cal%2Fx', { 'api-key': 'KEY' }],
    ['/?/cal', '/v1/?/cal', { 'api-key': 'KEY' }]
  ] as const)
    t.strictSame(applyCredential(provider, key, target), { path, headers }, target)
  t.strictSame(
    applyCredential(keyed({ in: 'path', after: '/cal' }), key, '/other'),
    { path: '/v1/other', headers: {} },
    'without another placement no credential is sent'
  )
})

t.test('SEC-28, SEC-34: a Location is rewritten within the API and absolute everywhere else', async t => {
  for (const [location, shown] of [
    ['https://api.acme.example/v1/b', '/proxy/acme/b'],
    ['https://api.acme.example/v1/', '/proxy/acme/'],
    ['https://API.acme.example:443/v1/b?c=%2f#d', '/proxy/acme/b?c=%2f#d'],
    ['//api.acme.example/v1/b', '/proxy/acme/b'],
    ['/v1/b', '/proxy/acme/b'],
    ['b', '/proxy/acme/list/b'],
    ['?page=2', '/proxy/acme/list/1?page=2'],
    ['', '/proxy/acme/list/1?q=1'],
    ['../b', '/proxy/acme/b'],
    ['https://api.acme.example/v1', '/proxy/acme'],
    ['https://api.acme.example/v1?a=%2f#b', '/proxy/acme?a=%2f#b'],
    ['/v1', '/proxy/acme'],
    ['..', '/proxy/acme/'],
    ['https://api.acme.example/v10/b', 'https://api.acme.example/v10/b'],
    ['https://api.acme.example/v1/../v2/b', 'https://api.acme.example/v2/b'],
    ['https://api.acme.example/v1/%2e%2e/v2/b', 'https://api.acme.example/v2/b'],
    ['/login', 'https://api.acme.example/login'],
    ['../../b', 'https://api.acme.example/b'],
    ['http://api.acme.example/v1/b', '/proxy/acme/b'],
    ['http://api.acme.example:80/v1/b?c#d', '/proxy/acme/b?c#d'],
    ['http://api.acme.example:443/v1/b', '/proxy/acme/b'],
    ['http://api.acme.example:8080/v1/b', 'http://api.acme.example:8080/v1/b'],
    ['http://api.acme.example/v2/b', 'http://api.acme.example/v2/b'],
    ['http://api.acme.example.evil.example/v1/b', 'http://api.acme.example.evil.example/v1/b'],
    ['https://api.acme.example:8443/v1/b', 'https://api.acme.example:8443/v1/b'],
    ['https://files.acme.example/v1/b', 'https://files.acme.example/v1/b'],
    ['https://api.acme.example@evil.example/v1/b', 'https://api.acme.example@evil.example/v1/b'],
    ['//evil.example/v1/b', 'https://evil.example/v1/b'],
    ['\\\\evil.example/v1/b', 'https://evil.example/v1/b'],
    ['/\\evil.example', 'https://evil.example/'],
    ['javascript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['blob:https://api.acme.example/1', undefined],
    ['file:///etc/passwd', undefined],
    ['https://', undefined],
    ['https://[', undefined]
  ] as const)
    t.equal(rewriteLocation(providerWith(), granted, { sent: '/v1/list/1?q=1', ownHost }, location), shown, location)
})

t.test('a Location with an alias of the API is rewritten too', async t => {
  const linkBases = ['https://links.acme.example/api/v1', 'https://acme.example:8443']
  const provider = providerWith({ api: { baseUrl: 'https://api.acme.example/v1', linkBases } })
  for (const [location, shown] of [
    ['https://links.acme.example/api/v1/b?c=d', '/proxy/acme/b?c=d'],
    ['http://links.acme.example/api/v1/b', '/proxy/acme/b'],
    ['https://links.acme.example/api/v1', '/proxy/acme'],
    ['//links.acme.example/api/v1/b', '/proxy/acme/b'],
    ['https://links.acme.example/api/v10/b', 'https://links.acme.example/api/v10/b'],
    ['https://links.acme.example/v1/b', 'https://links.acme.example/v1/b'],
    ['https://acme.example:8443/b', '/proxy/acme/b'],
    ['http://acme.example:8443/b', '/proxy/acme/b'],
    ['http://acme.example/b', '/proxy/acme/b'],
    ['https://acme.example/b', 'https://acme.example/b'],
    ['https://links.acme.example/api/v1/b?key=TOKEN', undefined]
  ] as const)
    t.equal(rewriteLocation(provider, granted, { sent: '/v1/list', ownHost }, location), shown, location)
})

t.test('the base itself has no trailing slash, unless it is a bare origin', async t => {
  for (const [baseUrl, path] of [
    ['https://api.acme.example/graphql', '/graphql'],
    ['https://api.acme.example', '/']
  ] as const) {
    const at = (provider: Provider, target: string) =>
      applyCredential({ ...provider, api: { ...provider.api, baseUrl } }, provider.methods.apiKey ? key : granted, target).path
    t.equal(at(providerWith(), ''), path)
    t.equal(at(providerWith(), '?a=%2f'), `${path}?a=%2f`)
    t.equal(at(keyed({ in: 'query', name: 'k' }), ''), `${path}?k=KEY`)
    t.equal(at(keyed({ in: 'query', name: 'k' }), '?a'), `${path}?a&k=KEY`)
    t.equal(at(keyed({ in: 'path', after: '/cal' }), ''), path)
    t.equal(at(providerWith(), '/'), path === '/' ? '/' : `${path}/`, 'the client’s slash stays')
  }
})

t.test('an API without a base path is its whole origin', async t => {
  const provider = providerWith({ api: { baseUrl: 'https://api.acme.example' } })
  t.equal(rewriteLocation(provider, granted, { sent: '/a', ownHost }, '/b'), '/proxy/acme/b')
  t.equal(rewriteLocation(provider, granted, { sent: '/a', ownHost }, 'https://api.acme.example'), '/proxy/acme/')
  t.equal(
    rewriteLocation(provider, granted, { sent: '/a', ownHost }, 'https://api.acme.example//evil.example'),
    '/proxy/acme//evil.example'
  )
  t.equal(rewriteLocation(provider, granted, { sent: '/a', ownHost }, '//evil.example'), 'https://evil.example/')
})

t.test('SEC-16: a Location that contains the credential is dropped, however it is encoded', async t => {
  const secret = 'ab/cd+ef=='
  const connection = connectionWith({ credential: new Secret(secret) })
  const encoded = encodeURIComponent(secret)
  for (const form of [
    secret,
    encoded,
    encoded.toLowerCase(),
    encoded.replaceAll('%', '%25'),
    encodeURIComponent(encodeURIComponent(encoded)),
    `%61${secret.slice(1)}`,
    [...secret].map(c => `%${c.charCodeAt(0).toString(16)}`).join('')
  ]) {
    for (const location of [
      `https://files.acme.example/x?key=${form}`,
      `/v1/x?key=${form}&b=1`,
      `/v1/x#${form}`,
      `/v1/${form}/x`,
      `https://user:${form}@files.acme.example/`
    ])
      t.equal(rewriteLocation(providerWith(), connection, { sent: '/v1/a', ownHost }, location), undefined, location)
  }
  t.equal(
    rewriteLocation(providerWith(), connection, { sent: '/v1/a', ownHost }, '/v1/x?key=ab%2Fcd'),
    '/proxy/acme/x?key=ab%2Fcd',
    'a part of the credential is not detected'
  )
  t.equal(
    rewriteLocation(providerWith(), connection, { sent: '/v1/a', ownHost }, '/v1/x?q=100%'),
    '/proxy/acme/x?q=100%',
    'a malformed encoding stays unchanged'
  )
})

t.test('SEC-16: a relative Location does not reveal a key in the request’s URL', async t => {
  const provider = keyed({ in: 'query', name: 'api_key' })
  const { path } = applyCredential(provider, oddKey, '/a?b=1')
  t.equal(rewriteLocation(provider, oddKey, { sent: path, ownHost }, ''), undefined)
  t.equal(rewriteLocation(provider, oddKey, { sent: path, ownHost }, '#x'), undefined)
  t.equal(rewriteLocation(provider, oddKey, { sent: path, ownHost }, '?b=2'), '/proxy/acme/a?b=2')
})

t.test('SEC-16: a header that repeats the credential is detected where the URL has it', async t => {
  for (const placement of [
    { in: 'path', after: '/cal' },
    { in: 'query', name: 'k' }
  ] as const) {
    const repeats = credentialDetector(keyed({ in: 'header', name: 'x-api-key' }, placement), oddKey)
    for (const text of [
      '<https://api.acme.example/v1/cal/k%2Fe%2By%3D%3F%26%23?page=2>; rel="next"',
      'k/e+y=?&#',
      'u=k%252Fe%252By%253D%253F%2526%2523'
    ])
      t.equal(repeats?.(text), true, text)
    t.equal(repeats?.('<https://api.acme.example/v1/cal/k%2Fe?page=2>; rel="next"'), false)
  }
  t.equal(credentialDetector(keyed({ in: 'header', name: 'x-api-key' }), oddKey), undefined)
  t.equal(credentialDetector(keyed({ in: 'basic' }), oddKey), undefined)
  t.equal(credentialDetector(providerWith(), granted), undefined)
})

t.test('SEC-29: a client’s header is stripped where another placement uses its name', async t => {
  t.strictSame(credentialHeaderNames(keyed({ in: 'path', after: '/cal' }, { in: 'header', name: 'api-key' }), key), ['api-key'])
  t.strictSame(credentialHeaderNames(providerWith(), granted), [])
})

t.test('the path that is sent is below the base for every placement', async t => {
  for (const placement of [
    { in: 'header', name: 'k' },
    { in: 'query', name: 'k' },
    { in: 'path', after: '/cal' },
    { in: 'basic' }
  ] as const)
    for (const target of ['/', '/cal', '/cal/x', '/a?b'])
      t.ok(
        isPathWithin(new URL(applyCredential(keyed(placement), oddKey, target).path, baseUrl).pathname, '/v1'),
        `${placement.in} ${target}`
      )
})

t.test('SEC-30: a Location that points to the gateway’s own origin is dropped', async t => {
  const shown = (location: string) => rewriteLocation(providerWith(), granted, { sent: '/v1/a', ownHost }, location)
  for (const location of [
    'https://connect.example.com/logout',
    'https://CONNECT.example.com:443/proxy/other/x',
    'http://connect.example.com/connections/acme',
    '//connect.example.com/logout',
    '\\\\connect.example.com\\logout',
    'https://user@connect.example.com/'
  ])
    t.equal(shown(location), undefined, location)
  t.equal(shown('https://connect.example.com.other.example/x'), 'https://connect.example.com.other.example/x')
  t.equal(shown('https://connect.example.com:8443/x'), 'https://connect.example.com:8443/x')
})

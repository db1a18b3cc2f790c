import t, { type Test } from 'tap'
import type { Provider } from '../../src/core/provider/definition.ts'
import { assertProblem } from '../support/connected.ts'
import { json, tokens } from '../support/fake-provider.ts'
import { newKey } from '../support/gateway.ts'
import { playDefinition } from '../support/played-definition.ts'

const help = { steps: ['Copy the key.'] }

/** A provider with three bases, of which one has its own placement. */
const setUp = async (t: Test) => {
  const s = await playDefinition(t, origin => ({
    api: {
      baseUrl: `${origin}/api`,
      bases: {
        uploads: `${origin}/up`,
        pages: { url: `${origin.replace('127.0.0.1', 'localhost')}/pages`, placements: [{ in: 'header', name: 'x-page-key' }] }
      }
    },
    methods: { apiKey: { placements: [{ in: 'header', name: 'x-api-key' }], help } }
  }))
  t.equal((await s.paste('key-canary')).status, 201)
  return s
}

t.test('a base is chosen in the path, with or without an account, in either order', async t => {
  const s = await setUp(t)
  const { id } = await s.connection()
  for (const [segment, path] of [
    ['acme', '/api/x?a=%20b'],
    ['acme~uploads', '/up/x?a=%20b'],
    [`acme~uploads@${id}`, '/up/x?a=%20b'],
    [`acme@${id}~uploads`, '/up/x?a=%20b'],
    ['acme%7Euploads', '/up/x?a=%20b'],
    ['acme~pages', '/pages/x?a=%20b']
  ] as const) {
    t.equal((await s.request('/x?a=%20b', segment)).status, 200, segment)
    t.equal(s.provider.seen.api.at(-1)?.url, path, segment)
  }
  await s.request('', 'acme~uploads')
  t.equal(s.provider.seen.api.at(-1)?.url, '/up', 'the base itself')
})

t.test('a base that the definition does not have is 404 and names those that there are', async t => {
  const s = await setUp(t)
  const { id } = await s.connection()
  for (const segment of ['acme~upload', 'acme~', 'acme~uploads~pages', 'acme~__proto__', 'acme~constructor', `acme~x@${id}`]) {
    const problem = await assertProblem(t, await s.request('/x', segment), 404, 'provider_unknown')
    t.match(problem.detail, /There are: uploads, pages/, segment)
  }
  t.match((await assertProblem(t, await s.request('/x', 'acme~upload'), 404, 'provider_unknown')).detail, /Did you mean uploads\?/)
  await assertProblem(t, await s.request('/x', 'other~uploads'), 404, 'provider_unknown')
  for (const segment of ['acme~uploads@other', 'acme@other~uploads', 'acme@~uploads'])
    await assertProblem(t, await s.request('/x', segment), 404, 'connection_unknown')
  t.equal(s.provider.seen.api.length, 0)
})

t.test('a problem names the provider, whatever base and account the path names', async t => {
  const s = await setUp(t)
  const { id } = await s.connection()
  s.provider.api = (_, r) => void r.destroy()
  for (const segment of ['acme', 'acme~uploads', `acme~uploads@${id}`, `acme@${id}~uploads`])
    t.match(await assertProblem(t, await s.request('/x', segment), 502, 'provider_unavailable'), { provider: 'acme' }, segment)
})

t.test('SEC-16: the credential of a base is placed as that base says, and reaches no other', async t => {
  const s = await setUp(t)
  const sent = async (segment: string) => {
    await s.request('/x', segment)
    const { headers } = s.provider.seen.api.at(-1) as { headers: Record<string, string> }
    return [headers['x-api-key'], headers['x-page-key'], headers.host?.replace(/:\d+/, '')]
  }
  t.same(await sent('acme'), ['key-canary', undefined, '127.0.0.1'])
  t.same(await sent('acme~uploads'), ['key-canary', undefined, '127.0.0.1'])
  t.same(await sent('acme~pages'), [undefined, 'key-canary', 'localhost'])
})

t.test('a Location within any base becomes its /proxy address and keeps the account that the path named', async t => {
  const s = await setUp(t)
  const { id } = await s.connection()
  const location = async (segment: string, to: string) => {
    s.provider.api = (_, r) => void r.writeHead(302, { location: to }).end()
    return (await s.request('/x', segment)).headers.get('location')
  }
  const { origin } = s.provider
  t.equal(await location('acme', `${origin}/api/y?z`), '/proxy/acme/y?z')
  t.equal(await location('acme', `${origin}/up/y`), '/proxy/acme~uploads/y')
  t.equal(await location('acme~uploads', '/up/y'), '/proxy/acme~uploads/y')
  t.equal(await location('acme~uploads', `${origin}/api/y`), '/proxy/acme/y')
  t.equal(await location('acme', `${origin.replace('127.0.0.1', 'localhost')}/pages/y`), '/proxy/acme~pages/y')
  t.equal(await location('acme~pages', '/elsewhere'), `${origin.replace('127.0.0.1', 'localhost')}/elsewhere`)
  t.equal(await location(`acme@${id}`, `${origin}/up/y`), `/proxy/acme~uploads@${id}/y`)
  t.equal(await location(`acme~uploads@${id}`, `${origin}/api/y`), `/proxy/acme@${id}/y`)
})

t.test('GET /connections tells the URLs of all bases', async t => {
  const s = await setUp(t)
  const { origin } = s.provider
  t.match(await s.connection(), {
    apiUrls: [`${origin}/api`],
    apiBases: { uploads: `${origin}/up`, pages: `${origin.replace('127.0.0.1', 'localhost')}/pages` }
  })
})

t.test('a link may be to another base', async t => {
  const s = await setUp(t)
  const { url } = (await (await s.send('POST', '/links', { provider: 'acme', base: 'uploads', path: '/7?size=2' })).json()) as {
    url: string
  }
  t.equal((await fetch(url)).status, 200)
  t.equal(s.provider.seen.api.at(-1)?.url, '/up/7?size=2')
  await assertProblem(t, await s.send('POST', '/links', { provider: 'acme', base: 'other', path: '/7' }), 404, 'provider_unknown')
  await assertProblem(t, await s.send('POST', '/links', { provider: 'acme', base: 7, path: '/7' }), 400, 'parameters_invalid')
})

t.test('SEC-56: a refusal at one base is not remembered for the same path of another', async t => {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/api`, bases: { uploads: `${origin}/up` } },
    methods: { oauth2: oauth2At(origin) }
  }))
  await s.signIn()
  s.provider.api = ({ url }, r) => json(r, url.startsWith('/up') ? 401 : 200, {})
  t.equal((await s.request('/x', 'acme~uploads')).status, 401)
  t.equal(s.provider.seen.token.length, 2, 'renewed once')
  t.equal((await s.request('/x')).status, 200)
  s.provider.api = (_, r) => json(r, 401, {})
  t.equal((await s.request('/x')).status, 401)
  t.equal(s.provider.seen.token.length, 3, 'the other base has not been refused before')
})

t.test('parameters and headers of the definition replace those of the client', async t => {
  const s = await playDefinition(t, origin => ({
    parameters: { shop: { title: 'Shop', example: 'acme' } },
    api: { baseUrl: `${origin}/{shop}/api`, query: { 'api-version': '7.1', shop: '{shop}' }, headers: { 'x-shop': 'is {shop}' } },
    methods: { apiKey: { placements: [{ in: 'query', name: 'key' }], help } }
  }))
  t.equal((await s.paste({ apiKey: 'key-canary', parameters: { shop: 'fern hill' } })).status, 201)
  const response = await s.browser.fetch(`${s.gateway.url}/proxy/acme/x?a=1&api-version=1&%61pi%2Dversion=2&shop=evil&key=mine`, {
    headers: { 'x-shop': 'evil', X_Shop: 'evil' }
  })
  t.equal(response.status, 200)
  const { url, headers } = s.provider.seen.api.at(-1) as { url: string; headers: Record<string, string> }
  t.equal(url, '/fern%20hill/api/x?a=1&api-version=7.1&shop=fern%20hill&key=key-canary')
  t.same([headers['x-shop'], headers.x_shop], ['is fern hill', undefined])
})

t.test('a connection that lacks what the definition needs by now has to be made again', async t => {
  const DATA_DIR = t.testdir()
  const keys = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR }
  const methods = { apiKey: { placements: [{ in: 'header', name: 'x-api-key' }], help } } as const
  const s = await playDefinition(t, origin => ({ api: { baseUrl: `${origin}/api` }, methods }), { environment: keys })
  await s.paste('key-canary')
  await s.gateway.close()
  const needy: Provider = {
    ...s.definition,
    parameters: { shop: { title: 'Shop', example: 'acme' } },
    api: { baseUrl: `${s.provider.origin}/{shop}` },
    methods
  }
  const later = await s.reopen(needy)
  const problem = await assertProblem(t, await s.browser.fetch(`${later.url}/proxy/acme/x`), 401, 'reconnect_required')
  t.match(problem.detail, /Acme needs a value that this connection was made without: shop\./)
  t.equal(s.provider.seen.api.length, 0)
  const { connections } = (await (await s.browser.fetch(`${later.url}/connections`)).json()) as { connections: object[] }
  t.notOk('apiUrls' in (connections[0] ?? {}), 'there are none to tell')
})

t.test('a base whose value the connection lacks is refused alone, and an optional token is placed', async t => {
  const s = await playDefinition(t, origin => ({
    api: {
      baseUrl: `${origin}/api`,
      bases: {
        site: `${origin}/{site}`,
        user: { url: `${origin}/user`, placements: [{ in: 'header', name: 'authorization', value: 'Bearer {user_token}' }] }
      }
    },
    methods: {
      oauth2: {
        ...oauth2At(origin),
        values: {
          site: { from: 'token', pointer: '/site', optional: true, example: 'a' },
          user_token: { from: 'token', pointer: '/user/token', optional: true, secret: true, example: 'b' }
        }
      }
    }
  }))
  await s.signIn()
  t.equal((await s.request('/x')).status, 200)
  for (const [segment, missing] of [
    ['acme~site', /without: site\./],
    ['acme~user', /without: user_token\./]
  ] as const)
    t.match((await assertProblem(t, await s.request('/x', segment), 401, 'reconnect_required')).detail, missing)
  t.match(await s.connection(), { status: 'connected', apiBases: { user: /\/user$/, site: undefined } })
  s.provider.token = (_, r) => json(r, 200, tokens({ site: 'fern', user: { token: 'user-canary' } }))
  await s.signIn()
  t.equal((await s.request('/x', 'acme~site')).status, 200)
  t.equal((await s.request('/x', 'acme~user')).status, 200)
  t.equal(s.provider.seen.api.at(-1)?.headers.authorization, 'Bearer user-canary')
  t.notMatch(s.gateway.logs.join('') + JSON.stringify(await s.connection()), /user-canary/)
})

t.test('after a renewal a request goes where the new token says', async t => {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/{home}/api` },
    methods: { oauth2: { ...oauth2At(origin), values: { home: { from: 'token', pointer: '/home', example: 'na1' } } } }
  }))
  s.provider.token = (_, r) => json(r, 200, tokens({ home: 'na1' }))
  await s.signIn()
  s.provider.token = (_, r) => json(r, 200, tokens({ home: 'eu7' }))
  s.provider.api = ({ url }, r) => json(r, url.startsWith('/na1/') ? 401 : 200, { url })
  t.same(await (await s.request('/x?y')).json(), { url: '/eu7/api/x?y' })
  t.match(await s.connection(), { apiUrls: [/\/eu7\/api$/] })
})

const oauth2At = (origin: string): NonNullable<Provider['methods']['oauth2']> => ({
  authorizeUrl: `${origin}/authorize`,
  tokenUrl: `${origin}/token`,
  scopes: ['read'],
  clientAuthentication: 'body',
  help
})

import t, { type Test } from 'tap'
import type { ApiKeyMethod, Provider } from '../../src/core/provider/definition.ts'
import { assertProblem } from '../support/connected.ts'
import { type FakeProvider, json } from '../support/fake-provider.ts'
import { type PlayedDefinition, playDefinition } from '../support/played-definition.ts'

const help = { steps: ['Copy the key.'] }
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** A help desk with a subdomain in its address, a key of two fields, and `EMAIL/token` as user name. */
const helpDesk = (t: Test, apiKey: Partial<ApiKeyMethod> = {}, more: Partial<Provider> = {}) =>
  playDefinition(t, origin => ({
    parameters: { subdomain: { title: 'Subdomain', example: 'acme', suffix: '.helpdesk.example.com', pattern: '[a-z0-9]+' } },
    api: { baseUrl: `${origin}/{subdomain}/api/v2` },
    methods: {
      apiKey: {
        fields: {
          email: { title: 'Email', example: 'ada@example.com', pattern: '[^\\s@:]+@[^\\s@:]+' },
          key: { title: 'API token', example: 'abc', secret: true }
        },
        placements: [{ in: 'basic', username: '{email}/token', password: '{key}' }],
        check: { path: '/users/me', status: 200, expect: { pointer: '/user/id' } },
        account: { from: 'check', id: '/user/id', name: '/user/name' },
        help,
        ...apiKey
      }
    },
    ...more
  }))

const good = {
  fields: { email: 'ada@example.com', key: 'token-canary' },
  parameters: { subdomain: 'https://fernhill.helpdesk.example.com/agent' }
}
const respond: FakeProvider['api'] = ({ headers, url }, r) =>
  headers.authorization === basic('ada@example.com/token', 'token-canary')
    ? json(r, 200, { user: { id: 7, name: 'Ada' }, url })
    : json(r, 401, {})

t.test('SEC-39: a key of several fields is checked, stored and placed as the definition says', async t => {
  const s = await helpDesk(t)
  s.provider.api = respond
  const response = await s.paste(good)
  t.equal(response.status, 201)
  const body = await response.text()
  t.match(JSON.parse(body), { provider: 'acme', status: 'connected', method: 'api_key', account: 'Ada', apiUrls: [/\/fernhill\/api\/v2$/] })
  t.equal(s.provider.seen.api.at(-1)?.url, '/fernhill/api/v2/users/me')
  t.match(await (await s.request('/tickets?a=1')).json(), { url: '/fernhill/api/v2/tickets?a=1' })
  t.notMatch(body + s.gateway.logs.join(''), /token-canary/)
  t.equal((await s.paste({ ...good, fields: { email: 'ada@example.com' }, apiKey: 'token-canary' })).status, 201, 'apiKey is the field key')
})

t.test('SEC-61: fields and parameters that are missing, unknown or malformed are named, and nothing is sent', async t => {
  const s = await helpDesk(t)
  const { fields, parameters } = good
  for (const [body, parameter] of [
    [{ fields }, 'subdomain'],
    [{ fields, parameters: {} }, 'subdomain'],
    [{ fields: { key: 'k' }, parameters }, 'email'],
    [{ fields: { ...fields, email: 'ada' }, parameters }, 'email'],
    [{ fields: { ...fields, email: ['ada@example.com'] }, parameters }, 'email'],
    [{ fields: { ...fields, mail: 'x' }, parameters }, 'mail'],
    [{ fields, parameters: { ...parameters, shop: 'x' } }, 'shop'],
    [{ fields, parameters: { ...parameters, __proto__: undefined, constructor: 'x' } }, 'constructor'],
    [{ fields: [], parameters }, 'fields'],
    [{ fields: 'x', parameters }, 'fields'],
    [{ fields: null, parameters }, 'fields'],
    [{ apiKey: 'x', fields, parameters }, 'key'],
    ...[
      '',
      'x'.repeat(10_000),
      'a/b',
      '..',
      '.',
      'a@b',
      'a#b',
      'a%2fb',
      'a:1',
      '127.0.0.1',
      'xn--80ak6aa92e',
      'аcme',
      'evil.com#.helpdesk.example.com',
      'a b',
      'a\nb',
      7,
      null,
      {}
    ].map(subdomain => [{ fields, parameters: { subdomain } }, 'subdomain'] as const)
  ] as const) {
    const response = await s.paste(body)
    const problem = await assertProblem(t, response, 400, 'parameters_invalid')
    t.equal((problem as { parameter?: string }).parameter, parameter, JSON.stringify(body).slice(0, 200))
    t.notMatch(problem.detail, /token-canary|xxxx/)
  }
  for (const key of [undefined, '', 'two words', 'kéy', 7, 'x'.repeat(5_000)])
    t.match(await assertProblem(t, await s.paste({ fields: { ...fields, key }, parameters }), 400, 'api_key_malformed'), {
      parameter: 'key'
    })
  t.equal(s.provider.seen.api.length, 0)
})

t.test('a field of the wrong name is answered with the right one', async t => {
  const s = await helpDesk(t)
  const { detail } = await assertProblem(
    t,
    await s.paste({ fields: { ...good.fields, emial: 'x' }, parameters: good.parameters }),
    400,
    'parameters_invalid'
  )
  t.match(detail, /Did you mean email\?/)
})

t.test('a key without a check is taken as it is, and a password as it is typed', async t => {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/api` },
    methods: {
      apiKey: {
        fields: {
          user: { title: 'User', example: 'ada' },
          key: { title: 'Password', example: 'secret', secret: true, verbatim: true },
          tenant: { title: 'Tenant', example: 'eu', oneOf: { eu: 'Europe', us: 'America' }, default: 'eu' }
        },
        placements: [{ in: 'basic', username: '{user}', password: '{key}' }],
        help
      }
    }
  }))
  const password = ' Pässwörd: with blanks and "quotes" '
  t.equal((await s.paste({ fields: { user: 'ada', key: password } })).status, 201)
  t.equal(s.provider.seen.api.length, 0, 'nothing is asked')
  t.equal((await s.request()).status, 200)
  t.equal(s.provider.seen.api[0]?.headers.authorization, basic('ada', password))
  await assertProblem(t, await s.paste({ fields: { user: 'ada', key: '' } }), 400, 'api_key_malformed')
  const { detail } = await assertProblem(t, await s.paste({ fields: { user: 'ada', key: 'x', tenant: 'mars' } }), 400, 'parameters_invalid')
  t.match(detail, /must be one of eu, us/)
})

t.test('a password that no header can hold is refused where a header is to hold it', async t => {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/api` },
    methods: {
      apiKey: {
        fields: { key: { title: 'Key', example: 'k', verbatim: true } },
        placements: [{ in: 'header', name: 'x-api-key', value: 'Token {key}' }],
        help
      }
    }
  }))
  for (const key of ['schlüssel', 'a\r\nX-Evil: 1', 'a\0b', '\ud800'])
    await assertProblem(t, await s.paste({ fields: { key } }), 400, 'api_key_malformed')
  t.equal((await s.paste({ fields: { key: 'a b' } })).status, 201)
  await s.request()
  t.equal(s.provider.seen.api[0]?.headers['x-api-key'], 'Token a b')
})

t.test('a part of the key chooses the server', async t => {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/{dc}/3.0` },
    methods: {
      apiKey: {
        placements: [{ in: 'basic', username: 'any', password: '{key}' }],
        values: { dc: { from: 'key', pattern: '.*-([a-z]{2}\\d+)', example: 'abc-us21' } },
        check: { path: '/ping', status: 200 },
        help
      }
    }
  }))
  t.equal((await s.paste('abc-us21')).status, 201)
  t.equal(s.provider.seen.api[0]?.url, '/us21/3.0/ping')
  for (const key of ['abc', 'abc-us21/..', 'abc-US21']) {
    const { detail } = await assertProblem(t, await s.paste(key), 400, 'api_key_malformed')
    t.match(detail, /its dc cannot be read/)
  }
  t.equal(s.provider.seen.api.length, 1)
})

t.test('SEC-16, SEC-40: no secret of a connection is shown, whatever a response repeats', async t => {
  const s = await playDefinition(t, origin => ({
    parameters: { hidden: { title: 'Hidden', example: 'h', secret: true } },
    api: { baseUrl: `${origin}/api`, headers: { 'x-hidden': '{hidden}' }, query: { app: '{hidden}' } },
    methods: {
      apiKey: {
        fields: {
          key: { title: 'Key', example: 'k' },
          pass: { title: 'Pass', example: 'p', secret: true }
        },
        placements: [{ in: 'basic', username: '{pass}', password: '{key}' }],
        help
      }
    }
  }))
  const response = await s.paste({ fields: { key: 'key-canary', pass: 'pass-canary' }, parameters: { hidden: 'hidden-canary' } })
  t.equal(response.status, 201)
  let shown = await response.text()
  for (const secret of ['key-canary', 'pass-canary', 'hidden-canary', 'hidden%2Dcanary']) {
    const { origin } = s.provider
    s.provider.api = (_, r) => void r.writeHead(302, { location: `${origin}/api/y?t=${secret}`, 'x-request': `/x?app=${secret}` }).end()
    const { headers } = await s.request()
    t.equal(headers.get('location'), null, secret)
    t.equal(headers.get('x-request'), null, 'the query holds a secret, so other headers are searched too')
    shown += JSON.stringify([...headers])
  }
  shown += JSON.stringify(await s.connection()) + s.gateway.logs.join('')
  t.notMatch(shown, /canary/)
})

t.test('two users of one password are two accounts, and one is one', async t => {
  const s = await helpDesk(t, { check: undefined as never, account: undefined as never })
  const add = async (email: string) => {
    const { fields, parameters } = good
    return (await s.paste({ fields: { ...fields, email }, parameters, account: 'add' })).json() as Promise<{ id: string }>
  }
  const [ada, bob, again] = [await add('ada@example.com'), await add('bob@example.com'), await add('ada@example.com')]
  t.not(ada.id, bob.id)
  t.equal(again.id, ada.id)
})

/** A provider of client credentials: the key and an id are exchanged for an access token. */
const exchanging = (t: Test, apiKey: Partial<ApiKeyMethod> = {}) =>
  playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/api` },
    methods: {
      apiKey: {
        fields: {
          id: { title: 'Client ID', example: 'id' },
          key: { title: 'Client secret', example: 's', secret: true, verbatim: true }
        },
        tokenRequest: {
          url: `${origin}/token`,
          params: { grant_type: 'client_credentials' },
          basic: { username: '{id}', password: '{key}' }
        },
        placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
        help,
        ...apiKey
      }
    }
  }))
const fields = { id: 'id-1', key: 'secret canary' }
const issue: FakeProvider['token'] = ({ headers }, r) =>
  headers.authorization === basic('id-1', 'secret canary')
    ? json(r, 200, { access_token: `token-${issued++}`, token_type: 'bearer', expires_in: 3600 })
    : json(r, 401, { error: 'invalid_client' })
let issued = 1

t.test('fields that are exchanged for an access token are used with it, and exchanged anew when it is refused', async t => {
  const s = await exchanging(t)
  s.provider.token = issue
  const response = await s.paste({ fields })
  t.equal(response.status, 201)
  t.match(await response.json(), { status: 'connected', method: 'api_key' })
  const first = `Bearer token-${issued - 1}`
  s.provider.api = ({ headers }, r) => json(r, headers.authorization === first ? 401 : 200, {})
  t.equal((await s.request()).status, 200)
  t.same(
    s.provider.seen.api.map(({ headers }) => headers.authorization),
    [first, `Bearer token-${issued - 1}`]
  )
  t.equal(s.provider.seen.token.length, 2)
  t.notMatch(s.gateway.logs.join(''), /canary/)
})

t.test('a refused exchange is 422, an unreachable one 502, and nothing is stored', async t => {
  const s = await exchanging(t)
  s.provider.token = issue
  await assertProblem(t, await s.paste({ fields: { ...fields, key: 'other' } }), 422, 'api_key_rejected')
  s.provider.token = (_, r) => json(r, 400, { error: 'invalid_grant' })
  await assertProblem(t, await s.paste({ fields }), 422, 'api_key_rejected')
  for (const token of [
    (_: unknown, r: Parameters<FakeProvider['token']>[1]) => json(r, 503, {}),
    (_: unknown, r: Parameters<FakeProvider['token']>[1]) => void r.destroy(),
    (_: unknown, r: Parameters<FakeProvider['token']>[1]) => json(r, 200, { nothing: true })
  ]) {
    s.provider.token = token
    await assertProblem(t, await s.paste({ fields }), 502, 'provider_unavailable')
  }
  t.match(await s.connection(), { status: 'disconnected' })
  t.equal(s.browser.cookies.size, 0)
})

t.test('a token whose check fails is given back', async t => {
  const s = await playedWithRevocation(t)
  s.provider.token = issue
  s.provider.api = (_, r) => json(r, 401, {})
  await assertProblem(t, await s.paste({ fields }), 422, 'api_key_rejected')
  while (s.provider.seen.revoke.length === 0) await new Promise(resolve => setImmediate(resolve))
  t.match(s.provider.seen.revoke[0]?.body.toString(), /token=token-\d+/)
})

const playedWithRevocation = async (t: Test): Promise<PlayedDefinition> => {
  const s = await playDefinition(t, origin => ({
    api: { baseUrl: `${origin}/api` },
    methods: {
      apiKey: {
        fields: {
          id: { title: 'Client ID', example: 'id' },
          key: { title: 'Client secret', example: 's', secret: true, verbatim: true }
        },
        tokenRequest: {
          url: `${origin}/token`,
          params: { grant_type: 'client_credentials' },
          basic: { username: '{id}', password: '{key}' }
        },
        revokeRequest: { url: `${origin}/revoke`, params: { token: '{access_token}' } },
        placements: [{ in: 'header', name: 'authorization', prefix: 'Bearer ' }],
        check: { path: '/me', status: 200 },
        help
      }
    }
  }))
  return s
}

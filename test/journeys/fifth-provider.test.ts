import { join } from 'node:path'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { json, startFakeProvider } from '../support/fake-provider.ts'
import { startGateway } from '../support/gateway.ts'

const defineProviderPath = join(import.meta.dirname, '..', '..', 'src', 'core', 'provider', 'define-provider.ts')

const definition = `
import { defineProvider } from ${JSON.stringify(defineProviderPath)}

export default defineProvider({
  name: 'fifth-one',
  title: 'Fifth One',
  description: 'A vendor with habits of its own',
  color: '#123456',
  api: { baseUrl: 'https://api.fifth.example/v9', headers: { 'x-version': '9' }, methods: ['GET'], paths: ['/open'] },
  methods: {
    oauth2: {
      authorizeUrl: 'https://fifth.example/authorize',
      tokenUrl: 'https://fifth.example/token',
      scopes: ['a', 'b'],
      scopeSeparator: ',',
      clientAuthentication: 'basic',
      tokenRequestFormat: 'json',
      authorizeParams: { audience: 'api' },
      tokenResponse: { accessToken: '/data/token', refreshToken: '/data/again', expiresIn: '/data/seconds', tokenType: '' },
      account: { from: 'token', id: '/data/team/id', name: '/data/team/name' },
      refusals: [{ pointer: '/data/no', oneOf: [17], means: 'invalid_grant' }],
      placements: [{ in: 'header', name: 'x-token', prefix: 'T ' }],
      help: { steps: ['Allow it.'] }
    }
  },
  sources: [{ facts: 'all of it', confidence: 'vendor', from: 'this test', checked: '2026-11-21' }]
})
`

t.test('a new provider needs one file only, quirks included', async t => {
  const folder = t.testdir({ providers: { 'fifth-one.ts': definition }, data: {} })
  const provider = await startFakeProvider(t, 'FIFTH_ONE')
  let count = 0
  provider.token = (_, r) =>
    json(r, 200, { data: { token: `token-${++count}`, again: 'again', seconds: 3600, team: { id: 7, name: 'Fernhill Tea' } } })
  const gateway = await startGateway(t, {
    definitions: await loadProviders(join(folder, 'providers')),
    environment: { ...provider.environment, DATA_DIR: join(folder, 'data') }
  })
  const browser = new Browser()

  const redirect = await browser.request(`${gateway.url}/auth/fifth-one`)
  const query = new URL(redirect.headers.get('location') ?? '').searchParams
  t.match(Object.fromEntries(query), { scope: 'a,b', audience: 'api' })
  t.equal((await signIn(gateway, browser, 'fifth-one')).status, 303)
  const [exchange] = provider.seen.token
  t.equal(exchange?.headers['content-type'], 'application/json')
  t.match(exchange?.headers.authorization, /^Basic /)
  t.match(JSON.parse(exchange?.body.toString() ?? ''), { grant_type: 'authorization_code', code_verifier: /./ })

  const { connections } = (await (await browser.fetch(`${gateway.url}/connections`)).json()) as { connections: unknown[] }
  t.match(connections, [{ provider: 'fifth-one', status: 'connected', account: 'Fernhill Tea', scopes: ['a', 'b'] }])

  provider.api = (seen, r) => (seen.headers['x-token'] === 'T token-2' ? json(r, 200, {}) : json(r, 401, {}))
  const response = await browser.fetch(`${gateway.url}/proxy/fifth-one/open/x`, { headers: { 'x-version': '1' } })
  t.equal(response.status, 200, 'renewed and resent')
  t.equal(provider.seen.api.at(-1)?.headers['x-version'], '9')
  t.equal((await browser.fetch(`${gateway.url}/proxy/fifth-one/closed`)).headers.get('grantkeeper-error'), 'path_rejected')
  t.equal((await browser.fetch(`${gateway.url}/proxy/fifth-one/opening`)).headers.get('grantkeeper-error'), 'path_rejected')
  t.equal(
    (await browser.fetch(`${gateway.url}/proxy/fifth-one/open`, { method: 'POST' })).headers.get('grantkeeper-error'),
    'method_not_allowed'
  )

  provider.token = (_, r) => json(r, 200, { data: { no: 17 } })
  const ended = await browser.fetch(`${gateway.url}/connections/fifth-one/refresh`, { method: 'POST' })
  t.equal(ended.headers.get('grantkeeper-error'), 'reconnect_required', 'an error in the vendor’s own format')
})

t.test('errors for a missing definition and a duplicate name cite the file', async t => {
  const folder = t.testdir({ empty: { 'a.ts': 'export const x = 1' }, twice: { 'a.ts': definition, 'b.ts': definition } })
  await t.rejects(loadProviders(join(folder, 'empty')), /a\.ts exports no provider/)
  await t.rejects(loadProviders(join(folder, 'twice')), /b\.ts.*defines fifth-one already/)
})

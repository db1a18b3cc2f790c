import nock from 'nock'
import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { Browser } from '../support/browser.ts'
import { signIn } from '../support/connected.ts'
import { startGateway } from '../support/gateway.ts'

type Expected = { token: string; api: string; scope: string | null; json: boolean }

/** Production URLs, scopes and token request format of four vendors, from their documentation. */
const expected: Record<string, Expected> = {
  productboard: {
    token: 'https://app.productboard.com/oauth2/token',
    api: 'https://api.productboard.com/v2/notes',
    scope: 'entities:read notes:read members:read',
    json: false
  },
  'process-street': {
    token: 'https://app.process.st/oauth/token',
    api: 'https://public-api.process.st/api/v1.1/workflows',
    scope: 'read,write',
    json: true
  },
  outgrow: { token: 'https://app.outgrow.co/oauth/token', api: 'https://api-calc.outgrow.co/api/v1/get_leads/1', scope: null, json: false },
  ignition: {
    token: 'https://developers.ignitionapp.com/oauth2/token',
    api: 'https://developers.ignitionapp.com/external/api/v1/reporting/clients',
    scope: 'reporting',
    json: false
  }
}

t.teardown(() => nock.restore())

for (const provider of await loadProviders(undefined, name => Object.hasOwn(expected, name))) {
  const { name } = provider
  t.test(`${name}: with only a client configured, the vendor’s production URLs are used`, async t => {
    const vendor = expected[name]
    if (!vendor) throw new Error(`${name} has no row in this table`)
    const prefix = name.toUpperCase().replaceAll('-', '_')
    const gateway = await startGateway(t, {
      environment: { [`${prefix}_CLIENT_ID`]: 'the-client', [`${prefix}_CLIENT_SECRET`]: 'the-secret' }
    })
    const browser = new Browser()

    const redirect = await browser.request(`${gateway.url}/auth/${name}`)
    const authorize = new URL(redirect.headers.get('location') ?? '')
    t.equal(authorize.origin + authorize.pathname, provider.methods.oauth2?.authorizeUrl)
    t.equal(authorize.searchParams.get('scope'), vendor.scope)

    const bodies: string[] = []
    const tokenUrl = new URL(vendor.token)
    const jsonHeaders = { 'content-type': 'application/json' }
    nock(tokenUrl.origin)
      .post(tokenUrl.pathname)
      .reply(
        200,
        async (request: Request) => {
          bodies.push(await request.text())
          return { access_token: 'the-token', token_type: 'bearer', expires_in: 3600 }
        },
        jsonHeaders
      )
    t.equal((await signIn(gateway, browser, name)).status, 303)
    const body = vendor.json ? JSON.parse(bodies[0] ?? '') : Object.fromEntries(new URLSearchParams(bodies[0]))
    t.match(body, {
      grant_type: 'authorization_code',
      client_id: 'the-client',
      client_secret: 'the-secret',
      redirect_uri: `${gateway.url}/auth/${name}/callback`,
      code_verifier: /^[\w-]{43}$/
    })

    const api = new URL(vendor.api)
    nock(api.origin, { reqheaders: { authorization: 'Bearer the-token' } })
      .get(api.pathname)
      .reply(200, { data: [] }, jsonHeaders)
    const path = vendor.api.slice(provider.api.baseUrl.length)
    const response = await browser.fetch(`${gateway.url}/proxy/${name}${path}`)
    t.equal(response.status, 200)
    t.same(await response.json(), { data: [] })
    t.ok(nock.isDone(), 'every expected request was sent')
  })
}

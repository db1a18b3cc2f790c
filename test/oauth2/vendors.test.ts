import { setDefaultCACertificates } from 'node:tls'
import t, { type Test } from 'tap'
import type { OAuth2Method } from '../../src/core/provider/definition.ts'
import { selfSignedCertificate } from '../support/certificate.ts'
import { assertConnectError } from '../support/connected.ts'
import { type Endpoints, fieldsOf, type PlayedGateway, playGateway, playVendor, type VendorResponse } from './played-vendor.ts'

const day = 24 * 3600_000
const ok: VendorResponse = [200, { fine: true }]

/** A connection that is made, and its values as they are stored. */
async function connected(t: Test, played: PlayedGateway, query?: Readonly<Record<string, string>>) {
  const response = await played.signIn(query)
  t.strictSame([response.status, response.headers.get('location')], [303, '/'], 'the sign-in connects')
  return (await played.connection())?.value
}

/** Waits for the revocations that run in the background. */
async function settled({ gateway }: PlayedGateway): Promise<void> {
  await gateway.services.revocation.close(5_000)
}

t.test('QuickBooks-like: the realm comes with the callback, and the API’s address holds it', async t => {
  const vendor = await playVendor(t, () => ({ 'POST /token': () => [200, { access_token: 'access-1', refresh_token: 'refresh-1' }] }))
  const method: Partial<OAuth2Method> = {
    values: { realm_id: { from: 'callback', parameter: 'realmId', pattern: '\\d{1,20}', example: '1234' } }
  }
  const played = await playGateway(t, vendor.origin, method, { api: { baseUrl: `${vendor.origin}/v3/company/{realm_id}` } })
  t.strictSame((await connected(t, played, { realmId: '9130' }))?.values, { realm_id: '9130' })

  for (const realmId of ['', 'x', '../..', '1'.repeat(21)]) {
    assertConnectError(t, await played.signIn({ realmId }), 'provider_error', JSON.stringify(realmId))
    t.match(played.gateway.logs.at(-2), /"the provider’s realm_id [^"]+"/)
  }
  const twice = `${new URLSearchParams({ code: 'c', state: (await played.begin()).searchParams.get('state') ?? '' })}&realmId=1&realmId=2`
  assertConnectError(t, await played.browser.request(`${played.gateway.url}/auth/acme/callback?${twice}`), 'provider_error')
  t.equal(vendor.requests.length, 1, 'no code is exchanged for a sign-in that cannot be used')
})

t.test('Salesforce-like: the server comes with the token, and stays at the vendor', async t => {
  let answer: Record<string, unknown> = {}
  const vendor = await playVendor(t, () => ({
    'POST /token': () => [200, { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3600, ...answer }],
    'POST /revoke': () => [200, undefined]
  }))
  const played = await playGateway(
    t,
    vendor.origin,
    {
      revokeUrl: `${vendor.origin}/revoke`,
      values: { instance_url: { from: 'token', pointer: '/instance_url', suffix: '.salesforce.com', example: 'https://x.salesforce.com' } }
    },
    { api: { baseUrl: '{instance_url}/services/data' } }
  )
  answer = { instance_url: 'https://na1.salesforce.com' }
  t.strictSame((await connected(t, played))?.values, { instance_url: 'https://na1.salesforce.com' })

  const bad = [
    undefined,
    null,
    7,
    ['https://na1.salesforce.com'],
    { url: 'https://na1.salesforce.com' },
    'https://evil.example/.salesforce.com',
    'https://evil.example#.salesforce.com',
    'https://salesforce.com.evil.example',
    'https://evilsalesforce.com',
    'https://u:p@na1.salesforce.com',
    'https://na1.salesforce.com:8443',
    'http://169.254.169.254/',
    `https://${'a'.repeat(3000)}.salesforce.com`
  ]
  for (const instance_url of bad) {
    answer = { instance_url }
    assertConnectError(t, await played.signIn(), 'provider_error', String(instance_url).slice(0, 60))
    t.match(played.gateway.logs.at(-2), /"kind":"invalid_value".*the provider’s instance_url /)
    t.notMatch(played.gateway.logs.join(''), /evil|169\.254/)
  }
  await settled(played)
  t.equal(vendor.sent('/revoke').length, bad.length, 'each grant that is of no use is revoked')
  t.equal((await played.connection())?.value.values?.instance_url, 'https://na1.salesforce.com', 'the connection from before stays')
})

t.test('a refresh updates the values that it repeats, and no other', async t => {
  let refreshed: Record<string, unknown> = {}
  const vendor = await playVendor(t, () => ({
    'POST /token': request =>
      fieldsOf(request).grant_type === 'refresh_token'
        ? [200, { access_token: `access-${Math.random()}`, expires_in: 3600, ...refreshed }]
        : [200, { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3600, url: 'https://a.acme.com', team: 'T1' }],
    'GET /api/things': () => ok
  }))
  const played = await playGateway(t, vendor.origin, {
    values: {
      url: { from: 'token', pointer: '/url', suffix: '.acme.com', example: 'https://x.acme.com' },
      team: { from: 'token', pointer: '/team', default: 'none', example: 'T1' }
    }
  })
  await connected(t, played)
  for (const [answer, url, team] of [
    [{}, 'https://a.acme.com', 'T1'],
    [{ url: 'https://b.acme.com' }, 'https://b.acme.com', 'T1'],
    [{ url: 'https://evil.example', team: 'T2' }, 'https://b.acme.com', 'T2'],
    [{ url: ['https://c.acme.com'], team: {} }, 'https://b.acme.com', 'T2']
  ] as const) {
    refreshed = answer
    played.clock.advance(2 * 3600_000)
    t.equal((await played.call()).status, 200)
    t.strictSame((await played.connection())?.value.values, { url, team })
  }
  const ignored = played.gateway.logs.filter(line => line.includes('in a form that its definition does not allow'))
  t.strictSame(
    ignored.map(line => JSON.parse(line).value),
    ['url', 'url', 'team']
  )
  t.notMatch(ignored.join(''), 'evil')
})

t.test('Zoho-like: the token server is one of a list, and the callback says which', async t => {
  const { origin, requests } = await playVendor(t, () => ({}))
  const certificate = await selfSignedCertificate(t, 'localhost')
  setDefaultCACertificates([certificate.cert])
  const endpoints: Endpoints = {
    'POST /oauth/v2/token': () => [200, { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3600 }],
    'POST /oauth/v2/token/revoke': () => [200, undefined]
  }
  const servers = await Promise.all([1, 2].map(() => playVendor(t, () => endpoints, certificate)))
  const [eu, us] = servers.map(({ origin }) => origin)
  const method: Partial<OAuth2Method> = {
    authorizeUrl: `${origin}/authorize`,
    tokenUrl: '{accounts_server}/oauth/v2/token',
    revokeUrl: '{accounts_server}/oauth/v2/token/revoke',
    values: { accounts_server: { from: 'callback', parameter: 'accounts-server', oneOf: [eu ?? '', us ?? ''], example: eu ?? '' } }
  }
  const played = await playGateway(t, origin, method)
  t.equal((await connected(t, played, { 'accounts-server': us ?? '' }))?.values?.accounts_server, us)
  played.clock.advance(day)
  await played.call()
  await played.disconnect()
  await settled(played)
  t.strictSame(
    servers.map(({ requests }) => requests.length),
    [0, 3]
  )
  t.strictSame(
    servers[1]?.requests.map(({ path, body }) => [path, new URLSearchParams(body).get('grant_type')]),
    [
      ['/oauth/v2/token', 'authorization_code'],
      ['/oauth/v2/token', 'refresh_token'],
      ['/oauth/v2/token/revoke', null]
    ]
  )
  for (const server of ['https://evil.example', `${us}/`, `${us}.evil.example`, ''])
    assertConnectError(t, await played.signIn({ 'accounts-server': server }), 'provider_error', server)
  t.equal(requests.filter(({ path }) => path !== '/api/things').length, 0)
})

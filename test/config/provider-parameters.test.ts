import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { ConfigError, type Environment } from '../../src/config/environment.ts'
import { defineProvider } from '../../src/core/provider/define-provider.ts'
import type { OAuth2Method, Provider, ProviderSettings } from '../../src/core/provider/definition.ts'
import { parseParameters } from '../../src/core/provider/parse-parameters.ts'
import { apiKeyWith, oauth2With, providerWith } from '../core/support.ts'
import { development } from './support.ts'

const read = (definition: Provider, variables: Environment): ProviderSettings | undefined =>
  readConfig({ ...development, ...variables }, [definition]).providers.get(definition.name)

function problemsOf(definition: Provider, variables: Environment): readonly string[] {
  try {
    read(definition, variables)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const shop = { title: 'Shop', example: 'my-shop', pattern: '[a-z0-9\\-]+', suffix: '.acme.example', hint: 'The first part of its address.' }
const server = { title: 'Server', example: 'erp.example.com', isHost: true }
const client = { ACME_CLIENT_ID: 'client', ACME_CLIENT_SECRET: 'canary-secret' }

/** Each shop has a host of its own. */
const shops = defineProvider(
  providerWith({
    parameters: { shop, region: { title: 'Region', example: 'eu', oneOf: { eu: 'Europe', us: 'United States' } } },
    api: { baseUrl: 'https://{shop}.acme.example/v1', headers: { 'x-region': '{region}', 'x-client': '{client_id}' } },
    methods: {
      oauth2: oauth2With({
        authorizeUrl: 'https://{shop}.acme.example/authorize',
        tokenUrl: 'https://{shop}.acme.example/token',
        revokeRequest: { url: 'https://{shop}.acme.example/revoke', params: { region: '{region}', secret: '{client_secret}' } }
      })
    }
  })
)

/** Each user has a server of their own. */
const servers = defineProvider(
  providerWith({
    parameters: { server },
    api: { baseUrl: 'https://{server}/api' },
    methods: { oauth2: oauth2With({ tokenUrl: 'https://{server}/token' }), apiKey: apiKeyWith({ in: 'basic' }) }
  })
)

t.test('a fixed parameter stands in the definition, and users are not asked for it', async t => {
  const { definition } = read(shops, { ...client, ACME_PARAMETER_SHOP: 'Https://Main-Shop.acme.example/admin' }) as ProviderSettings
  const { oauth2 } = definition.methods
  t.strictSame(Object.keys(definition.parameters ?? {}), ['region'])
  t.equal(definition.api.baseUrl, 'https://main-shop.acme.example/v1')
  t.strictSame(definition.api.headers, { 'x-region': '{region}', 'x-client': 'client' }, 'and so does the client')
  t.equal(oauth2?.tokenUrl, 'https://main-shop.acme.example/token')
  t.strictSame(oauth2?.revokeRequest, {
    url: 'https://main-shop.acme.example/revoke',
    params: { region: '{region}', secret: '{client_secret}' }
  })
  const all = read(shops, { ...client, ACME_PARAMETER_SHOP: 'a', ACME_PARAMETER_REGION: 'us' })?.definition
  t.notOk(all && 'parameters' in all)
  t.strictSame(Object.keys(read(shops, client)?.definition.parameters ?? {}), ['shop', 'region'], 'without it they are')
})

t.test('a fixed value must be one that a user could give', async t => {
  for (const [name, value, problem] of [
    ['SHOP', 'UP', 'has another form than it must have, for example ACME_PARAMETER_SHOP=my-shop.'],
    ['SHOP', 'evil.com#.acme.example', 'has another form than it must have, for example ACME_PARAMETER_SHOP=my-shop.'],
    ['REGION', 'eu{access_token}', 'must be one of eu, us, for example ACME_PARAMETER_REGION=eu.']
  ] as const)
    t.strictSame(problemsOf(shops, { ...client, [`ACME_PARAMETER_${name}`]: value }), [
      `ACME_PARAMETER_${name} (${name === 'SHOP' ? 'Shop' : 'Region'}) ${problem}`
    ])
})

t.test('a fixed value cannot bring expressions of its own', async t => {
  const noted = providerWith({
    parameters: { note: { title: 'Note', example: 'x' } },
    api: { baseUrl: 'https://api.acme.example', headers: { 'x-note': '{note}' } }
  })
  t.strictSame(problemsOf(noted, { ...client, ACME_PARAMETER_NOTE: '{access_token}' }), [
    'ACME_PARAMETER_NOTE (Note) must have no braces, for example ACME_PARAMETER_NOTE=x.'
  ])
})

t.test('a variable for a parameter that is not there is a problem', async t => {
  t.strictSame(problemsOf(shops, { ...client, ACME_PARAMETER_SHOPS: 'a' }), [
    'ACME_PARAMETER_SHOPS is set, but Acme has no such parameter. Did you mean ACME_PARAMETER_SHOP? It has ACME_PARAMETER_SHOP, ACME_PARAMETER_REGION.'
  ])
  t.strictSame(problemsOf(providerWith(), { ...client, ACME_PARAMETER_SHOP_FILE: '/x' }), [
    'ACME_PARAMETER_SHOP_FILE is set, but Acme has no such parameter. Remove it.'
  ])
})

t.test('what only the operator can set must be set, once the provider is offered', async t => {
  const token = { title: 'Developer token', example: 'abc', hint: 'In the API centre.', secret: true, operator: true }
  const ads = defineProvider(
    providerWith({
      parameters: { developer_token: token, version: { title: 'Version', example: 'v1', default: 'v2', operator: true } },
      api: { baseUrl: 'https://api.acme.example/{version}', headers: { 'developer-token': '{developer_token}' } },
      methods: { oauth2: oauth2With(), apiKey: apiKeyWith({ in: 'basic' }) }
    })
  )
  const missing =
    'ACME_PARAMETER_DEVELOPER_TOKEN is missing: Acme needs it from you (Developer token: In the API centre), for example ACME_PARAMETER_DEVELOPER_TOKEN_FILE=/run/secrets/acme_parameter_developer_token.'
  for (const variables of [client, { PROVIDERS: 'acme', ...client }, { ACME_API_URL: 'https://api.acme.example' }])
    t.strictSame(problemsOf(ads, variables), [missing])
  t.strictSame(problemsOf(ads, {}), [], 'nothing is missing while it is not')
  const { api, parameters } = (read(ads, { ...client, ACME_PARAMETER_DEVELOPER_TOKEN: 'tok' }) as ProviderSettings).definition
  t.strictSame(api, { baseUrl: 'https://api.acme.example/v2', headers: { 'developer-token': 'tok' } }, 'a default counts')
  t.equal(parameters, undefined)
  t.strictSame(problemsOf(ads, { ...client, ACME_PARAMETER_DEVELOPER_TOKEN: 'canäry' }), [
    'ACME_PARAMETER_DEVELOPER_TOKEN (Developer token) must have no other characters than those of a US keyboard, for example ACME_PARAMETER_DEVELOPER_TOKEN_FILE=/run/secrets/acme_parameter_developer_token.'
  ])
})

t.test('SEC-63, SEC-34: a client’s secret goes to no host that a user has typed, unless the operator lists it', async t => {
  const refused =
    'ACME_HOSTS is missing: users of Acme name the host to which your client’s secret and their tokens go. List the hosts that they may name, for example ACME_HOSTS=erp.example.com, or fix one for everybody, ACME_PARAMETER_SERVER=erp.example.com.'
  t.strictSame(problemsOf(servers, client), [refused])
  const inApi = defineProvider({ ...servers, methods: { oauth2: oauth2With() } })
  t.strictSame(problemsOf(inApi, client), [refused], 'tokens go to the API')
  const { hosts, trustedOrigins } = read(servers, { ...client, ACME_HOSTS: 'One.example.com, erp.internal' }) as ProviderSettings
  t.strictSame(hosts, ['one.example.com', 'erp.internal'])
  t.strictSame(trustedOrigins, ['https://one.example.com', 'https://erp.internal'], 'they may be in the operator’s network')
  const given = (server: string) => parseParameters(servers, servers.parameters ?? {}, { server }, hosts)
  t.strictSame(given('https://ERP.internal/'), { server: 'erp.internal' })
  t.throws(() => given('two.example.com'), {
    code: 'parameters_invalid',
    message: /must be a host that the operator of this gateway allows/
  })
  const fixed = read(servers, { ...client, ACME_PARAMETER_SERVER: 'ERP.internal' }) as ProviderSettings
  t.equal(fixed.definition.api.baseUrl, 'https://erp.internal/api')
  t.strictSame(fixed.trustedOrigins, ['https://erp.internal'])
})

t.test('a key alone may go to a host of the user’s own', async t => {
  const settings = read(servers, { PROVIDERS: 'acme', ACME_API_URL: 'https://{server}/api' })
  t.equal(settings?.hosts, undefined)
  t.strictSame(settings?.trustedOrigins, [])
})

t.test('hosts are host names, for a definition that asks for one', async t => {
  for (const host of ['https://erp.example.com', 'erp.example.com:8443', '*.example.com', 'erp.example.com/x', 'a b'])
    t.strictSame(problemsOf(servers, { ...client, ACME_HOSTS: `a.example.com,${host}` }), [
      `ACME_HOSTS: "${host}" is not a host name, such as one.example.com: no scheme, port, path or wildcard. For example ACME_HOSTS=one.example.com,two.example.com.`
    ])
  t.strictSame(problemsOf(shops, { ...client, ACME_HOSTS: 'a.example.com' }), [
    'ACME_HOSTS is set, but users of Acme are not asked for a host. Remove it.'
  ])
})

t.test('the operator’s addresses may have the definition’s expressions', async t => {
  const { definition, trustedOrigins } = read(shops, {
    ...client,
    ACME_API_URL: 'http://localhost:1/{shop}/api/',
    ACME_TOKEN_URL: 'https://{shop}.acme.example/other?region={region}'
  }) as ProviderSettings
  t.equal(definition.api.baseUrl, 'http://localhost:1/{shop}/api')
  t.equal(definition.methods.oauth2?.tokenUrl, 'https://{shop}.acme.example/other?region={region}')
  t.strictSame(trustedOrigins, ['http://localhost:1'], 'a host that is made of a value is not trusted')
  t.equal(
    read(shops, { ...client, ACME_API_URL: 'http://localhost:1/{shop}/api/', ACME_PARAMETER_SHOP: 'main' })?.definition.api.baseUrl,
    'http://localhost:1/main/api',
    'a fixed value stands there too'
  )
})

t.test('an address with an expression that is not known, or a host that could be any, is a problem', async t => {
  const example = 'for example ACME_API_URL=https://{shop}.acme.example/v1.'
  for (const [url, problem] of [
    ['https://acme.example/{shp}', 'uses {shp}, which is neither a parameter nor a value of a method. Did you mean shop?'],
    [
      'https://{shop}/api',
      'makes a host of {shop}, which could be any: the vendor’s domain must follow it, as in https://{shop}.example.com, or it needs oneOf or isHost,'
    ],
    ['https://acme.example/{shop', 'must be an absolute http or https URL,'],
    ['https://{shop}@acme.example/', 'must not contain a user name or password,']
  ] as const)
    t.strictSame(problemsOf(shops, { ...client, ACME_API_URL: url }), [`ACME_API_URL ${problem} ${example}`])
})

t.test('SEC-63: another server shares no credentials with the definition’s other requests and bases', async t => {
  const url = 'https://acme.example/token'
  const vendor = defineProvider(
    providerWith({
      api: { baseUrl: 'https://api.acme.example/v1', bases: { files: 'https://files.acme.example', v2: 'https://api.acme.example/v2' } },
      methods: {
        oauth2: oauth2With({
          tokenUrl: url,
          upgradeRequest: { url, params: { token: '{access_token}' } },
          refreshRequest: { url: 'https://acme.example/refresh', params: { token: '{refresh_token}' } },
          revokeRequest: { url: 'https://acme.example/revoke', params: { token: '{access_token}' } }
        })
      }
    })
  )
  const methodWith = (variables: Environment) => read(vendor, { ...client, ...variables })?.definition.methods.oauth2 as OAuth2Method
  const moved = methodWith({ ACME_TOKEN_URL: 'https://other.example/token' })
  t.equal(moved.upgradeRequest?.url, 'https://other.example/token', 'one to the token endpoint goes where that is')
  t.strictSame([moved.refreshRequest, moved.revokeRequest], [undefined, undefined])
  const own = methodWith({ ACME_TOKEN_URL: url, ACME_REVOKE_URL: 'https://other.example/r', ACME_REFRESH_URL: 'https://other.example/f' })
  t.strictSame(own.revokeRequest, { url: 'https://other.example/r', params: { token: '{access_token}' } })
  t.strictSame(own.refreshRequest, { url: 'https://other.example/f', params: { token: '{refresh_token}' } })
  t.notOk('revokeUrl' in own || 'refreshUrl' in own)

  const { providers, warnings } = readConfig({ ...development, ...client, ACME_API_URL: 'https://other.example' }, [vendor])
  t.equal(providers.get('acme')?.definition.api.bases, undefined)
  t.strictSame(warnings, [
    'ACME_API_URL is another server than that of the definition, and must not share credentials with it: the bases files, v2 of Acme are not offered.'
  ])
  const same = read(vendor, { ...client, ACME_API_URL: 'https://api.acme.example/v3' })
  t.strictSame(Object.keys(same?.definition.api.bases ?? {}), ['files', 'v2'])
})

t.test('a key that is exchanged for tokens is exchanged where the operator says', async t => {
  const exchanged = defineProvider(
    providerWith({
      methods: {
        apiKey: {
          ...apiKeyWith({ in: 'basic' }),
          tokenRequest: { url: 'https://acme.example/token', params: { key: '{key}' } },
          revokeRequest: { url: 'https://acme.example/revoke', params: { token: '{access_token}' } }
        }
      }
    })
  )
  const { methods } = (
    read(exchanged, { PROVIDERS: 'acme', ACME_API_URL: 'https://x.example', ACME_TOKEN_URL: 'https://y.example/t' }) as ProviderSettings
  ).definition
  t.equal(methods.apiKey?.tokenRequest?.url, 'https://y.example/t')
  t.equal(methods.apiKey?.revokeRequest, undefined, 'its tokens are nothing for the definition’s own server')
  t.ok(read(exchanged, { PROVIDERS: 'acme', ACME_API_URL: 'https://api.acme.example/v3' })?.definition.methods.apiKey?.revokeRequest)
})

t.test('a client that signs has a private key as its secret', async t => {
  const signing = defineProvider(
    providerWith({ methods: { oauth2: oauth2With({ clientAuthentication: 'private_key_jwt', clientAssertion: { algorithm: 'ES256' } }) } })
  )
  const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim()
  const secretOf = (variables: Environment) => read(signing, { ACME_CLIENT_ID: 'client', ...variables })?.client?.secret?.reveal()
  t.equal(secretOf({ ACME_CLIENT_SECRET_FILE: `${t.testdir({ key: `${pem}\n` })}/key` }), pem)
  t.equal(secretOf({ ACME_CLIENT_SECRET: pem.replaceAll('\n', '\\n') }), pem, 'its lines may be written on one')
  t.strictSame(problemsOf(signing, { ACME_CLIENT_ID: 'client', ACME_CLIENT_SECRET: 'canary' }), [
    'ACME_CLIENT_SECRET must be a private key in PEM (PKCS #8) with its first and last line, -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----: the client signs with it. Put it into a file, for example ACME_CLIENT_SECRET_FILE=/run/secrets/acme_client_secret.'
  ])
  t.strictSame(problemsOf(signing, { ACME_CLIENT_ID: 'client' }), [
    'ACME_CLIENT_SECRET is missing: the client signs with this private key, for example ACME_CLIENT_SECRET_FILE=/run/secrets/acme_client_secret.'
  ])
})

t.test('a client without secret is no mistake where the vendor wants none', async t => {
  const open = defineProvider(providerWith({ methods: { oauth2: oauth2With({ clientAuthentication: 'none' }) } }))
  t.strictSame(readConfig({ ...development, ACME_CLIENT_ID: 'client' }, [open]).warnings, [])
})

t.test('a client’s id that cannot stand where the definition has it is a problem', async t => {
  t.strictSame(problemsOf(shops, { ...client, ACME_CLIENT_ID: '{shop}' }), [
    'ACME_CLIENT_ID must have no braces, because the definition of Acme places it so. Copy it again, for example ACME_CLIENT_ID=abc123.'
  ])
})

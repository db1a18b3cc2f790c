import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { variablePrefix } from '../../src/config/variable-prefix.ts'
import type { OAuth2Method } from '../../src/core/provider/definition.ts'
import { apiKeyWith, providerWith } from '../core/support.ts'
import { acme, development, keyed, problemsOf, production, read, roadRunner } from './support.ts'

const pair = (prefix: string) => ({ [`${prefix}_CLIENT_ID`]: 'client', [`${prefix}_CLIENT_SECRET`]: 'canary-secret' })
const both = { ...development, ...pair('ACME'), ...pair('ROAD_RUNNER') }
const namesOf = (variables: Record<string, string | undefined>) => [...read(variables).providers.keys()]
const settingsOf = (variables: Record<string, string>, name = 'road-runner') => read({ ...both, ...variables }).providers.get(name)
const methodOf = (variables: Record<string, string>) => settingsOf(variables)?.definition.methods.oauth2 as OAuth2Method

t.test("a provider's variables begin with its name", async t => {
  t.equal(variablePrefix(acme), 'ACME')
  t.equal(variablePrefix(roadRunner), 'ROAD_RUNNER')
})

t.test('an OAuth client enables a provider', async t => {
  t.strictSame(namesOf(development), [])
  t.strictSame(namesOf({ ...development, ...pair('ROAD_RUNNER') }), ['road-runner'])
  t.strictSame(namesOf(both), ['acme', 'road-runner'])
  const client = settingsOf({}, 'acme')?.client
  t.strictSame([client?.id, client?.secret?.reveal(), client?.scopes], ['client', 'canary-secret', ['read']])
  t.strictSame(settingsOf({}, 'acme')?.definition, acme, 'without overrides the definition is unchanged')
})

t.test('a client without a secret is a public client, and a warning', async t => {
  for (const environment of [development, production]) {
    const { providers, warnings } = read({ ...environment, ROAD_RUNNER_CLIENT_ID: 'client-1' })
    t.strictSame(providers.get('road-runner')?.client, { id: 'client-1', scopes: ['read'] })
    t.strictSame(warnings, [
      'ROAD_RUNNER_CLIENT_ID is set without ROAD_RUNNER_CLIENT_SECRET: a public client (RFC 6749 §2.1). If the provider has given you a secret, set it, for example ROAD_RUNNER_CLIENT_SECRET_FILE=/run/secrets/road_runner_client_secret.'
    ])
  }
})

t.test('a secret without its client ID is a problem, and not repeated', async t => {
  for (const environment of [development, production])
    t.strictSame(problemsOf({ ...environment, ROAD_RUNNER_CLIENT_SECRET: 'canary' }), [
      'ROAD_RUNNER_CLIENT_ID is missing: a secret is of use with its client ID alone, for example ROAD_RUNNER_CLIENT_ID=abc123.'
    ])
})

t.test('SEC-40: a client with unprintable characters is refused and not repeated', async t => {
  for (const value of ['canary\n2', 'can\tary', 'canäry', 'canary\u200b']) {
    for (const [name, example] of [
      ['ACME_CLIENT_ID', 'ACME_CLIENT_ID=abc123'],
      ['ACME_CLIENT_SECRET', 'ACME_CLIENT_SECRET_FILE=/run/secrets/acme_client_secret']
    ] as const)
      t.strictSame(problemsOf({ ...both, [name]: value }), [
        `${name} contains a character that is not printable ASCII. Copy it again, for example ${example}.`
      ])
  }
  t.match(problemsOf({ ...both, ACME_SCOPES: 'read canäry' }), [/^ACME_SCOPES contains a character that is not printable ASCII\./])
})

t.test('ISSUER is a URL that is used exactly as set', async t => {
  const issuerOf = (issuer: string) => methodOf({ ROAD_RUNNER_ISSUER: issuer }).issuer
  for (const issuer of ['https://other.example', 'https://other.example/', 'https://Other.example:443/a']) t.equal(issuerOf(issuer), issuer)
  for (const issuer of ['other.example', 'https://a b', 'https://other.example/?a', 'https://other.example#', 'mailto:a@b', 'https://'])
    t.strictSame(problemsOf({ ...both, ROAD_RUNNER_ISSUER: issuer }), [
      'ROAD_RUNNER_ISSUER must be an absolute http or https URL without query and fragment, for example ROAD_RUNNER_ISSUER=https://acme.example.'
    ])
})

t.test('an OAuth client for a provider without OAuth is a problem', async t => {
  t.strictSame(problemsOf({ ...development, ...pair('KEYED') }), [
    'KEYED_CLIENT_ID is set, but this provider does not support OAuth. Remove it.'
  ])
})

t.test('SEC-11: SCOPES replace the scopes of the definition', async t => {
  for (const [text, scopes] of [
    ['a', ['a']],
    ['a b', ['a', 'b']],
    ['a,b', ['a', 'b']],
    [' a,  b\tc ', ['a', 'b', 'c']],
    ['', ['read']]
  ] as const)
    t.strictSame(settingsOf({ ACME_SCOPES: text }, 'acme')?.client?.scopes, scopes, JSON.stringify(text))
})

t.test('SEC-27: only variables override the URLs of a definition', async t => {
  const { oauth2 } = roadRunner.methods
  t.strictSame(methodOf({}), oauth2)
  t.equal(settingsOf({ ROAD_RUNNER_API_URL: 'https://other.example/v2/' })?.definition.api.baseUrl, 'https://other.example/v2')
  t.equal(settingsOf({ ROAD_RUNNER_API_URL: 'https://other.example/v2/' }, 'acme')?.definition.api.baseUrl, acme.api.baseUrl)
  t.strictSame(methodOf({ ROAD_RUNNER_REVOKE_URL: 'https://other.example/revoke/' }), {
    ...oauth2,
    revokeUrl: 'https://other.example/revoke/'
  })
  t.strictSame(methodOf({ ROAD_RUNNER_REFRESH_URL: 'https://other.example/refresh' }), {
    ...oauth2,
    refreshUrl: 'https://other.example/refresh'
  })
  t.equal(
    methodOf({ ROAD_RUNNER_AUTHORIZE_URL: 'https://other.example/authorize?tenant=1' }).authorizeUrl,
    'https://other.example/authorize?tenant=1'
  )
  t.equal(methodOf({ ROAD_RUNNER_ISSUER: 'https://other.example' }).issuer, 'https://other.example')
  t.equal(roadRunner.methods.oauth2?.authorizeUrl, 'https://acme.example/authorize', 'the definition itself is not changed')
})

t.test('SEC-34: only the origins that the operator has set are trusted', async t => {
  t.strictSame(settingsOf({})?.trustedOrigins, [])
  t.strictSame(
    settingsOf({
      ROAD_RUNNER_API_URL: 'https://API.other.example:443/v2/',
      ROAD_RUNNER_AUTHORIZE_URL: 'https://other.example/authorize?tenant=1',
      ROAD_RUNNER_TOKEN_URL: 'http://127.0.0.1:9000/token',
      ROAD_RUNNER_REVOKE_URL: 'http://[::1]:9000/revoke',
      ROAD_RUNNER_ISSUER: 'https://issuer.example'
    })?.trustedOrigins,
    ['https://api.other.example', 'https://other.example', 'http://127.0.0.1:9000', 'http://[::1]:9000']
  )
  const definedUrl = roadRunner.api.baseUrl
  t.strictSame(
    settingsOf({ ROAD_RUNNER_API_URL: definedUrl })?.trustedOrigins,
    [new URL(definedUrl).origin],
    'also the URL of the definition, when it is set'
  )
  t.strictSame(settingsOf({ ROAD_RUNNER_API_URL: definedUrl }, 'acme')?.trustedOrigins, [])
})

t.test('another TOKEN_URL drops the refresh and revoke URLs of the definition', async t => {
  const { refreshUrl: _, revokeUrl: _1, ...rest } = roadRunner.methods.oauth2 as OAuth2Method
  const tokenUrl = 'https://other.example/token'
  t.strictSame(methodOf({ ROAD_RUNNER_TOKEN_URL: tokenUrl }), { ...rest, tokenUrl })
  const revokeUrl = 'https://other.example/revoke'
  t.strictSame(methodOf({ ROAD_RUNNER_TOKEN_URL: tokenUrl, ROAD_RUNNER_REVOKE_URL: revokeUrl }), { ...rest, tokenUrl, revokeUrl })
  const refreshUrl = 'https://other.example/refresh'
  t.strictSame(methodOf({ ROAD_RUNNER_TOKEN_URL: tokenUrl, ROAD_RUNNER_REFRESH_URL: refreshUrl }), { ...rest, tokenUrl, refreshUrl })
})

t.test('another AUTHORIZE_URL drops the issuer of the definition', async t => {
  const { issuer: _, ...rest } = roadRunner.methods.oauth2 as OAuth2Method
  const authorizeUrl = 'https://other.example/authorize'
  t.strictSame(methodOf({ ROAD_RUNNER_AUTHORIZE_URL: authorizeUrl }), { ...rest, authorizeUrl })
  const issuer = 'https://other.example'
  t.strictSame(methodOf({ ROAD_RUNNER_AUTHORIZE_URL: authorizeUrl, ROAD_RUNNER_ISSUER: issuer }), { ...rest, authorizeUrl, issuer })
})

t.test('an invalid URL is a problem that shows the URL of the definition', async t => {
  for (const [suffix, example] of [
    ['API_URL', 'https://api.acme.example/v1'],
    ['AUTHORIZE_URL', 'https://acme.example/authorize'],
    ['TOKEN_URL', 'https://acme.example/token'],
    ['REFRESH_URL', 'https://acme.example/token'],
    ['REVOKE_URL', 'https://provider.example.com/oauth/revoke']
  ] as const) {
    const name = `ACME_${suffix}`
    t.strictSame(problemsOf({ ...both, [name]: 'acme' }), [
      `${name} must be an absolute http or https URL, for example ${name}=${example}.`
    ])
    t.strictSame(problemsOf({ ...production, [name]: 'http://acme.example/x' }), [`${name} must be https, for example ${name}=${example}.`])
    t.strictSame(problemsOf({ ...production, [name]: 'http://localhost:1/x' }), [], 'loopback may be http')
    t.strictSame(problemsOf({ ...development, [name]: 'http://acme.example/x' }), [], 'any host may be http outside production')
  }
})

t.test('SEC-42: production requires a provider', async t => {
  const { ACME_CLIENT_ID: _, ACME_CLIENT_SECRET: _1, ...without } = production
  t.strictSame(problemsOf(without), [
    'No provider is configured. Set the OAuth client of at least one, for example ACME_CLIENT_ID=abc123 and ACME_CLIENT_SECRET_FILE=/run/secrets/acme_client_secret.'
  ])
})

t.test('PROVIDERS selects usable providers in its order', async t => {
  t.strictSame(namesOf({ ...both, PROVIDERS: 'road-runner' }), ['road-runner'])
  t.strictSame(namesOf({ ...both, PROVIDERS: 'road-runner, acme' }), ['road-runner', 'acme'])
  t.strictSame(namesOf({ ...both, PROVIDERS: 'acme,acme' }), ['acme'])
  t.strictSame(namesOf({ ...both, PROVIDERS: ',' }), ['acme', 'road-runner'])
})

t.test('a provider with API keys is enabled by its API_URL or PROVIDERS', async t => {
  const { ACME_CLIENT_ID: _, ACME_CLIENT_SECRET: _1, ...without } = production
  t.strictSame(namesOf(both), ['acme', 'road-runner'], 'it is disabled by default')
  t.strictSame(namesOf({ ...both, PROVIDERS: 'keyed' }), ['keyed'])
  t.strictSame(namesOf({ ...both, KEYED_API_URL: 'https://api.keyed.example' }), ['acme', 'road-runner', 'keyed'])
  t.strictSame(namesOf({ ...without, PROVIDERS: 'keyed' }), ['keyed'], 'it is sufficient for production')
  t.strictSame(namesOf({ ...without, KEYED_API_URL: 'https://api.keyed.example' }), ['keyed'])
})

t.test('an API_URL that the runner of a job has set enables nothing', async t => {
  const ofRunner = { ...development, GITHUB_ACTIONS: 'true', KEYED_API_URL: keyed.api.baseUrl }
  t.strictSame(namesOf(ofRunner), [])
  t.strictSame(namesOf({ ...ofRunner, GITHUB_ACTIONS: undefined }), ['keyed'])
  t.strictSame(namesOf({ ...ofRunner, KEYED_API_URL: 'https://api.keyed.example' }), ['keyed'])
})

t.test('PROVIDERS lists known providers that have a client or API keys', async t => {
  t.strictSame(problemsOf({ ...both, PROVIDERS: 'acme,Umbrella' }), [
    'PROVIDERS: "Umbrella" is not a provider. Known providers are: acme, road-runner, keyed; for example PROVIDERS=acme.'
  ])
  for (const environment of [production, { ...development, ...pair('ACME') }])
    t.strictSame(problemsOf({ ...environment, PROVIDERS: 'road-runner' }), [
      'PROVIDERS lists road-runner, which has no OAuth client. Set one, for example ROAD_RUNNER_CLIENT_ID=abc123 and ROAD_RUNNER_CLIENT_SECRET_FILE=/run/secrets/road_runner_client_secret.'
    ])
  t.strictSame(problemsOf({ ...development, PROVIDERS: 'road-runner' }), [], 'the sandbox stands in for it when no client is configured')
  t.notOk(keyed.methods.oauth2)
})

t.test('the page for keys is the vendor’s, for the vendor’s own API', async t => {
  const keysUrl = 'https://acme.example/keys'
  const definition = providerWith({ methods: { apiKey: { ...apiKeyWith({ in: 'basic' }), keysUrl } } })
  const keysUrlAt = (apiUrl: string) =>
    readConfig({ ...development, ACME_API_URL: apiUrl }, [definition]).providers.get('acme')?.definition.methods.apiKey?.keysUrl
  t.equal(keysUrlAt('https://api.acme.example/v2'), keysUrl)
  t.equal(keysUrlAt('https://acme.internal/v1'), undefined)
})

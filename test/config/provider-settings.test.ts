import t from 'tap'
import { variablePrefix } from '../../src/config/provider-settings.ts'
import type { OAuth2Method } from '../../src/core/provider/provider.ts'
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

t.test('a client switches a provider on', async t => {
  t.strictSame(namesOf(development), [])
  t.strictSame(namesOf({ ...development, ...pair('ROAD_RUNNER') }), ['road-runner'])
  t.strictSame(namesOf(both), ['acme', 'road-runner'])
  const client = settingsOf({}, 'acme')?.client
  t.strictSame([client?.id, client?.secret.reveal(), client?.scopes], ['client', 'canary-secret', ['read']])
  t.strictSame(settingsOf({}, 'acme')?.definition, acme, 'without corrections the definition is as it was')
})

t.test('the id and the secret of a client go together', async t => {
  for (const environment of [development, production]) {
    for (const [given, missing] of [
      ['CLIENT_ID', 'CLIENT_SECRET'],
      ['CLIENT_SECRET', 'CLIENT_ID']
    ] as const)
      t.strictSame(problemsOf({ ...environment, [`ROAD_RUNNER_${given}`]: 'canary' }), [
        `ROAD_RUNNER_${missing} is missing: client id and secret go together, for example ROAD_RUNNER_${missing}=abc123, or ROAD_RUNNER_${missing}_FILE=/run/secrets/name.`
      ])
  }
})

t.test('SEC-40: a client that could not be sent is refused, and not repeated', async t => {
  for (const value of ['canary\n2', 'can\tary', 'canäry', 'canary\u200b']) {
    for (const [name, example] of [
      ['ACME_CLIENT_ID', 'ACME_CLIENT_ID=abc123'],
      ['ACME_CLIENT_SECRET', 'ACME_CLIENT_SECRET_FILE=/run/secrets/acme_client_secret']
    ] as const)
      t.strictSame(problemsOf({ ...both, [name]: value }), [
        `${name} holds a character that is not printable ASCII. Copy it again, for example ${example}.`
      ])
  }
  t.match(problemsOf({ ...both, ACME_SCOPES: 'read canäry' }), [/^ACME_SCOPES holds a character that is not printable ASCII\./])
})

t.test('ISSUER is an address, kept letter for letter', async t => {
  const issuerOf = (issuer: string) => methodOf({ ROAD_RUNNER_ISSUER: issuer }).issuer
  for (const issuer of ['https://other.example', 'https://other.example/', 'https://Other.example:443/a']) t.equal(issuerOf(issuer), issuer)
  for (const issuer of ['other.example', 'https://a b', 'https://other.example/?a', 'https://other.example#', 'mailto:a@b', 'https://'])
    t.strictSame(problemsOf({ ...both, ROAD_RUNNER_ISSUER: issuer }), [
      'ROAD_RUNNER_ISSUER must be an absolute http or https URL without query and fragment, for example ROAD_RUNNER_ISSUER=https://acme.example.'
    ])
})

t.test('a client for a provider without OAuth is a slip', async t => {
  t.strictSame(problemsOf({ ...development, ...pair('KEYED') }), ['KEYED_CLIENT_ID is set, but this provider has no OAuth. Remove it.'])
})

t.test('SEC-11: SCOPES replace those of the definition', async t => {
  for (const [text, scopes] of [
    ['a', ['a']],
    ['a b', ['a', 'b']],
    ['a,b', ['a', 'b']],
    [' a,  b\tc ', ['a', 'b', 'c']],
    ['', ['read']]
  ] as const)
    t.strictSame(settingsOf({ ACME_SCOPES: text }, 'acme')?.client?.scopes, scopes, JSON.stringify(text))
})

t.test('SEC-27: the addresses of a definition are corrected by variables, and by nothing else', async t => {
  const { oauth2 } = roadRunner.methods
  t.strictSame(methodOf({}), oauth2)
  t.equal(settingsOf({ ROAD_RUNNER_API_URL: 'https://other.example/v2/' })?.definition.api.baseUrl, 'https://other.example/v2')
  t.equal(settingsOf({ ROAD_RUNNER_API_URL: 'https://other.example/v2/' }, 'acme')?.definition.api.baseUrl, acme.api.baseUrl)
  t.strictSame(methodOf({ ROAD_RUNNER_REVOKE_URL: 'https://other.example/revoke/' }), {
    ...oauth2,
    revokeUrl: 'https://other.example/revoke/'
  })
  t.equal(
    methodOf({ ROAD_RUNNER_AUTHORIZE_URL: 'https://other.example/authorize?tenant=1' }).authorizeUrl,
    'https://other.example/authorize?tenant=1'
  )
  t.equal(methodOf({ ROAD_RUNNER_ISSUER: 'https://other.example' }).issuer, 'https://other.example')
  t.equal(roadRunner.methods.oauth2?.authorizeUrl, 'https://acme.example/authorize', 'the definition itself is left alone')
})

t.test('SEC-34: the origins that the operator has named are known, as serialized, and no others', async t => {
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
  const itself = roadRunner.api.baseUrl
  t.strictSame(settingsOf({ ROAD_RUNNER_API_URL: itself })?.trustedOrigins, [new URL(itself).origin], 'the vendor’s own, when named')
  t.strictSame(settingsOf({ ROAD_RUNNER_API_URL: itself }, 'acme')?.trustedOrigins, [])
})

t.test('with another token address, what the definition says of the old server gets no tokens', async t => {
  const { refreshUrl: _, revokeUrl: _1, ...rest } = roadRunner.methods.oauth2 as OAuth2Method
  const tokenUrl = 'https://other.example/token'
  t.strictSame(methodOf({ ROAD_RUNNER_TOKEN_URL: tokenUrl }), { ...rest, tokenUrl })
  const revokeUrl = 'https://other.example/revoke'
  t.strictSame(methodOf({ ROAD_RUNNER_TOKEN_URL: tokenUrl, ROAD_RUNNER_REVOKE_URL: revokeUrl }), { ...rest, tokenUrl, revokeUrl })
})

t.test('with another authorize address, the issuer of the old server is not waited for', async t => {
  const { issuer: _, ...rest } = roadRunner.methods.oauth2 as OAuth2Method
  const authorizeUrl = 'https://other.example/authorize'
  t.strictSame(methodOf({ ROAD_RUNNER_AUTHORIZE_URL: authorizeUrl }), { ...rest, authorizeUrl })
  const issuer = 'https://other.example'
  t.strictSame(methodOf({ ROAD_RUNNER_AUTHORIZE_URL: authorizeUrl, ROAD_RUNNER_ISSUER: issuer }), { ...rest, authorizeUrl, issuer })
})

t.test('a bad address is a problem that shows the one of the definition', async t => {
  for (const [suffix, example] of [
    ['API_URL', 'https://api.acme.example/v1'],
    ['AUTHORIZE_URL', 'https://acme.example/authorize'],
    ['TOKEN_URL', 'https://acme.example/token'],
    ['REVOKE_URL', 'https://provider.example.com/oauth/revoke']
  ] as const) {
    const name = `ACME_${suffix}`
    t.strictSame(problemsOf({ ...both, [name]: 'acme' }), [
      `${name} must be an absolute http or https URL, for example ${name}=${example}.`
    ])
    t.strictSame(problemsOf({ ...production, [name]: 'http://acme.example/x' }), [`${name} must be https, for example ${name}=${example}.`])
    t.strictSame(problemsOf({ ...production, [name]: 'http://localhost:1/x' }), [], 'loopback may do without')
    t.strictSame(problemsOf({ ...development, [name]: 'http://acme.example/x' }), [], 'and so may anything outside production')
  }
})

t.test('SEC-42: production asks for a provider', async t => {
  const { ACME_CLIENT_ID: _, ACME_CLIENT_SECRET: _1, ...without } = production
  t.strictSame(problemsOf(without), [
    'No provider is configured. Set a client of at least one, for example ACME_CLIENT_ID=abc123 and ACME_CLIENT_SECRET_FILE=/run/secrets/acme_client_secret.'
  ])
})

t.test('PROVIDERS chooses among those that are usable, in its order', async t => {
  t.strictSame(namesOf({ ...both, PROVIDERS: 'road-runner' }), ['road-runner'])
  t.strictSame(namesOf({ ...both, PROVIDERS: 'road-runner, acme' }), ['road-runner', 'acme'])
  t.strictSame(namesOf({ ...both, PROVIDERS: 'acme,acme' }), ['acme'])
  t.strictSame(namesOf({ ...both, PROVIDERS: ',' }), ['acme', 'road-runner'])
})

t.test('a provider with keys needs no client: its API address or its place in PROVIDERS puts it on offer', async t => {
  const { ACME_CLIENT_ID: _, ACME_CLIENT_SECRET: _1, ...without } = production
  t.strictSame(namesOf(both), ['acme', 'road-runner'], 'by itself it is not on offer')
  t.strictSame(namesOf({ ...both, PROVIDERS: 'keyed' }), ['keyed'])
  t.strictSame(namesOf({ ...both, KEYED_API_URL: 'https://api.keyed.example' }), ['acme', 'road-runner', 'keyed'])
  t.strictSame(namesOf({ ...without, PROVIDERS: 'keyed' }), ['keyed'], 'it is provider enough for production')
  t.strictSame(namesOf({ ...without, KEYED_API_URL: 'https://api.keyed.example' }), ['keyed'])
})

t.test('PROVIDERS names providers that exist and can be used', async t => {
  t.strictSame(problemsOf({ ...both, PROVIDERS: 'acme,Umbrella' }), [
    'PROVIDERS: there is no provider "Umbrella". There are: acme, road-runner, keyed; for example PROVIDERS=acme.'
  ])
  for (const environment of [production, { ...development, ...pair('ACME') }])
    t.strictSame(problemsOf({ ...environment, PROVIDERS: 'road-runner' }), [
      'PROVIDERS offers road-runner, which has no client. Set one, for example ROAD_RUNNER_CLIENT_ID=abc123 and ROAD_RUNNER_CLIENT_SECRET_FILE=/run/secrets/road_runner_client_secret.'
    ])
  t.strictSame(problemsOf({ ...development, PROVIDERS: 'road-runner' }), [], 'the sandbox plays it where nobody has a client')
  t.notOk(keyed.methods.oauth2)
})

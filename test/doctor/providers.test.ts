import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { oauth2With, providerWith } from '../core/support.ts'
import { type FakeProvider, json, startFakeProvider } from '../support/fake-provider.ts'
import { startTestSandbox } from '../support/gateway.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { examine, soundVariables } from './support.ts'

const area = 'providers'

/** What is found about the client at a token endpoint that responds like this. */
async function examineToken(t: Test, token: FakeProvider['token'], environment: Record<string, string> = {}) {
  const provider = await startFakeProvider(t)
  provider.token = token
  return { provider, ...(await examine(t, { ...soundVariables(t), ...provider.environment, ...environment })) }
}

const clientsOf = (environment: Readonly<Record<string, string | undefined>>) =>
  Object.keys(environment).filter(name => name.endsWith('_CLIENT_ID'))

t.test('every vendor of the sandbox accepts its client', async t => {
  const sandbox = await startTestSandbox(t, [3000])
  const { has, hasNoError, findings } = await examine(t, { ...soundVariables(t), ...sandbox.environment })
  const accepted = findings.filter(({ message }) => message.startsWith('accepts its client'))
  const untried = findings.filter(({ message }) => message.startsWith('its client is not tried here'))
  t.ok(accepted.length > untried.length, `${accepted.length} tried, ${untried.length} not`)
  t.equal(accepted.length + untried.length, clientsOf(sandbox.environment).length)
  has({ level: 'ok', area, message: /its API responds \(\d+\)/ })
  hasNoError()
})

t.test('every vendor of the sandbox refuses a wrong secret, which is not repeated', async t => {
  const sandbox = await startTestSandbox(t, [3000])
  const wrong = Object.fromEntries(
    Object.keys(sandbox.environment).flatMap(name => (name.endsWith('_CLIENT_SECRET') ? [[name, 'wrong-canary']] : []))
  )
  const { findings } = await examine(t, { ...soundVariables(t), ...sandbox.environment, ...wrong })
  const errors = findings.filter(({ level }) => level === 'error')
  const untried = findings.filter(({ message }) => message.startsWith('its client is not tried here'))
  t.equal(errors.length + untried.length, clientsOf(sandbox.environment).length)
  for (const error of errors) t.match(error, { area, message: /refuses its client: \d+ \w+/, cure: /_CLIENT_SECRET again/ })
  t.notMatch(JSON.stringify(findings), 'wrong-canary')
})

t.test('an unknown client is an error', async t => {
  const sandbox = await startTestSandbox(t, [3000])
  const { has } = await examine(t, { ...soundVariables(t), ...sandbox.environment, IGNITION_CLIENT_ID: 'unknown' })
  has({ level: 'error', area, subject: /^Ignition$/, message: /refuses its client/, cure: /IGNITION_CLIENT_ID/ })
})

t.test('a refusal of the code in a 200 shows that the client is accepted', async t => {
  const { has } = await examineToken(t, (_, response) => json(response, 200, { error: 'invalid_grant' }))
  has({ level: 'ok', area, message: /accepts its client/ })
})

t.test('a 401 without an OAuth error is an error', async t => {
  const { has } = await examineToken(t, (_, response) => json(response, 401, { message: 'no' }))
  has({ level: 'error', area, message: /refuses its client: 401/ })
})

t.test('a token URL at which nothing is is an error', async t => {
  const { has } = await examineToken(t, (_, response) => void response.writeHead(404).end('<h1>Not found</h1>'))
  has({ level: 'error', area, message: /no token endpoint.+404/, cure: /PRODUCTBOARD_TOKEN_URL/ })
})

t.test('a token URL that redirects is a warning', async t => {
  const { has } = await examineToken(t, (_, response) => void response.writeHead(302, { location: '/sign-in' }).end())
  has({ level: 'warning', area, message: /cannot be told/, cure: /PRODUCTBOARD_TOKEN_URL/ })
})

t.test('a page instead of a token response is a warning', async t => {
  const { has, hasNoError } = await examineToken(t, (_, response) => void response.writeHead(200).end('<h1>Welcome</h1>'))
  has({ level: 'warning', area, message: /cannot be told/, cure: /PRODUCTBOARD_TOKEN_URL/ })
  hasNoError()
})

t.test('a redirect address that is not registered is a warning with the address', async t => {
  const { has } = await examineToken(
    t,
    (_, response) => json(response, 400, { error: 'redirect_uri_mismatch', error_description: 'redirect_uri does not match' }),
    { PORT: '4711' }
  )
  const cure = /Register exactly http:\/\/localhost:4711\/auth\/productboard\/callback/
  has({ level: 'warning', area, message: /refuses the redirect address/, cure })
})

t.test('a token endpoint that is down is a warning', async t => {
  const { has, hasNoError } = await examineToken(t, (_, response) => json(response, 503, {}))
  has({ level: 'warning', area, message: /cannot be told: .*503/, cure: /run the check again/ })
  hasNoError()
})

t.test('a token endpoint that closes the connection is a warning', async t => {
  const { has, hasNoError } = await examineToken(t, (_, __, request) => void request.socket.destroy())
  has({ level: 'warning', area, message: /cannot be told: .*could not be reached/ })
  hasNoError()
})

t.test('a token endpoint that accepts any code is a warning', async t => {
  const { has, provider, findings } = await examineToken(t, (_, response) =>
    json(response, 200, { access_token: 'access-canary', token_type: 'Bearer' })
  )
  has({ level: 'warning', area, message: /accepted a code that was never issued/, cure: /PRODUCTBOARD_TOKEN_URL/ })
  t.notMatch(JSON.stringify(findings), 'canary')
  t.equal(provider.seen.token.length, 1)
  t.match(provider.seen.token[0]?.body.toString(), /code=grantkeeper-check-/)
})

t.test('an API in maintenance is a warning', async t => {
  const provider = await startFakeProvider(t)
  provider.api = (_, response) => void response.writeHead(503).end()
  const { has } = await examine(t, { ...soundVariables(t), ...provider.environment })
  has({ level: 'warning', area, message: /its API responds with 503/, cure: /status page/ })
})

t.test('an API gets one request without a credential', async t => {
  const provider = await startFakeProvider(t)
  await examine(t, { ...soundVariables(t), ...provider.environment })
  t.strictSame(
    provider.seen.api.map(({ method, url }) => `${method} ${url}`),
    ['HEAD /base']
  )
  t.notMatch(provider.seen.api[0]?.rawHeaders.join('\n'), /authorization|canary/i)
})

t.test('what depends on the user is named, and not looked up', async t => {
  const folder = temporaryFolder(t)
  const shop = { title: 'Shop', example: 'my-shop', suffix: '.acme.com' }
  const definition = providerWith({
    parameters: { shop },
    api: { baseUrl: 'https://{shop}.acme.com/v1' },
    methods: { oauth2: oauth2With({ authorizeUrl: 'https://{shop}.acme.com/authorize', tokenUrl: 'https://{shop}.acme.com/token' }) },
    sources: [{ facts: 'OAuth', confidence: 'guide', from: 'a blog', checked: '2026-11-28' }]
  })
  writeFileSync(join(folder, 'acme.json'), JSON.stringify(definition))
  const variables = { ...soundVariables(t), PROVIDERS_FROM: folder, ACME_CLIENT_ID: 'id', ACME_CLIENT_SECRET: 'secret' }
  const { has, hasNoError } = await examine(t, variables)
  has({ level: 'ok', area, subject: /^Acme$/, message: /^https:\/\/\{shop\}\.acme\.com depends on the user, and is not looked up here$/ })
  has({ level: 'ok', area, message: /its client is not tried here/ })
  has({ level: 'warning', area, message: /come from tutorials alone: OAuth/ })
  hasNoError()
  const others = await examine(t, soundVariables(t))
  t.notOk(
    others.findings.some(({ message }) => message.includes('tutorials alone')),
    'only those that are offered'
  )
})

t.test('an address that a fixed parameter completes is looked up', async t => {
  const provider = await startFakeProvider(t, 'ACME')
  provider.token = (_, response) => json(response, 400, { error: 'invalid_grant' })
  const folder = temporaryFolder(t)
  const region = { title: 'Region', example: 'eu', oneOf: { eu: 'Europe', us: 'United States' } }
  const definition = providerWith({ parameters: { region }, api: { baseUrl: 'https://api.acme.com/{region}' } })
  writeFileSync(join(folder, 'acme.json'), JSON.stringify(definition))
  const { has } = await examine(t, {
    ...soundVariables(t),
    PROVIDERS_FROM: folder,
    ...provider.environment,
    ACME_PARAMETER_REGION: 'us',
    ACME_API_URL: `${provider.origin}/{region}`
  })
  has({ level: 'ok', area, message: /its API responds/ })
  has({ level: 'ok', area, message: /accepts its client/ })
  t.equal(provider.seen.api.at(-1)?.url, '/us')
})

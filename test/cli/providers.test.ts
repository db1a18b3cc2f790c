import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { apiKeyWith, oauth2With, providerWith } from '../core/support.ts'
import { commandFile, runCommand } from '../support/command.ts'
import { fullDefinitions } from '../support/full-definitions.ts'

type Environment = Readonly<Record<string, string>>

const run = (t: Test, ...args: string[]) => runCommand(t, {}, 'providers', ...args)

/** Runs `providers try` with this on its standard input, which ends unless it is `undefined`. */
async function runTry(t: Test, input: string | undefined, args: readonly string[], environment: Environment = {}) {
  const child = spawn(process.execPath, [commandFile, 'providers', 'try', ...args], { env: { ...environment }, stdio: 'pipe' })
  t.teardown(() => child.kill('SIGKILL'))
  if (input !== undefined) child.stdin.end(input)
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code, output: output + errors, json: () => JSON.parse(output) }
}

/** Writes definitions as JSON. @returns their paths */
function definitionFiles(t: Test, definitions: Readonly<Record<string, unknown>>): Record<string, string> {
  const contents = Object.entries(definitions).map(([file, definition]) => [
    file,
    typeof definition === 'string' ? definition : JSON.stringify(definition)
  ])
  const folder = t.testdir(Object.fromEntries(contents))
  return Object.fromEntries(Object.keys(definitions).map(file => [file, join(folder, file)]))
}

/** Writes one definition as JSON, with this OAuth method. @returns its path */
const oauthFile = (t: Test, method: Parameters<typeof oauth2With>[0] = {}): string =>
  definitionFiles(t, { 'acme.json': providerWith({ methods: { oauth2: oauth2With(method) } }) })['acme.json'] ?? ''

t.test('the list has every known provider, and which of them are on', async t => {
  const environment = { PRODUCTBOARD_CLIENT_ID: 'id', PRODUCTBOARD_CLIENT_SECRET: 'the-secret' }
  const { code, output } = await runCommand(t, environment, 'providers', '--json')
  t.equal(code, 0)
  const rows = JSON.parse(output) as { name: string; isOn: boolean }[]
  const names = (await loadProviders()).map(({ name }) => name)
  t.strictSame(
    rows.map(({ name }) => name),
    names
  )
  t.strictSame(
    rows.filter(({ isOn }) => isOn).map(({ name }) => name),
    ['productboard']
  )
  const lines = await runCommand(t, environment, 'providers')
  t.match(lines.output, /^productboard\tProductboard\toauth2,api_key\ton\tbuilt in$/m)
  t.notMatch(lines.output + output, /the-secret/)
})

t.test('the list says what switches a provider on', async t => {
  const { code, output } = await runCommand(t, { NODE_ENV: 'production' }, 'providers')
  t.equal(code, 0, 'an environment without providers is no problem here')
  t.match(output, /^ignition\t.+off \(needs IGNITION_CLIENT_ID\)/m)
  t.match(output, /None is on/)
})

t.test('the list says where each definition is from', async t => {
  const { 'mine.json': file = '' } = definitionFiles(t, { 'mine.json': providerWith({ name: 'outgrow' }), 'bad.json': {} })
  const { code, output } = await runCommand(t, { PROVIDERS_FROM: dirname(file) }, 'providers')
  t.equal(code, 0, output)
  t.match(output, /^outgrow\tAcme\toauth2\t.+\t.*mine\.json$/m)
  t.match(output, /^Warning: .*mine\.json replaces our definition of outgrow/m)
  t.match(output, /^bad\t-\t-\tcannot be used\t.*bad\.json$/m)
  t.match(output, /^Warning: .*bad\.json: title .+\.$/m)
  t.match(output, /^Warning: .*bad\.json: color .+\.$/m)
  const list = await runCommand(t, { PROVIDERS_FROM: dirname(file) }, 'providers', 'list')
  // Both streams in one text: their lines come in whatever order.
  t.strictSame(list.output.split('\n').sort(), output.split('\n').sort())
})

t.test('a malformed setting of a provider exits with 78', async t => {
  const { code, output } = await runCommand(t, { IGNITION_API_URL: 'ftp://x' }, 'providers')
  t.equal(code, 78)
  t.match(output, /IGNITION_API_URL must be/)
})

t.test('check accepts definitions in JSON, TypeScript and JavaScript', async t => {
  const definition = (name: string) => JSON.stringify(providerWith({ name }))
  const files = Object.values(
    definitionFiles(t, {
      'a.json': `\ufeff${definition('a')}`,
      'b.ts': `const name: string = 'b'\nexport default { ...${definition('a')}, name }`,
      // As `defineProvider` of the package returns it.
      'c.mjs': `export default Object.defineProperties(() => {}, Object.getOwnPropertyDescriptors(${definition('c')}))`
    })
  )
  const { code, output } = await run(t, 'check', ...files, join('providers', 'productboard.ts'))
  t.equal(code, 0, output)
  t.match(output, /a\.json: a is valid\.\n.+b\.ts: b is valid\.\n.+c\.mjs: c is valid\.\n.+productboard is valid\.\n/)
})

t.test('check names every problem of every file, and exits with 1', async t => {
  const files = definitionFiles(t, {
    'good.json': providerWith({}),
    'bad.json': { ...providerWith({}), color: 'red', colour: '#ff0000' },
    'same-name.json': providerWith({}),
    'broken.json': '{',
    'broken.ts': 'export default {',
    'thrown.ts': 'throw new Error("no luck")',
    'empty.ts': 'export {}',
    'acme.yaml': 'name: acme'
  })
  const { code, output } = await run(t, 'check', ...Object.values(files), '/absent/acme.json')
  t.equal(code, 1)
  for (const [file, problems] of [
    ['good.json', / acme is valid\./],
    ['bad.json', / 2 problems\n {2}- colour is not a field .+ Did you mean color\?\n {2}- color must be #rrggbb/],
    ['same-name.json', / 1 problem\n {2}- name is "acme", as in .+good\.json/],
    ['broken.json', / 1 problem\n {2}- cannot be loaded: .*JSON/],
    ['broken.ts', / 1 problem\n {2}- cannot be loaded: line 1: /],
    ['thrown.ts', / 1 problem\n {2}- cannot be loaded: no luck/],
    ['empty.ts', / 1 problem\n {2}- has no definition: a file has it as its default export/],
    ['acme.yaml', / 1 problem\n {2}- must end in \.json, \.ts, \.mts, \.js or \.mjs/]
  ] as const)
    t.match(output, new RegExp(`/${file}:${problems.source}`), file)
  t.match(output, /\/absent\/acme\.json: 1 problem\n {2}- cannot be read \(ENOENT\)/)
  t.notMatch(output, /^ +at /m, 'no stack')
})

t.test('what is from a guide alone is a warning, and no problem', async t => {
  const sources = [{ facts: 'OAuth', confidence: 'guide', from: 'a blog', checked: '2026-11-28' }]
  const { 'acme.json': file = '' } = definitionFiles(t, { 'acme.json': { ...providerWith({}), sources } })
  const { code, output } = await run(t, 'check', file)
  t.equal(code, 0)
  t.match(output, /acme is valid\.\n {2}- warning: "OAuth" is from a guide alone: try it before your users do\n$/)
})

t.test('what a start with OAuth needs for a host that users name is a warning', async t => {
  const definition = providerWith({
    parameters: { server: { title: 'Server', example: 'erp.acme.com', isHost: true } },
    api: { baseUrl: 'https://{server}/api' }
  })
  const { 'acme.json': file = '', 'keys.json': keys = '' } = definitionFiles(t, {
    'acme.json': definition,
    'keys.json': { ...definition, name: 'keys', methods: { apiKey: apiKeyWith({ in: 'basic' }) } }
  })
  const { code, output } = await run(t, 'check', file, keys)
  t.equal(code, 0)
  t.match(output, /acme is valid\.\n {2}- warning: parameters\.server is a host that users name: .+ ACME_HOSTS, .+ ACME_PARAMETER_SERVER=/)
  t.match(output, /keys is valid\.\n$/, 'a key goes where its own user says')
})

t.test('an account from an ID token that is not asked for is a warning', async t => {
  const account = { from: 'id_token', id: '/sub' } as const
  const withScopes = (...scopes: string[]) => providerWith({ methods: { oauth2: oauth2With({ account, scopes }) } })
  const { 'acme.json': file = '', 'other.json': other = '' } = definitionFiles(t, {
    'acme.json': withScopes('email'),
    'other.json': { ...withScopes('openid'), name: 'other' }
  })
  const { output } = await run(t, 'check', file, other)
  t.match(output, /acme is valid\.\n {2}- warning: methods\.oauth2\.scopes is without openid/)
  t.match(output, /other is valid\.\n$/)
})

t.test('check reads each definition of a list', async t => {
  const { 'all.json': file = '' } = definitionFiles(t, {
    'all.json': [providerWith({ name: 'a' }), providerWith({ name: 'b', color: 'red' })]
  })
  const { code, output } = await run(t, 'check', file)
  t.equal(code, 1)
  t.match(output, /all\.json: a is valid\.\n.+all\.json: 1 problem\n {2}- color must be #rrggbb\n$/)
})

t.test('check says what to do about a module that Node.js takes for CommonJS', async t => {
  const files = definitionFiles(t, {
    'package.json': { type: 'commonjs' },
    'a.ts': "import { sep } from 'node:path'\nmodule.exports = { name: sep }",
    'b.ts': `import { sep } from 'node:path'\nexport default { ...${JSON.stringify(providerWith({ name: 'b' }))}, title: sep }`
  })
  const { code, output } = await run(t, 'check', files['a.ts'] ?? '', files['b.ts'] ?? '')
  t.equal(code, 1)
  t.match(output, /line 1: .+ outside a module\. .+ name it \.mts .+"type": "module" in the package\.json beside it\.\n/)
  t.match(output, /b\.ts: b is valid\./, 'what only a module has, makes it one')
})

t.test('check reads every definition of a folder', async t => {
  const { 'a.json': file = '' } = definitionFiles(t, {
    'a.json': providerWith({ name: 'a' }),
    'b.ts': `export default ${JSON.stringify(providerWith({ name: 'b', color: 'red' }))}`,
    'c.yaml': 'name: c',
    'package.json': '{}',
    'README.md': '# Ours'
  })
  const { code, output } = await run(t, 'check', dirname(file))
  t.equal(code, 1)
  t.match(output, /^.+a\.json: a is valid\.\n.+b\.ts: 1 problem\n {2}- color .+\n.+c\.yaml: 1 problem\n {2}- must end in .+\n$/)
  const { 'README.md': readme = '' } = definitionFiles(t, { 'README.md': '' })
  const empty = await run(t, 'check', dirname(readme))
  t.equal(empty.code, 1)
  t.match(empty.output, / 1 problem\n {2}- has no definition: no file whose name ends in \.json/)
})

t.test('check refuses a name whose variables are the gateway’s, as a start does', async t => {
  const { 'login.json': file = '' } = definitionFiles(t, { 'login.json': providerWith({ name: 'login' }) })
  const { code, output } = await run(t, 'check', file)
  t.equal(code, 1)
  t.match(output, /name must not be "login", by which settings of the gateway begin/)
})

t.test('new says that it replaces a definition of ours, and which kind of module it writes', async t => {
  const folder = t.testdir()
  const program = async (...args: string[]) => {
    const child = spawn(process.execPath, [commandFile, 'providers', 'new', ...args], { cwd: folder, env: {}, stdio: 'pipe' })
    const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
    return output
  }
  t.match(
    await program('github', '--ts'),
    /has a definition of github already: where PROVIDERS_FROM names github\.ts, it replaces that one/
  )
  const plain = await program('shoply', '--ts')
  t.match(plain, /ECMAScript module.+"type": "module" in package\.json, or by the name shoply\.mts/)
  t.notMatch(plain, /replaces/)
  t.notMatch(await program('shoply'), /replaces|module/)
})

t.test('a reader of the list may leave early', async t => {
  const child = spawn(process.execPath, [commandFile, 'providers'], { env: {}, stdio: 'pipe' })
  child.stdout.destroy()
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  t.strictSame({ errors, code }, { errors: '', code: 0 })
})

t.test('check names the problems of a file that calls defineProvider itself', async t => {
  const module = join(import.meta.dirname, '..', '..', 'src', 'core', 'provider', 'define-provider.ts')
  const { 'acme.ts': file = '' } = definitionFiles(t, {
    'acme.ts': `import { defineProvider } from ${JSON.stringify(module)}\nexport default defineProvider(${JSON.stringify({ ...providerWith({}), color: 'red', title: '' })})`
  })
  const { code, output } = await run(t, 'check', file, '--json')
  t.equal(code, 1)
  t.strictSame(JSON.parse(output), { file, problems: ['title is empty: it must be text', 'color must be #rrggbb'], warnings: [] })
})

t.test('try shows the authorization URL and the requests of a definition', async t => {
  const file = oauthFile(t, {
    authorizeUrl: 'https://acme.example/authorize?tenant=1',
    refreshUrl: 'https://refresh.acme.example/token',
    revokeUrl: 'https://acme.example/revoke',
    authorizeParams: { prompt: 'consent' },
    tokenParams: { audience: 'it’s' },
    scopes: ['a', 'b'],
    clientAuthentication: 'basic'
  })
  const { code, output } = await runTry(t, '', [file], { PUBLIC_URL: 'https://connect.example.com', ACME_CLIENT_ID: 'client-7' })
  t.equal(code, 0, output)
  const url = new URL(/https:\/\/acme\.example\/authorize\S+/.exec(output)?.[0] ?? '')
  t.match(Object.fromEntries(url.searchParams), {
    tenant: '1',
    response_type: 'code',
    client_id: 'client-7',
    redirect_uri: 'https://connect.example.com/auth/acme/callback',
    scope: 'a b',
    prompt: 'consent',
    code_challenge_method: 'S256'
  })
  for (const shown of [
    /curl 'https:\/\/acme\.example\/token'.+?--user 'client-7:CLIENT_SECRET'.+?grant_type=authorization_code&.*code=AUTHORIZATION_CODE/s,
    /curl 'https:\/\/refresh\.acme\.example\/token'.+?grant_type=refresh_token&refresh_token=REFRESH_TOKEN/s,
    /curl 'https:\/\/acme\.example\/revoke'.+?token=REFRESH_TOKEN/s,
    /curl 'https:\/\/api\.acme\.example\/v1\/PATH' .+?--header 'authorization: Bearer ACCESS_TOKEN'/s
  ])
    t.match(output, shown)
})

t.test('a shell sends what try shows, and the verifier fits the challenge', async t => {
  const requests: { url: string; body: URLSearchParams }[] = []
  const server = createServer(async (req, res) => {
    requests.push({ url: req.url ?? '', body: new URLSearchParams(await text(req)) })
    res.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const environment = { ACME_TOKEN_URL: `http://127.0.0.1:${port}/token`, ACME_CLIENT_ID: "it's" }
  const { output } = await runTry(t, '', [oauthFile(t)], environment)
  const [, command = ''] = /Token request:\n\n([\s\S]+?)\n\n/.exec(output) ?? []
  const shell = spawn('sh', ['-c', command], { stdio: 'ignore' })
  const [code] = await once(shell, 'close')
  t.equal(code, 0)
  t.equal(requests[0]?.url, '/token')
  const { client_id: clientId, code_verifier: verifier = '', code: sentCode } = Object.fromEntries(requests[0]?.body ?? [])
  t.equal(clientId, "it's")
  t.equal(sentCode, 'AUTHORIZATION_CODE')
  const digest = await crypto.subtle.digest('SHA-256', Buffer.from(verifier))
  t.match(output, `code_challenge=${Buffer.from(digest).toString('base64url')}`)
})

t.test('try shows how a key is checked', async t => {
  const apiKey = apiKeyWith({ in: 'query', name: 'key' })
  const { 'acme.json': file = '' } = definitionFiles(t, { 'acme.json': providerWith({ methods: { apiKey } }) })
  const { code, output } = await run(t, 'try', file)
  t.equal(code, 0, output)
  t.match(output, /Check of the API key:\n\n {2}curl 'https:\/\/api\.acme\.example\/v1\/me\?key=API_KEY'/)
  const refused = await run(t, 'try', file, '--response', file)
  t.equal(refused.code, 64)
  t.match(refused.output, /has no oauth2/)
})

t.test('try says what the gateway finds in a token response, and repeats no token', async t => {
  const file = oauthFile(t, { scopes: ['a', 'b'], account: { from: 'token', id: '/team/id', name: '/team/name' } })
  const response = { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: '60', scope: 'a', team: { id: 7, name: 'Ada' } }
  const { code, output } = await runTry(t, JSON.stringify(response), [file])
  t.equal(code, 0, output)
  for (const found of [
    /access token +8 characters/,
    /refresh token +yes/,
    /lifetime +60 s/,
    /scopes +a\n/,
    /account +Ada, id 7/,
    /not granted: b\./
  ])
    t.match(output, found)
  t.notMatch(output, /access-1|refresh-1/)
})

t.test('try reads an ID token for the client that is given', async t => {
  const file = oauthFile(t, { scopes: ['openid'], account: { from: 'id_token', id: '/sub' } })
  const claims = Buffer.from('{"aud":"client-7","sub":"user-9"}').toString('base64url')
  const response = JSON.stringify({ access_token: 'a', id_token: `e30.${claims}.x` })
  const known = await runTry(t, response, [file, '--client-id', 'client-7', '--json'])
  t.match(known.json().response, { isAccepted: true, accountId: 'user-9', hasRefreshToken: false })
  const unknown = await runTry(t, response, [file])
  t.match(unknown.output, /The account is not found.+\/sub/)
  t.match(unknown.output, /give --client-id, or set ACME_CLIENT_ID/)
})

t.test('try says why a token response would be refused, and exits with 1', async t => {
  const plain = oauthFile(t, { refusals: [{ pointer: '/why', oneOf: ['gone'], means: 'invalid_grant' }] })
  const cases: ReadonlyArray<readonly [response: string, args: readonly string[], found: RegExp]> = [
    ['{"data":{"token":"access-1"}}', [], /has no access_token[\s\S]+is read at \/access_token[\s\S]+It has: \/data\/token\n/],
    ['{"why":"gone"}', ['--status', '418'], /the grant has ended, and the user has to connect again/],
    ['{"error":"invalid_client"}', ['--status', '401'], /the operator’s client is rejected/],
    ['{"error":"odd_thing"}', ['--status', '400'], /\(odd_thing\)[\s\S]+It ends no grant by itself/],
    ['sorry', ['--status', '503'], /responded with 503[\s\S]+as after any 503/],
    ['<html>', [], /cannot be read/]
  ]
  await Promise.all(
    cases.map(async ([response, args, found]) => {
      const { code, output } = await runTry(t, response, [plain, ...args])
      t.equal(code, 1, response)
      t.match(output, found, response)
      t.notMatch(output, /access-1|^ +at /m)
    })
  )
})

const [acme, umbrella] = fullDefinitions

t.test('try shows all that a definition can say, with what users give', async t => {
  const { 'acme.json': file = '' } = definitionFiles(t, { 'acme.json': acme })
  const { code, output } = await run(t, 'try', file, '--parameter', 'shop=https://main.acme.com/admin', '--parameter', 'email=bo@acme.com')
  t.equal(code, 0, output)
  for (const shown of [
    /^With shop=main, region=eu, developer_token=DEVELOPER_TOKEN, email=bo@acme\.com \(/m,
    /opens this URL:\n\n {2}https:\/\/main\.acme\.com\/authorize\?.*user_scope=orders%3Aread.*response_mode=form_post/,
    /with a POST of these parameters, .+:\n\n.+callback\?code=AUTHORIZATION_CODE&state=…&realmId=1\n/,
    /Token request:\n\n {2}curl 'https:\/\/main\.acme\.com\/token'[^\n]+\n.+?"client_password":"CLIENT_ASSERTION"/s,
    /Request for the token that is kept:\n\n {2}curl 'https:\/\/main\.acme\.com\/upgrade\?token=ACCESS_TOKEN'[\s\S]+?--user 'CLIENT_ID:CLIENT_ASSERTION'/,
    /Refresh request:\n\n {2}curl 'https:\/\/main\.acme\.com\/refresh'[\s\S]+?REFRESH_TOKEN/,
    /Revocation request:\n\n {2}curl 'https:\/\/main\.acme\.com\/revoke'/,
    /with the token:\n\n {2}curl 'https:\/\/main\.acme\.com\/v1\/orders\?version=2' [\s\S]+?x-region: eu'[\s\S]+?authorization: Acme ACCESS_TOKEN'/,
    /with the token below \/feed:\n\n {2}curl 'https:\/\/main\.acme\.com\/v1\/feed\/ACCESS_TOKEN\/PATH/,
    /at the base lists:\n\n {2}curl 'https:\/\/lists\.acme\.com\/orders\?version=2&token=ACCESS_TOKEN'/,
    /Look-up after connecting:\n\n {2}curl 'https:\/\/main\.acme\.com\/v1\/sites\?version=2'[\s\S]+?--data '\{"all":true\}'/,
    /Which account it is:\n\n {2}curl 'https:\/\/main\.acme\.com\/v1\/me/,
    /with the API key:\n[\s\S]+?--user 'bo@acme\.com\/token:API_KEY'/,
    /Check of the API key:\n\n {2}curl 'https:\/\/main\.acme\.com\/check/
  ])
    t.match(output, shown)
  t.notMatch(output, /127\.0\.0\.1|eyJ/)
})

t.test('try shows how a key is exchanged, and a grant renewed and revoked in the vendor’s own way', async t => {
  const { 'umbrella.json': file = '' } = definitionFiles(t, { 'umbrella.json': umbrella })
  const { code, output } = await run(t, 'try', file)
  t.equal(code, 0, output)
  for (const shown of [
    /Refresh request:\n\n {2}curl 'https:\/\/umbrella\.com\/token'[\s\S]+?--data 'token=ACCESS_TOKEN'/,
    /Revocation request:\n\n {2}curl 'https:\/\/umbrella\.com\/revoke' \\\n {4}--request DELETE/,
    /Exchange of the API key for an access token:\n\n {2}curl 'https:\/\/umbrella\.com\/token'[\s\S]+?--data 'key=API_KEY'/,
    /Revocation of that token:\n\n {2}curl 'https:\/\/umbrella\.com\/revoke'/,
    /with the token of the API key:\n\n {2}curl 'https:\/\/erp\.umbrella\.com\/api\/PATH\?access_token=ACCESS_TOKEN'/
  ])
    t.match(output, shown)
})

t.test('try shows the values that a token response has, or which one is missing', async t => {
  const method = {
    values: {
      instance: { from: 'token', pointer: '/instance_url', suffix: '.acme.com', example: 'https://eu.acme.com' },
      bot: { from: 'token', pointer: '/bot', secret: true, example: 'x' }
    }
  } as const
  const file = oauthFile(t, method)
  const response = { access_token: 'access-1', instance_url: 'https://na7.acme.com', bot: 'bot-secret' }
  const found = await runTry(t, JSON.stringify(response), [file])
  t.equal(found.code, 0, found.output)
  t.match(found.output, /instance +https:\/\/na7\.acme\.com\n {2}bot +10 characters\n/)
  t.notMatch(found.output, /bot-secret/)
  const left = await runTry(t, JSON.stringify({ ...response, instance_url: 'https://acme.example' }), [file])
  t.equal(left.code, 1)
  t.match(left.output, /instance is not at a host of the provider\n {2}Nothing is connected/)
})

t.test('try reads a response from a file', async t => {
  const files = definitionFiles(t, { 'acme.json': providerWith({}), 'response.txt': 'access_token=abc&token_type=bearer' })
  const { code, output } = await run(t, 'try', files['acme.json'] ?? '', '--response', files['response.txt'] ?? '')
  t.equal(code, 0, output)
  t.match(output, /access token +3 characters/)
})

t.test('try does not wait for a pipe to which nothing is written', async t => {
  const { code, output } = await runTry(t, undefined, [oauthFile(t)])
  t.equal(code, 0, output)
  t.match(output, /Token request/)
  t.notMatch(output, /The gateway/)
})

t.test('try names the problems of an invalid definition, and exits with 1', async t => {
  const { 'acme.json': file = '' } = definitionFiles(t, { 'acme.json': { ...providerWith({}), color: 'red' } })
  const { code, output } = await run(t, 'try', file)
  t.equal(code, 1)
  t.match(output, /cannot be tried:\n {2}- color must be #rrggbb\n/)
  t.match((await run(t, 'try', dirname(file))).output, /cannot be tried:\n {2}- is not a file/)
})

t.test('test plays a definition and what users do with it, and exits with 0', async t => {
  const definition = providerWith({ methods: { oauth2: oauth2With({}), apiKey: apiKeyWith({ in: 'header', name: 'x-key' }) } })
  const { 'acme.json': file = '' } = definitionFiles(t, { 'acme.json': definition })
  const { code, output } = await run(t, 'test', file)
  t.equal(code, 0, output)
  t.match(output, /^ok {6}a user signs in and is asked for the scopes$/m)
  t.match(output, /^ok {6}a key that the user disconnects is gone$/m)
  t.match(output, /^- {7}Acme lists nothing to choose from\.$/m, 'and why a step says nothing of it')
})

t.test('test names the step that does not hold, and exits with 1', async t => {
  // A valid definition that contradicts itself: an object is no id.
  const file = oauthFile(t, { account: { from: 'token', id: '/user', name: '/user/name' } })
  const { code, output } = await run(t, 'test', file)
  t.equal(code, 1)
  t.match(
    output,
    /^FAILED {2}a sign-in of an account that is connected replaces its connection, which goes on\n {10}there are 2 connections/m
  )
  t.notMatch(output, /a second account/, 'nothing comes after it')
  const json = await run(t, 'test', file, '--json')
  const steps = json.output.trim().split('\n')
  t.match(JSON.parse(steps.find(line => line.includes('problem')) ?? ''), { provider: 'acme', method: 'oauth2', problem: /2 connections/ })
})

t.test('test names the problems of an invalid definition, and exits with 1', async t => {
  const { 'acme.json': file = '' } = definitionFiles(t, { 'acme.json': { ...providerWith({}), color: 'red' } })
  const { code, output } = await run(t, 'test', file)
  t.equal(code, 1)
  t.match(output, /cannot be tested:\n {2}- color must be #rrggbb\n/)
})

t.test('bad arguments exit with 64', async t => {
  const file = oauthFile(t)
  const cases: ReadonlyArray<readonly [args: readonly string[], problem: RegExp]> = [
    [['chekc'], /chekc is not known\. Did you mean check\?/],
    [['check'], /check needs at least one FILE/],
    [['list', 'acme'], /list takes no names, such as acme/],
    [['new'], /new needs one NAME/],
    [['new', 'Acme'], /lower-case words joined by "-", not "Acme"/],
    [['new', 'login'], /settings of the gateway begin/],
    [['check', file, '--ts'], /--ts belongs to "providers new NAME"/],
    [['try'], /try needs one FILE/],
    [['try', file, file], /try needs one FILE/],
    [['test'], /test needs one FILE/],
    [['try', file, '--status', '99'], /--status is the HTTP status/],
    [['try', file, '--client-id', ''], /--client-id is empty/],
    [['try', file, '--response', '/absent'], /--response \/absent cannot be read \(ENOENT\)/],
    [['try', file, '--parameter', 'shop'], /--parameter is NAME=VALUE/],
    [['try', file, '--parameter', 'shop=x'], /Acme has no such parameter\./],
    [['check', file, '--parameter', 'a=b'], /belong to "providers try FILE"/],
    [['check', file, '--status', '200'], /belong to "providers try FILE"/],
    [['--jsn'], /Did you mean --json\?/]
  ]
  await Promise.all(
    cases.map(async ([args, problem]) => {
      const { code, output } = await run(t, ...args)
      t.equal(code, 64, args.join(' '))
      t.match(output, problem)
    })
  )
})

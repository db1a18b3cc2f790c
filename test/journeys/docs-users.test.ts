import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { build, type Loader } from 'esbuild'
import { SignJWT } from 'jose'
import { renderToString } from 'react-dom/server'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { loadProviders } from '../../src/config/load-providers.ts'
import { newUser, startChromium } from '../support/chromium.ts'
import { installCommand } from '../support/command.ts'
import { json } from '../support/fake-provider.ts'
import { freePort } from '../support/free-port.ts'
import { startFrontend } from '../support/frontend.ts'
import { newKey, startGateway, startTestSandbox } from '../support/gateway.ts'
import { audience, bearerEnvironment, startUserGateway } from '../support/users.ts'

/** The code blocks of docs/users.md, by the name in their first line. They run as they are printed, up to host names. */
const blocks = new Map(
  [...readFileSync('docs/users.md', 'utf8').matchAll(/^```(\w+)\n(?:\/\/|#) (.*)\n([\s\S]*?)^```$/gm)].map(
    ([, language = '', name = '', code = '']) => [name, { language, code }] as const
  )
)
const unused = new Set(blocks.keys())

type Hosts = { readonly gateway: string; readonly frontend?: string }

function codeOf(name: string, { gateway, frontend = 'https://app.example.org' }: Hosts): string {
  const block = blocks.get(name)
  if (!block) throw new Error(`docs/users.md has no block ${name}`)
  unused.delete(name)
  // The audience of tokens is a name, and stays.
  return block.code.replaceAll(/(?<!aud: ')https:\/\/connect\.example\.com/g, gateway).replaceAll('https://app.example.org', frontend)
}

/** What a recipe imports of an app, by specifier. */
type AppModules = Readonly<Record<string, string>>

type Module = { readonly code: string; readonly loader: Loader }

/** A module with what it imports. The package is our source. */
async function bundleModule({ code, loader }: Module, modules: AppModules = {}, define: Record<string, string> = {}): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, loader, resolveDir: process.cwd() },
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', ...define },
    plugins: [
      {
        name: 'app',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^grantkeeper\// }, ({ path }) => ({ path: `${process.cwd()}/src/browser/${path.slice(12)}.ts` }))
          onResolve({ filter: /./ }, ({ path }) => (Object.hasOwn(modules, path) ? { path, namespace: 'app' } : undefined))
          onLoad({ filter: /./, namespace: 'app' }, ({ path }) => ({ contents: modules[path] ?? '' }))
        }
      }
    ]
  })
  return outputFiles[0]?.text ?? ''
}

const moduleOf = (name: string, hosts: Hosts): Module => ({
  code: codeOf(name, hosts),
  loader: blocks.get(name)?.language as Loader
})

// biome-ignore lint/suspicious/noExplicitAny: the exports of a recipe are those of JavaScript
type RecipeExports = any

async function load(...args: Parameters<typeof bundleModule>): Promise<RecipeExports> {
  return import(`data:text/javascript;base64,${Buffer.from(await bundleModule(...args)).toString('base64')}`)
}

const { createClient } = await load({ code: `export * from 'grantkeeper/client'`, loader: 'ts' })

/** Runs a recipe that uses a client. @returns what it has declared */
const run = (name: string, hosts: Hosts, grantkeeper: unknown, returned: string): Promise<RecipeExports> =>
  new Function('grantkeeper', `return (async () => { ${codeOf(name, hosts)}\nreturn { ${returned} } })()`)(grantkeeper)

const execute = promisify(execFile)
const path = process.env.PATH ?? ''

/** The variables that a block sets in a shell. */
async function variablesOf(name: string, hosts: Hosts): Promise<Record<string, string>> {
  const { stdout } = await execute('sh', ['-c', `set -a\n${codeOf(name, hosts)}\nenv -0`], { env: { PATH: path } })
  const known = /^(JWT_|SERVICE_KEYS$|LOGIN_|ALLOWED_ORIGINS$|KEY$)/
  return Object.fromEntries(
    stdout
      .split('\0')
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
      .filter(([variable = '']) => known.test(variable))
  )
}

const asItIs: Hosts = { gateway: 'https://connect.example.com' }
const signIn = `export const auth = async () => ({ user: { id: '42', name: 'Ada' } })`
const notes = { data: [{ id: 'n1', fields: { name: 'Refill pouches' } }] }

/** A gateway whose provider has a note. */
async function startWithNotes(t: Test, environment: Record<string, string> = {}) {
  const users = await startUserGateway(t, { environment })
  users.provider.api = ({ url }, response) => (url.startsWith('/base/v2/notes') ? json(response, 200, notes) : json(response, 404, {}))
  return { ...users, hosts: { gateway: users.gateway.url, frontend: users.frontend } }
}

t.test('every way to name users has a configuration that starts', async t => {
  const configOf = async (name: string) => {
    const variables = { DATA_DIR: t.testdir(), PUBLIC_URL: asItIs.gateway, ...(await variablesOf(name, asItIs)) }
    const ready = {
      NODE_ENV: 'production',
      SESSION_KEYS: newKey(),
      TOKEN_KEYS: newKey(),
      IGNITION_CLIENT_ID: 'a',
      IGNITION_CLIENT_SECRET: 'b'
    }
    return readConfig({ ...ready, ...variables }, await loadProviders())
  }
  const issuer = await configOf('environment: tokens of an issuer')
  t.match(issuer.bearer.jwt, { issuer: 'https://login.example.com/', userClaim: 'sub', keys: { kind: 'issuer' } })
  t.ok(issuer.allowedOrigins.hasForBearer('https://pr-7.preview.example.org'))
  t.match((await configOf('environment: tokens that your own server signs')).bearer.jwt, { keys: { kind: 'secrets' } })
  t.match((await configOf('environment: a service key')).bearer.serviceKeys, [{ name: 'nightly', mayReadTokens: false }])
  t.match((await configOf('environment: sign-in at an OpenID provider')).login, { issuer: 'https://login.example.com' })
})

t.test('Next.js: a page and its server use the connection of one user', async t => {
  const secret = newKey()
  const { hosts, follow, frontend, keys } = await startWithNotes(t, { JWT_SECRETS: secret })
  const modules = { '@/auth': signIn }
  const route = await load(moduleOf('app/api/grantkeeper-token/route.ts', hosts), modules, {
    'process.env.JWT_SECRETS': JSON.stringify(secret)
  })
  const nobody = { '@/auth': 'export const auth = async () => null' }
  const signedOut = await load(moduleOf('app/api/grantkeeper-token/route.ts', hosts), nobody, {
    'process.env.JWT_SECRETS': JSON.stringify(secret)
  })
  t.equal((await signedOut.GET()).status, 401)

  const requested: string[] = []
  const pageFetch = (url: string) => {
    requested.push(url)
    return route.GET()
  }
  Object.assign(globalThis, { pageFetch })
  const { grantkeeper } = await load(moduleOf('app/grantkeeper.ts', hosts), {}, { fetch: 'globalThis.pageFetch' })
  const { url } = await grantkeeper.begin('productboard', { returnTo: `${frontend}/notes` })
  t.match(await grantkeeper.complete((await follow(url)).href), { provider: 'productboard', status: 'connected' })
  t.same(await (await grantkeeper.fetch('productboard', '/v2/notes')).json(), notes)
  t.same(requested, ['/api/grantkeeper-token'], 'the token is kept')

  const define = { 'process.env.GRANTKEEPER_KEY': JSON.stringify(keys.plain) }
  const server = await load(moduleOf('app/notes/page.tsx', hosts), modules, define)
  t.equal(renderToString(await server.default()), '<ul><li>Refill pouches</li></ul>')
  const stranger = { '@/auth': signIn.replace('42', '43') }
  const strangers = await load(moduleOf('app/notes/page.tsx', hosts), stranger, define)
  t.equal(renderToString(await strangers.default()), '<p>Connect Productboard first.</p>')
})

/** A gateway with the sandbox, and a page on another site: another host. */
async function startSite(t: Test, pageFor: (hosts: Required<Hosts>, jwt: string) => Promise<string>) {
  const port = await freePort()
  const { environment, secret } = bearerEnvironment()
  let html = ''
  const frontend = (await startFrontend(t, () => ({ html }))).replace('localhost', '127.0.0.1')
  const sandbox = await startTestSandbox(t, [port])
  const gateway = await startGateway(t, { port, sandbox, environment: { ...environment, ALLOWED_ORIGINS: frontend } })
  const jwt = await new SignJWT({ sub: '42', aud: audience }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('10m').sign(secret)
  html = await pageFor({ gateway: gateway.url, frontend }, jwt)
  const { page, consoleErrors } = await newUser(t, browser)
  await page.goto(frontend)
  return { page, consoleErrors }
}

const browser = await startChromium(t)

t.test('React: a page on another site connects in a popup and reads notes', async t => {
  const { page, consoleErrors } = await startSite(t, async (hosts, jwt) => {
    const script = await bundleModule(moduleOf('main.tsx', hosts), { './sign-in': `export const getAccessToken = async () => '${jwt}'` })
    return `<!doctype html><title>App</title><div id="root"></div><script type="module">${script.replaceAll('</script', '<\\/script')}</script>`
  })
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: 'Connect Productboard' }).click()])
  await Promise.all([popup.waitForEvent('close'), popup.getByRole('button', { name: 'Allow' }).click()])
  await page.getByRole('button', { name: 'Load notes' }).click()
  await page.getByRole('listitem').filter({ hasText: 'Steeping timer in the app' }).waitFor()
  t.same(consoleErrors, [])
})

t.test('several accounts: one more is used, made the default and disconnected', async t => {
  const { page } = await startSite(
    t,
    async (hosts, jwt) => `<!doctype html><title>App</title><p></p><script type="module">
import { createClient } from '${hosts.gateway}/client.js'
window.grantkeeper = createClient({ token: () => '${jwt}' })
window.connect = () => grantkeeper.connect('productboard', { popup: true })
window.run = async () => { ${codeOf('accounts.js', hosts)}; return work }
document.querySelector('p').textContent = 'Ready'
</script>`
  )
  await page.getByText('Ready').waitFor()
  const inPopup = async (work: string) => {
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.evaluate(`window.result = ${work}; undefined`)])
    await Promise.all([popup.waitForEvent('close'), popup.getByRole('button', { name: 'Allow' }).click()])
    return page.evaluate<{ id: string }>('window.result')
  }
  const first = await inPopup('connect()')
  const second = await inPopup('run()')
  t.not(first.id, second.id)
  const list = (await page.evaluate(`grantkeeper.connections()`)) as { id?: string; provider: string; isDefault?: boolean }[]
  t.match(
    list.filter(({ provider }) => provider === 'productboard'),
    [{ id: first.id, isDefault: true }]
  )
})

t.test('React Native: the app opens a URL, and its link completes the sign-in', async t => {
  const { hosts, follow, token } = await startWithNotes(t)
  const listeners: ((event: { url: string }) => void)[] = []
  Object.assign(globalThis, {
    linking: {
      openURL: async (url: string) => {
        const back = await follow(url)
        for (const listener of listeners) listener({ url: back.href })
      },
      getInitialURL: async () => null,
      addEventListener: (_type: string, listener: (event: { url: string }) => void) => listeners.push(listener)
    }
  })
  const app = await load(moduleOf('connections.js', hosts), {
    'react-native': 'export const Linking = globalThis.linking',
    './sign-in': `export const getAccessToken = async () => '${await token('42')}'`
  })
  const connected = new Promise(app.onConnect)
  await app.connect('productboard')
  t.match(await connected, { provider: 'productboard', status: 'connected' })
  t.same(await (await app.grantkeeper.fetch('productboard', '/v2/notes')).json(), notes)
})

t.test('a nightly job reads what a user has connected, with curl and with fetch', async t => {
  const { hosts, keys, connect } = await startWithNotes(t)
  await connect('42')
  const env = { PATH: path, GRANTKEEPER_KEY: keys.plain }
  const curl = await execute('sh', ['-c', codeOf('nightly.sh', hosts)], { env })
  t.match(curl.stdout, JSON.stringify(notes))
  t.match(curl.stdout, '"code":"connection_required"')
  t.match(curl.stderr, 'user 43: see above')
  const node = await execute(process.execPath, ['--input-type=module', '--eval', codeOf('nightly.mjs', hosts)], { env })
  t.equal(node.stdout, 'user 42: 1 notes\nuser 43: connection_required\n')
})

t.test('a backend that may is handed an access token', async t => {
  const { hosts, keys, connect } = await startWithNotes(t)
  await connect('42')
  const runWith = async (key: string) => {
    const args = ['--input-type=module', '--eval', codeOf('export.mjs', hosts)]
    return (await execute(process.execPath, args, { env: { GRANTKEEPER_KEY: key } })).stdout
  }
  t.match(await runWith(keys.reader), /^Bearer, until 2\d{3}-/)
  t.equal(await runWith(keys.plain), 'see the response\n')
})

t.test('an invitation and a link are URLs that need no token', async t => {
  const { hosts, connect, token, gateway } = await startWithNotes(t)
  await connect('42')
  const grantkeeper = createClient({ gateway: gateway.url, token: () => token('42') })
  const link = await run('link.js', hosts, grantkeeper, 'url')
  t.same(await (await fetch(link.url)).json(), notes)
  const invitation = await run('invite.js', hosts, grantkeeper, 'url, expiresAt')
  t.match(await (await fetch(invitation.url, { headers: { accept: 'text/html' } })).text(), 'Ada of Fernhill Tea')
  t.ok(Date.parse(invitation.expiresAt) > Date.now())
})

t.test('a team shares its connections, and each member may disconnect them', async t => {
  const { gateway, provider, token, follow, frontend, backendFor } = await startWithNotes(t, { JWT_USER_CLAIM: 'org_id' })
  const member = (user: string, organization: string) =>
    createClient({ gateway: gateway.url, token: () => token(user, { org_id: organization }) })
  const [ada, bob, eve] = [member('ada', 'fernhill'), member('bob', 'fernhill'), member('eve', 'other')]
  const { url } = await ada.begin('productboard', { returnTo: frontend })
  await ada.complete((await follow(url)).href)
  t.same(await (await bob.fetch('productboard', '/v2/notes')).json(), notes)
  t.equal((await backendFor('fernhill').send('GET', '/proxy/productboard/v2/notes')).status, 200)
  await t.rejects(eve.fetch('productboard', '/v2/notes'), { code: 'connection_required' })
  await bob.disconnect('productboard')
  t.equal(provider.seen.revoke.length, 1)
  await t.rejects(ada.fetch('productboard', '/v2/notes'), { code: 'connection_required' })
})

t.test('the erasure of a user deletes and revokes what they have, and nothing of others', async t => {
  const own = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR: t.testdir() }
  const { hosts, connect, provider, as } = await startWithNotes(t, own)
  await connect('42')
  await connect('43')
  await installCommand(own.DATA_DIR)
  const env = { PATH: `${own.DATA_DIR}:${path}`, ...own, ...provider.environment }
  const { stdout } = await execute('sh', ['-c', codeOf('erase.sh', hosts)], { env })
  t.match(stdout, /^42\tproductboard\t.*\n?/m)
  t.match(stdout, 'Everything of "42" is deleted: 1 connection, sessions and invitations.')
  t.equal(provider.seen.revoke.length, 1)
  const statusOf = async (user: string) =>
    ((await (await as(user).send('GET', '/connections')).json()) as { connections: { status: string }[] }).connections[0]?.status
  t.equal(await statusOf('42'), 'disconnected')
  t.equal(await statusOf('43'), 'connected')
})

t.test('every block of the document is run', async t => {
  t.same([...unused], [])
})

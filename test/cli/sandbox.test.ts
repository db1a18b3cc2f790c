import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { providerNames } from '../../src/config/load-providers.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'
import { allow, connect, oauthClient, redirectUri } from '../sandbox/oauth-client.ts'
import { commandFile, runCommand, startGatewayProcess } from '../support/command.ts'
import { freePort } from '../support/free-port.ts'
import { newKey } from '../support/gateway.ts'
import { runNode, startNode, stopProcess } from '../support/node-process.ts'

const start = (t: Test, ...args: string[]) => startNode(t, commandFile, {}, ['sandbox', ...args])

/** What `--json` prints: the part of a sandbox that a client needs. */
async function startJson(t: Test, ...args: string[]) {
  const started = runNode(t, commandFile, {}, ['sandbox', '--json', ...args])
  while (!started.output().includes('\n')) await once(started.child.stdout as NodeJS.ReadableStream, 'data')
  return { ...started, sandbox: JSON.parse(started.output()) as Sandbox }
}

const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map(line => line.split(';', 1)[0])
    .join('; ')

t.test('a gateway in production, with the printed env file, connects a user at the sandbox', async t => {
  const port = await freePort()
  const { output, url: origin } = await start(t, '--callback', `http://localhost:${port}/auth/VENDOR/callback`)
  const folder = t.testdir({ data: {}, 'sandbox.env': output() })
  const environment = {
    NODE_ENV: 'production',
    PORT: String(port),
    DATA_DIR: join(folder, 'data'),
    SESSION_KEYS: newKey(),
    TOKEN_KEYS: newKey(),
    SHUTDOWN_DELAY: '0'
  }
  const gateway = await startGatewayProcess(t, environment, ['--env-file', join(folder, 'sandbox.env')])
  const begun = await fetch(`${gateway.url}/auth/productboard`, { redirect: 'manual' })
  const code = await allow({ origin } as Sandbox, begun.headers.get('location') ?? '')
  const { searchParams } = new URL(begun.headers.get('location') ?? '')
  const callback = new URL(searchParams.get('redirect_uri') ?? '')
  for (const [name, value] of Object.entries({ code, state: searchParams.get('state') ?? '', iss: `${origin}/productboard` }))
    callback.searchParams.set(name, value)
  const cookie = cookiesOf(begun)
  const ended = await fetch(callback, { redirect: 'manual', headers: { cookie } })
  t.equal(ended.status, 303)
  t.equal(ended.headers.get('location'), '/')
  const notes = `${gateway.url}/proxy/productboard/v2/notes`
  t.equal((await fetch(notes, { headers: { cookie: cookiesOf(ended), 'x-csrf': '1' } })).status, 200)
})

t.test('the clients and keys of --json work', async t => {
  const { sandbox } = await startJson(t)
  t.strictSame(sandbox.vendors, await providerNames())
  const { tokens } = await connect(sandbox, 'productboard')
  t.type(tokens.access_token, 'string')
  const notes = `${oauthClient(sandbox, 'productboard').apiUrl}/v2/notes`
  const status = async (credential = '') => (await fetch(notes, { headers: { authorization: `Bearer ${credential}` } })).status
  t.equal(await status(tokens.access_token), 200)
  t.equal(await status(sandbox.apiKeys.productboard), 200)
  t.equal(await status('another'), 401)
})

t.test('the callbacks are those of a gateway at PUBLIC_URL, and no others', async t => {
  const publicUrl = 'https://connect.example.com/integrations'
  const { output } = await startNode(t, commandFile, { PUBLIC_URL: publicUrl }, ['sandbox'])
  const [, origin = ''] = /^SANDBOX_URL=(.+)$/m.exec(output()) ?? []
  const authorizeUrl = `${origin}/outgrow/app.outgrow.co/oauth/authorize`
  const status = async (callback: string) => {
    const query = { response_type: 'code', client_id: 'grantkeeper-outgrow', redirect_uri: callback, state: 'x' }
    const challenge = { code_challenge: 'a'.repeat(43), code_challenge_method: 'S256' }
    return (await fetch(`${authorizeUrl}?${new URLSearchParams({ ...query, ...challenge })}`, { redirect: 'manual' })).status
  }
  t.equal(await status(`${publicUrl}/auth/outgrow/callback`), 303)
  t.equal(await status(`${publicUrl}/auth/VENDOR/callback`), 400)
  t.equal(await status(redirectUri('outgrow')), 400)
})

t.test('grants are there after a restart with --grants', async t => {
  const args = ['--port', String(await freePort()), '--grants', join(t.testdir(), 'grants.json')]
  const first = await startJson(t, ...args)
  const { tokens } = await connect(first.sandbox, 'outgrow')
  t.equal(await stopProcess(first), 0)
  const second = await startJson(t, ...args)
  t.equal(second.sandbox.origin, first.sandbox.origin)
  t.equal((await oauthClient(second.sandbox, 'outgrow').refresh(tokens.refresh_token)).status, 200)
})

t.test('SIGINT and SIGTERM end it with 0, while a client is connected', async t => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const started = await start(t)
    t.equal((await fetch(`${started.url}/_switches`)).status, 200)
    t.equal(await stopProcess(started, signal), 0, signal)
  }
})

t.test('a port that is in use exits with 1', async t => {
  const { url } = await start(t)
  const { code, output } = await runCommand(t, {}, 'sandbox', '--port', new URL(url).port)
  t.equal(code, 1)
  t.match(output, /^Port \d+ cannot be used \(EADDRINUSE\)\. Give another/)
})

t.test('bad arguments exit with 64', async t => {
  await Promise.all(
    (
      [
        [['--port', '65536'], /--port is a number from 0 to 65535/],
        [['--callback', '/auth'], /--callback is an absolute http or https URL/],
        [['--grants', ''], /--grants needs a file/],
        [['now'], /now/],
        [['--calback', 'x'], /Did you mean --callback\?/]
      ] as const
    ).map(async ([args, problem]) => {
      const { code, output } = await runCommand(t, {}, 'sandbox', ...args)
      t.equal(code, 64, args.join(' '))
      t.match(output, problem)
    })
  )
})

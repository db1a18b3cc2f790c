import { readdirSync } from 'node:fs'
import t, { type Test } from 'tap'
import { runCommand } from '../support/command.ts'
import { startFakeProvider } from '../support/fake-provider.ts'
import { newKey } from '../support/gateway.ts'
import { dumpOf } from '../support/store-dump.ts'
import { startUserGateway } from '../support/users.ts'

type Environment = Readonly<Record<string, string>>

/** Runs the command with the environment of a gateway. */
const run = (t: Test, environment: Environment, ...args: string[]) => runCommand(t, environment, 'connections', ...args)

/** A gateway with a SQLite file that keeps running, and the environment of the command beside it. */
async function startBesideCommand(t: Test) {
  const own = { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR: t.testdir() }
  const world = await startUserGateway(t, { environment: own })
  const environment: Environment = { ...world.provider.environment, ...own }
  const list = async (...args: string[]) => {
    const { code, output } = await run(t, environment, ...args, '--json')
    if (code !== 0) throw new Error(`exit ${code}: ${output}`)
    return output
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }
  return { ...world, environment, list }
}

t.test('the connections of all users are listed, and no secret', async t => {
  const { connect, environment, clock } = await startBesideCommand(t)
  const one = await connect('ada')
  const other = await connect('grace', { account: 'add' })
  const { code, output } = await run(t, environment)
  t.equal(code, 0)
  const rows = output.split('\n').map(line => line.split('\t'))
  const connectedAt = new Date(clock.now()).toISOString()
  for (const [user, { id }] of [
    ['ada', one],
    ['grace', other]
  ] as const)
    t.match(
      rows.find(([name]) => name === user),
      [user, 'productboard', id, '', 'connected', connectedAt]
    )
  t.match(output, /^2 connections in SQLite file .+\n/m)
  t.notMatch(output, /access-\d|refresh-\d|client-secret/)
})

t.test('each line of --json is one connection', async t => {
  const { connect, as, list, clock } = await startBesideCommand(t)
  const { id } = await connect('ada')
  clock.advance(120_000)
  await as('ada').send('GET', '/proxy/productboard/x')
  t.match(await list(), [
    {
      user: 'ada',
      provider: 'productboard',
      id,
      account: '',
      status: 'connected',
      connectedAt: new Date(clock.now() - 120_000).toISOString(),
      lastUsedAt: new Date(clock.now()).toISOString()
    }
  ])
})

t.test('one user’s connections are listed by --user', async t => {
  const { connect, list } = await startBesideCommand(t)
  await connect('ada')
  const { id } = await connect('grace')
  t.match(await list('--user', 'grace'), [{ user: 'grace', id }])
  t.strictSame(await list('--user', 'Grace'), [], 'ids are compared exactly')
})

t.test('connections with one status are listed by --status', async t => {
  const { connect, as, list, provider } = await startBesideCommand(t)
  const { id } = await connect('ada')
  await connect('grace')
  provider.token = (_, response) => response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}')
  t.equal((await as('ada').send('POST', '/connections/productboard/refresh')).status, 401)
  t.match(await list('--status', 'reconnect_required'), [{ user: 'ada', id, status: 'reconnect_required' }])
  t.match(await list('--status', 'connected'), [{ user: 'grace' }])
  t.strictSame(await list('--status', 'reconnect_required', '--user', 'grace'), [])
})

t.test('SEC-59: erase revokes at the provider, and a running gateway knows at once', async t => {
  const { connect, as, environment, provider, gateway, list } = await startBesideCommand(t)
  await connect('ada')
  await connect('ada', { account: 'add' })
  await connect('grace')
  for (const user of ['ada', 'grace']) t.equal((await as(user).send('GET', '/proxy/productboard/x')).status, 200, 'is cached')
  const { code, output } = await run(t, environment, 'erase', '--user', 'ada')
  t.equal(code, 0, output)
  t.equal(output, 'Everything of "ada" is deleted: 2 connections, sessions and invitations.\n')
  t.equal(provider.seen.revoke.length, 2)
  t.equal((await as('ada').send('GET', '/proxy/productboard/x')).status, 401)
  t.equal((await as('grace').send('GET', '/proxy/productboard/x')).status, 200)
  t.match(await list(), [{ user: 'grace' }])
  t.notMatch(gateway.logs.join(''), /access-\d|refresh-\d/)
})

t.test('SEC-59: erase leaves nothing of the user in the store', async t => {
  const { connect, as, environment, gateway, provider } = await startBesideCommand(t)
  const { store, ownerNames } = gateway.services
  const owner = await ownerNames.nameOf({ issuer: '', claim: 'sub', id: 'ada' })
  const owners = async () => {
    const found: string[] = []
    for await (const batch of store.scanOwners()) found.push(...batch)
    return found.sort()
  }
  await connect('grace')
  const before = await owners()
  await connect('ada')
  const invited = await as('ada').send('POST', '/connections/productboard/invitation')
  t.equal(invited.status, 201)
  const { url } = (await invited.json()) as { url: string }
  t.ok((await owners()).includes(owner))
  t.equal((await run(t, environment, 'erase', '--user', 'ada')).code, 0)
  t.strictSame(await owners(), before)
  t.equal((await store.readAll(owner)).size, 0)
  t.equal(provider.seen.revoke.length, 1)
  t.equal((await fetch(url)).status, 410, 'the invitation has ended')
})

t.test('a revocation that the provider does not confirm is left to the gateway', async t => {
  const { connect, environment, provider, gateway } = await startBesideCommand(t)
  await connect('ada')
  provider.revoke = (_, response) => response.writeHead(503).end()
  const { code } = await run(t, environment, 'erase', '--user', 'ada')
  t.equal(code, 0)
  const pending = await gateway.services.store.readAll('revocations')
  t.equal(pending.size, 1)
  t.notMatch(dumpOf(environment.DATA_DIR as string), /refresh-\d/)
})

t.test('a user of whom nothing is found is not said to be erased', async t => {
  const { environment, provider } = await startBesideCommand(t)
  const { code, output } = await run(t, environment, 'erase', '--user', 'nobody')
  t.equal(code, 1, output)
  t.match(output, 'Nothing of "nobody" was found')
  t.equal(provider.seen.revoke.length, 0)
})

t.test('grants at a provider that is off here wait for a running gateway', async t => {
  const { connect, environment, provider } = await startBesideCommand(t)
  await connect('ada')
  const { PRODUCTBOARD_CLIENT_ID: _, PRODUCTBOARD_CLIENT_SECRET: __, ...rest } = environment
  const urls = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('PRODUCTBOARD_')))
  const { code, output } = await run(t, { ...urls, PROVIDERS: 'process-street' }, 'erase', '--user', 'ada')
  t.equal(code, 0, output)
  t.match(output, '1 revocation waits in the store')
  t.equal(provider.seen.revoke.length, 0)
})

t.test('SEC-38: a missing key is an error, and nothing is erased', async t => {
  const { connect, as, environment } = await startBesideCommand(t)
  await connect('ada')
  const { code, output } = await run(t, { ...environment, TOKEN_KEYS: newKey() }, 'erase', '--user', 'ada')
  t.equal(code, 1)
  t.match(output, /1 users have records that none of TOKEN_KEYS opens/)
  t.notMatch(output, /at .+\.ts:\d/, 'no stack')
  t.equal((await as('ada').send('GET', '/proxy/productboard/x')).status, 200)
})

const badArguments: ReadonlyArray<readonly [args: readonly string[], problem: RegExp]> = [
  [['remove'], /remove is not known/],
  [['erase', 'ada'], /erase ada is not known/],
  [['earse'], /earse is not known\. Did you mean erase\?/],
  [['erase'], /erase needs --user ID/],
  [['--user', ''], /--user is empty/],
  [['erase', '--user', 'a\nb'], /--user holds a control character/],
  [['--status', 'disconnected'], /--status is one of connected, reconnect_required/],
  [['erase', '--user', 'ada', '--status', 'reconnect_required'], /takes --user alone/],
  [['erase', '--user', 'ada', '--json'], /takes --user alone/],
  [['--all'], /--all is not an option/],
  [['--staus', 'connected'], /--staus is not an option of this command\. Did you mean --status\?/]
]

t.test('bad arguments exit with 64 and touch no store', async t => {
  const DATA_DIR = t.testdir()
  const provider = await startFakeProvider(t)
  const environment = { ...provider.environment, SESSION_KEYS: newKey(), TOKEN_KEYS: newKey(), DATA_DIR }
  for (let i = 0; i < badArguments.length; i += 4)
    await Promise.all(
      badArguments.slice(i, i + 4).map(async ([args, problem]) => {
        const { code, output } = await run(t, environment, ...args)
        t.equal(code, 64, args.join(' '))
        t.match(output, problem, args.join(' '))
        t.match(output, /^Usage: grantkeeper connections \[--user ID\]/m)
      })
    )
  t.strictSame(readdirSync(DATA_DIR), [])
})

t.test('an invalid environment exits with 78', async t => {
  const { code, output } = await run(t, { SESSION_KEYS: 'x', TOKEN_KEYS: newKey(), DATA_DIR: t.testdir() })
  t.equal(code, 78)
  t.match(output, /SESSION_KEYS/)
})

t.test('--help needs no configuration', async t => {
  const { code, output } = await run(t, { NODE_ENV: 'production' }, '--help')
  t.equal(code, 0)
  t.match(output, /^Usage: grantkeeper connections/)
})

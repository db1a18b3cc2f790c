import { once } from 'node:events'
import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import packageJson from '../../package.json' with { type: 'json' }
import { commandFile, runCommand, startGatewayProcess } from '../support/command.ts'
import { newKey } from '../support/gateway.ts'
import { childrenOf, runNode, stopProcess } from '../support/node-process.ts'
import { startRedis } from '../support/redis.ts'

const run = (t: Test, ...args: string[]) => runCommand(t, {}, ...args)

/** The names in the list of commands. */
async function listedCommands(t: Test): Promise<string[]> {
  const { output } = await run(t)
  const list = /^Commands:\n((?: {2}\S.*\n)+)/m.exec(output)?.[1] ?? ''
  return [...list.matchAll(/^ {2}(\S+) {2,}\S/gm)].map(([, name]) => name ?? '')
}

t.test('alone, and with --help, it lists the commands', async t => {
  const alone = await run(t)
  t.equal(alone.code, 0)
  t.match(alone.output, /^Usage: grantkeeper COMMAND/)
  for (const args of [['--help'], ['-h'], ['help']]) t.same(await run(t, ...args), alone, args.join())
  t.ok((await listedCommands(t)).includes('start'))
})

t.test('every command has a help text with usage and exit codes, which asks for no configuration', async t => {
  for (const name of await listedCommands(t)) {
    const { code, output } = await runCommand(t, { NODE_ENV: 'production' }, name, '--help')
    t.equal(code, 0, name)
    t.match(output, /^Usage: grantkeeper /, name)
    for (const heading of ['Examples:', 'Exit codes:']) t.match(output, new RegExp(`^${heading}$`, 'm'), name)
    t.notMatch(output, /^.{91}/m, `${name} fits a narrow terminal`)
    t.same(await run(t, 'help', name), { code, output }, name)
  }
})

t.test('--help counts wherever it stands', async t => {
  const { output } = await run(t, 'help', 'start')
  for (const args of [
    ['--help', 'start'],
    ['start', '--bogus', '-h'],
    ['start', '--env-file', join(t.testdir({ 'a.env': '' }), 'a.env'), '--help']
  ])
    t.same(await run(t, ...args), { code: 0, output }, args.join(' '))
})

t.test('--version prints the version of the package', async t => {
  for (const args of [['--version'], ['-v'], ['start', '--version']])
    t.same(await run(t, ...args), { code: 0, output: `${packageJson.version}\n` }, args.join(' '))
})

t.test('the version is found from a compiled copy in a package', async t => {
  const folder = t.testdir({ 'package.json': '{"name":"grantkeeper","version":"7.8.9","type":"module"}' })
  // The sources stand for the compiled files: what differs is the depth of the folder.
  await cp(join(import.meta.dirname, '..', '..', 'src'), join(folder, 'dist', 'src'), { recursive: true })
  await mkdir(join(folder, 'bin'))
  await symlink(join(folder, 'dist', 'src', 'cli', 'main.ts'), join(folder, 'bin', 'grantkeeper.ts'))
  const { child, output } = runNode(t, join(folder, 'bin', 'grantkeeper.ts'), {}, ['--version'])
  await once(child, 'close')
  t.equal(output(), '7.8.9\n')
})

t.test('an unknown command exits with 64 and names the nearest', async t => {
  for (const [args, problem] of [
    [['strat'], /^"strat" is not a command\. Did you mean start\?/],
    [['help', 'strat'], /^"strat" is not a command\. Did you mean start\?/],
    [['Start'], /^"Start" is not a command\. Did you mean start\?/],
    [['deploy'], /^"deploy" is not a command\. Run grantkeeper alone/],
    [['constructor'], /^"constructor" is not a command\. Run/]
  ] as const) {
    const { code, output } = await run(t, ...args)
    t.equal(code, 64, args.join(' '))
    t.match(output, problem)
  }
})

t.test('an unknown option exits with 64 and shows the usage', async t => {
  const { code, output } = await run(t, 'start', '--port', '1')
  t.equal(code, 64)
  t.match(output, /^--port is not an option of this command\./)
  t.match(output, /^Usage: grantkeeper start/m)
  const alone = await run(t, '--verison')
  t.equal(alone.code, 64)
  t.match(alone.output, /^--verison is not an option of grantkeeper\. Did you mean --version\?/)
})

t.test('start takes no other argument', async t => {
  const { code, output } = await run(t, 'start', 'now')
  t.equal(code, 64)
  t.match(output, 'now')
})

t.test('--env-file sets what is not set, and a later file wins', async t => {
  const folder = t.testdir({
    'one.env': 'LOG_LEVEL=loud\nSESSION_IDLE=later\n# a comment\nSTORE_GRACE="soon"',
    'two.env': 'SESSION_IDLE=-1',
    data: {}
  })
  const environment = { PORT: '0', LOG_LEVEL: 'info', DATA_DIR: join(folder, 'data') }
  const files = ['--env-file', join(folder, 'one.env'), `--env-file=${join(folder, 'two.env')}`]
  for (const args of [
    [...files, 'start'],
    ['start', ...files]
  ]) {
    const { code, output } = await runCommand(t, environment, ...args)
    t.equal(code, 78)
    t.match(output, /SESSION_IDLE must be a whole number/)
    t.match(output, /STORE_GRACE must be/)
    t.notMatch(output, /LOG_LEVEL must/, 'the environment wins')
  }
})

t.test('--env-file sets NODE_ENV for the libraries too', async t => {
  const file = join(t.testdir({ 'a.env': 'NODE_ENV=production' }), 'a.env')
  const { code, output } = await runCommand(t, {}, 'start', '--env-file', file)
  t.equal(code, 78)
  t.match(output, /SESSION_KEYS is missing/)
})

t.test('a missing env file exits with 78, named', async t => {
  const folder = t.testdir()
  // Without the "--", Node itself looks for the file in the arguments of the script, and exits with 9.
  const { child, output } = runNode(t, '--', {}, [commandFile, 'start', '--env-file', join(folder, 'a.env'), '--env-file', folder])
  const [code] = await once(child, 'close')
  t.equal(code, 78)
  t.match(output(), `--env-file ${join(folder, 'a.env')}: the file cannot be read (ENOENT)`)
  t.match(output(), `--env-file ${folder}: it is not a regular file`)
})

t.test('--env-file without a file exits with 64', async t => {
  const { code, output } = await run(t, 'start', '--env-file')
  t.equal(code, 64)
  t.match(output, /^--env-file needs a file/)
})

t.test('workers have the variables of the env file', async t => {
  const redis = await startRedis(t)
  const file = join(t.testdir(), 'gateway.env')
  await writeFile(
    file,
    `PORT=0\nWORKERS=2\nREDIS_URL=${redis.url}\nSHUTDOWN_DELAY=0\nSESSION_KEYS=${newKey()}\nTOKEN_KEYS=${newKey()}\nPRODUCTBOARD_CLIENT_ID=id\nPRODUCTBOARD_CLIENT_SECRET=secret\n`
  )
  const gateway = await startGatewayProcess(t, {}, ['--env-file', file])
  t.equal(childrenOf(gateway.child.pid ?? 0).length, 2)
  t.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
  t.equal(await stopProcess(gateway), 0)
})

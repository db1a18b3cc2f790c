import t, { type Test } from 'tap'
import { command } from '../../src/cli/check.ts'
import { UsageError } from '../../src/cli/usage-error.ts'
import { newKey } from '../support/gateway.ts'

/** Runs the command with these variables alone. */
async function run(t: Test, variables: Record<string, string>, ...args: string[]) {
  let output = ''
  const code = await command.run(args, {
    variables: { DATA_DIR: t.testdir(), ...variables },
    print: text => {
      output += text
    },
    printError: text => t.fail(`nothing is printed to standard error: ${text}`)
  })
  return { code, output }
}

t.test('without an error it exits with 0, and prints a line for each finding', async t => {
  const { code, output } = await run(t, { SESSION_KEYS: newKey(), TOKEN_KEYS: newKey() })
  t.equal(code, 0)
  t.match(output, /^ok {4}keys: TOKEN_KEYS: one key/m)
  t.match(output, /^0 errors, \d+ warnings?, \d+ ok\.\n$/m)
})

t.test('with an error it exits with 1, and prints the cure', async t => {
  const { code, output } = await run(t, { PORT: 'x' })
  t.equal(code, 1)
  t.match(output, /^FAIL {2}configuration: PORT: must be a whole number.+\n {6}-> .*PORT=3000/m)
  t.match(output, /^1 error, /m)
})

t.test('warnings do not fail it', async t => {
  const { code, output } = await run(t, { TRUST_PROXIES: '10.0.0.1' })
  t.equal(code, 0)
  t.match(output, /^warn {2}configuration: TRUST_PROXIES: /m)
})

t.test('--json prints one object with the same findings', async t => {
  const { code, output } = await run(t, { PORT: 'x' }, '--json')
  t.equal(code, 1)
  const { ok, findings } = JSON.parse(output)
  t.equal(ok, false)
  t.match(
    findings.find(({ subject }: { subject: string }) => subject === 'PORT'),
    { level: 'error', area: 'configuration', message: /whole number/, cure: /PORT=3000/ }
  )
})

t.test('it takes no other argument', async t => {
  for (const args of [['--jsn'], ['now']]) await t.rejects(run(t, {}, ...args), UsageError, args.join())
})

t.test('no secret is printed, whatever is wrong with it', async t => {
  const canary = 'secret-canary'
  const variables = {
    NODE_ENV: 'production',
    SESSION_KEYS: canary,
    TOKEN_KEYS: `"${canary}"`,
    REDIS_URL: `redis://user:${canary}@127.0.0.1:0`,
    JWT_SECRETS: canary,
    SERVICE_KEYS: `job:${canary}`,
    IGNITION_CLIENT_SECRET: canary,
    LOGIN_CLIENT_SECRET: canary,
    SESSION_KEY: canary
  }
  for (const args of [[], ['--json']]) t.notMatch((await run(t, variables, ...args)).output, canary, args.join())
})

import { parseEnv } from 'node:util'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/config.ts'
import { createServiceKeys } from '../../src/core/users/service-keys.ts'
import { runCommand } from '../support/command.ts'

const run = (t: Test, ...args: string[]) => runCommand(t, {}, ...args)

/** The service keys that a gateway with this entry accepts. */
function serviceKeysOf(t: Test, entry: string) {
  const { bearer } = readConfig({ DATA_DIR: t.testdir(), SERVICE_KEYS: entry }, [])
  return createServiceKeys(bearer.serviceKeys)
}

t.test('the keys are an env file that a gateway accepts', async t => {
  const { code, output } = await run(t, 'keys')
  t.equal(code, 0)
  const variables = parseEnv(output)
  t.strictSame(Object.keys(variables), ['SESSION_KEYS', 'TOKEN_KEYS'])
  const { keys } = readConfig({ ...variables, DATA_DIR: t.testdir() }, [])
  const [session, token] = [keys.session[0], keys.token[0]]
  t.equal(session?.toString('base64'), variables.SESSION_KEYS)
  t.equal(token?.length, 32)
  t.not(session?.equals(token ?? Buffer.alloc(0)), true, 'each is another')
})

t.test('each run makes other keys', async t => {
  const [one, other] = await Promise.all([run(t, 'keys', '--json'), run(t, 'keys', '--json')])
  const [first, second] = [JSON.parse(one.output), JSON.parse(other.output)]
  t.strictSame(Object.keys(first), ['SESSION_KEYS', 'TOKEN_KEYS'])
  for (const name of ['SESSION_KEYS', 'TOKEN_KEYS']) t.not(first[name], second[name])
})

for (const words of [['service-key'], ['keys', 'service-key']]) {
  t.test(`${words.join(' ')} makes a key and the entry that accepts it`, async t => {
    const { code, output } = await run(t, ...words, 'nightly')
    t.equal(code, 0)
    const [, key = ''] = /(gk_\S+)/.exec(output) ?? []
    const [, entry = ''] = /(nightly:\S+)/.exec(output) ?? []
    t.strictSame(serviceKeysOf(t, entry).find(key), { name: 'nightly', mayReadTokens: false })
  })
}

t.test('a service key with --token may read tokens, and --json is one object', async t => {
  const { output } = await run(t, 'service-key', 'sync', '--token', '--json')
  const { key, entry } = JSON.parse(output)
  t.strictSame(serviceKeysOf(t, entry).find(key), { name: 'sync', mayReadTokens: true })
})

t.test('a service key without a good name exits with 64', async t => {
  for (const [args, problem] of [
    [[], /needs one NAME/],
    [['a', 'b'], /needs one NAME/],
    [['a:b'], /"a:b" cannot be the name/],
    [['nightly', '--tokens'], /Did you mean --token\?/]
  ] as const) {
    const { code, output } = await run(t, 'service-key', ...args)
    t.equal(code, 64, args.join(' '))
    t.match(output, problem)
    t.notMatch(output, /gk_/)
  }
  const { code, output } = await run(t, 'keys', 'servicekey')
  t.equal(code, 64)
  t.match(output, /servicekey is not known\. Did you mean service-key\?/)
})

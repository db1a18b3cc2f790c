import { join } from 'node:path'
import t from 'tap'
import { ConfigError, EnvironmentReader } from '../../src/config/environment.ts'

t.test('an empty variable or list counts as unset', async t => {
  const env = new EnvironmentReader({ A: '', B: ' , ,', C: ',', D_FILE: '' })
  t.equal(env.text('A'), undefined)
  t.equal(env.list('A'), undefined)
  t.equal(env.list('B'), undefined)
  t.equal(env.list('C'), undefined)
  t.equal(env.text('D'), undefined)
  t.equal(env.text('E'), undefined)
  t.strictSame(env.problems, [])
})

t.test('a list is split at commas and its items are trimmed', async t => {
  t.strictSame(new EnvironmentReader({ A: ' a , b,,c d ' }).list('A'), ['a', 'b', 'c d'])
})

t.test('a value is read from a file without the line break at its end', async t => {
  const directory = t.testdir({ secret: 'value\n', blank: '\n' })
  const env = new EnvironmentReader({
    A_FILE: join(directory, 'secret'),
    B_FILE: join(directory, 'blank'),
    C_FILE: join(directory, 'secret')
  })
  t.equal(env.text('A'), 'value')
  t.equal(env.text('B'), undefined, 'an empty file counts as unset')
  t.strictSame(env.list('C'), ['value'])
  t.strictSame(env.problems, [])
})

t.test('a file that cannot be read is a problem', async t => {
  const directory = t.testdir({})
  const env = new EnvironmentReader({ A_FILE: join(directory, 'absent'), B_FILE: directory })
  t.equal(env.text('A'), undefined)
  t.equal(env.text('B'), undefined)
  t.strictSame(env.problems, [
    'A_FILE names a file that cannot be read (ENOENT). Give a path, for example A_FILE=/run/secrets/a.',
    'B_FILE names a file that cannot be read (EISDIR). Give a path, for example B_FILE=/run/secrets/b.'
  ])
})

t.test('SEC-40: a secret that is set in place of its path is not repeated', async t => {
  const env = new EnvironmentReader({ A_FILE: 'canary' })
  env.text('A')
  t.equal(env.problems.length, 1)
  t.notMatch(env.problems.join(), /canary/)
})

t.test('a variable and its file cannot both be set', async t => {
  const env = new EnvironmentReader({ A: 'canary', A_FILE: '/absent/canary' })
  env.text('A')
  t.strictSame(env.problems, ['A and A_FILE are both set. Keep one of them.'])
})

t.test('a problem is reported once, however often the variable is read', async t => {
  const env = new EnvironmentReader({ A: '1', A_FILE: '2' })
  env.text('A')
  env.text('A')
  t.equal(env.problems.length, 1)
})

t.test('an integer is a whole number within its bounds', async t => {
  const bounds = { min: 1, max: 100, example: 7 }
  for (const [text, value] of [
    ['1', 1],
    ['100', 100],
    [' 42 ', 42],
    ['007', 7]
  ] as const)
    t.equal(new EnvironmentReader({ A: text }).integer('A', bounds), value, text)
  for (const text of ['0', '101', '-1', '1.5', '1e1', '0x10', 'ten', '1 0', '٣', 'Infinity', '9'.repeat(400)]) {
    const env = new EnvironmentReader({ A: text })
    t.equal(env.integer('A', bounds), undefined)
    t.strictSame(env.problems, ['A must be a whole number from 1 to 100, for example A=7.'], encodeURI(text.slice(0, 10)))
  }
  t.equal(new EnvironmentReader({}).integer('A', bounds), undefined)
})

t.test('a choice is one of the given values, case-sensitive', async t => {
  t.equal(new EnvironmentReader({ A: 'b' }).oneOf('A', ['a', 'b'], 'a'), 'b')
  for (const text of ['B', 'c', 'a,b', 'toString']) {
    const env = new EnvironmentReader({ A: text })
    t.equal(env.oneOf('A', ['a', 'b'], 'a'), undefined)
    t.strictSame(env.problems, ['A must be one of a, b, for example A=a.'], text)
  }
})

t.test('the error lists every problem on a line of its own', async t => {
  t.equal(new ConfigError(['one']).message, 'The configuration has a problem:\n  - one')
  t.equal(new ConfigError(['one', 'two']).message, 'The configuration has 2 problems:\n  - one\n  - two')
  t.strictSame(new ConfigError(['one', 'two']).problems, ['one', 'two'])
})

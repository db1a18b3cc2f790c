import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { development, newKey, problemsOf, production, read } from './support.ts'

const names = ['SESSION_KEYS', 'TOKEN_KEYS'] as const
const howTo = (name: string) => `Generate one with: ${name}="$(openssl rand -base64 32)"`

t.test('SEC-23: keys are read newest first, as base64 or base64url', async t => {
  const [a, b, c] = [newKey(), newKey(), newKey()]
  const url = Buffer.from(b, 'base64').toString('base64url')
  const { keys } = read({ SESSION_KEYS: `${a}, ${url}`, TOKEN_KEYS: c })
  t.strictSame(keys, { session: [Buffer.from(a, 'base64'), Buffer.from(b, 'base64')], token: [Buffer.from(c, 'base64')] })
})

const invalid = {
  'is not base64': [`${newKey().slice(0, 40)}!!!!`, `canary ${newKey()}`, `=${newKey()}`, `${newKey()}==`],
  'has 31 bytes instead of 32': [Buffer.alloc(31, 'canary-4711').toString('base64')],
  'has 33 bytes instead of 32': [Buffer.alloc(33, 'canary-4711').toString('base64')],
  'has 48 bytes instead of 32': [Buffer.alloc(32, 'canary-4711').toString('hex')],
  'has 4 bytes instead of 32': ['canary'],
  'is not random': [Buffer.alloc(32).toString('base64'), Buffer.alloc(32, 'canary').toString('base64')]
}

for (const name of names) {
  t.test(`SEC-23, SEC-42: an invalid key anywhere in ${name} fails the start without being repeated`, async t => {
    for (const [why, texts] of Object.entries(invalid)) {
      for (const text of texts) {
        for (const [place, list] of [
          ['key 1 of 1', text],
          ['key 2 of 2', `${newKey()},${text}`],
          ['key 1 of 2', `${text},${newKey()}`]
        ] as const) {
          for (const environment of [development, production]) {
            const problems = problemsOf({ ...environment, [name]: list })
            t.strictSame(problems, [`${name}: ${place} ${why}. ${howTo(name)}`])
            t.notOk(problems.join().includes(text))
          }
        }
      }
    }
  })

  t.test(`SEC-42: in production ${name} is required`, async t => {
    for (const text of [undefined, '', ',', ' , ']) {
      const problems = problemsOf({ ...production, [name]: text })
      t.equal(problems.length, 1, String(text))
      t.match(problems[0], new RegExp(`^${name} is missing: it seals the (cookies|tokens in the store)\\. `))
      t.match(problems[0], howTo(name))
    }
  })

  t.test(`a key that ${name} lists twice is a problem`, async t => {
    const key = newKey()
    t.strictSame(problemsOf({ ...development, [name]: `${key},${newKey()},${key}` }), [`${name} lists a key twice. ${howTo(name)}`])
  })
}

t.test('outside production keys are generated once, in a file for this user only', async t => {
  const DATA_DIR = join(t.testdir(), 'data')
  const first = read({ DATA_DIR }).keys
  for (const ring of [first.session, first.token]) {
    t.equal(ring.length, 1)
    t.equal(ring[0]?.length, 32)
  }
  t.notOk(first.session[0]?.equals(first.token[0] ?? Buffer.alloc(0)))
  t.strictSame(readdirSync(DATA_DIR), ['keys.json'], 'no draft is left behind')
  t.equal(statSync(join(DATA_DIR, 'keys.json')).mode & 0o777, 0o600)
  t.equal(statSync(DATA_DIR).mode & 0o777, 0o700)
  const text = readFileSync(join(DATA_DIR, 'keys.json'), 'utf8')
  t.strictSame(read({ DATA_DIR }).keys, first)
  t.equal(readFileSync(join(DATA_DIR, 'keys.json'), 'utf8'), text)
})

t.test('two data directories get different keys', async t => {
  const directory = t.testdir()
  const [a, b] = ['a', 'b'].map(name => read({ DATA_DIR: join(directory, name) }).keys)
  t.notSame(a, b)
})

t.test('only the key ring that is not set is generated', async t => {
  const DATA_DIR = t.testdir()
  const { keys } = read({ DATA_DIR, TOKEN_KEYS: development.TOKEN_KEYS })
  t.strictSame(keys.token, [Buffer.from(development.TOKEN_KEYS, 'base64')])
  t.strictSame(read({ DATA_DIR }).keys.session, keys.session)
})

t.test('no key file is created when none is needed or the start fails', async t => {
  const DATA_DIR = join(t.testdir(), 'data')
  read({ ...development, DATA_DIR })
  problemsOf({ DATA_DIR, PORT: 'x' })
  problemsOf({ ...production, DATA_DIR, TOKEN_KEYS: undefined })
  t.notOk(existsSync(DATA_DIR))
})

t.test('an invalid key file is a problem and stays unchanged', async t => {
  const DATA_DIR = t.testdir()
  const file = join(DATA_DIR, 'keys.json')
  for (const content of [
    '',
    'canary',
    '{}',
    'null',
    '[]',
    '{"session":["canary"],"token":["canary"]}',
    '{"session":[],"token":[]}',
    `{"session":["${newKey()}"]}`
  ]) {
    writeFileSync(file, content)
    t.strictSame(problemsOf({ DATA_DIR }), [
      `DATA_DIR: the keys cannot be stored in ${DATA_DIR}. ${file} is not a Grantkeeper key file. Restore it, or delete it, which signs out all users.`
    ])
    t.equal(readFileSync(file, 'utf8'), content)
    t.strictSame(readdirSync(DATA_DIR), ['keys.json'])
  }
})

t.test('a data directory that cannot be created is a problem', async t => {
  const directory = t.testdir({ file: '' })
  const [problem, ...more] = problemsOf({ DATA_DIR: join(directory, 'file', 'data') })
  t.match(problem, /^DATA_DIR: ".*\/file\/data" cannot be used: .*\/file is not a directory\. .* for example DATA_DIR=\//)
  t.strictSame(more, [])
  mkdirSync(join(directory, 'taken', 'keys.json'), { recursive: true })
  t.match(problemsOf({ DATA_DIR: join(directory, 'taken') }), [/^DATA_DIR: /])
})

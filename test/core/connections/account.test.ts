import t from 'tap'
import { readAccount } from '../../../src/core/connections/account.ts'
import { printable } from '../support.ts'

t.test('an account id is text or a whole number, unchanged', async t => {
  for (const [id, accountId] of [
    ['U024', 'U024'],
    [' U024', ' U024'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [7, '7'],
    [0, '0'],
    [-7, '-7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991']
  ] as const)
    t.strictSame(readAccount({ id }, { id: '/id' }), { accountId })
})

t.test('an id that could be another account’s too is left out', async t => {
  // JSON.parse rounds the last one to a neighbour.
  for (const id of [
    undefined,
    null,
    '',
    ' \n',
    true,
    {},
    ['7'],
    1.5,
    Number.NaN,
    'x'.repeat(256),
    '\ud800',
    JSON.parse('9007199254740993')
  ])
    t.strictSame(readAccount({ id }, { id: '/id' }), {}, printable(String(id).slice(0, 30)))
})

t.test('an account name is the first text that its pointers find', async t => {
  const name = ['/name', '/login']
  t.strictSame(readAccount({ name: 'Ada', login: 'ada' }, { name }), { account: 'Ada' })
  for (const empty of ['', ' ', null, 7, {}, undefined])
    t.strictSame(readAccount({ name: empty, login: 'ada' }, { name }), { account: 'ada' })
  t.strictSame(readAccount({ name: '' }, { name }), {})
  t.strictSame(readAccount({ name: ' A\u202eda\n' }, { name: '/name' }), { account: 'Ada' })
  t.strictSame(readAccount({ name: 'x'.repeat(1000) }, { name: '/name' }), { account: 'x'.repeat(200) })
})

t.test('a document without the account has none', async t => {
  for (const document of [undefined, null, 'text', 7, [], {}, { id: { toString: 'x' } }, Object.create({ id: 7, name: 'Ada' })])
    t.strictSame(readAccount(document, { id: '/id', name: '/name' }), {})
})

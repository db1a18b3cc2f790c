import t from 'tap'
import { parseSignInParams } from '../../../src/core/oauth/sign-in-params.ts'
import { codeOf, printable } from '../support.ts'

const allowed = ['read', 'write', 'https://acme.example/scope']
const none = { account: undefined, loginHint: undefined, prompt: undefined, scopes: undefined }
const parse = (raw: Partial<Record<keyof typeof none, unknown>>) => parseSignInParams({ ...none, ...raw }, allowed)

t.test('a sign-in may ask for nothing', async t => {
  t.strictSame(parse({}), {})
  t.strictSame(parse({ account: '', loginHint: '', prompt: '', scopes: '' }), {}, 'an empty parameter of a query')
})

t.test('everything that it asks for is passed on', async t => {
  t.strictSame(parse({ account: 'add', loginHint: 'ada@example.com', prompt: 'login consent', scopes: 'read write' }), {
    account: 'add',
    loginHint: 'ada@example.com',
    prompt: 'login consent',
    scopes: ['read', 'write']
  })
})

for (const scopes of [
  'read,write',
  ' read  write ',
  'read\nwrite',
  ['read', 'write'],
  ['read write'],
  'read write read',
  ['read', '', 'write']
])
  t.test(`scopes may be ${printable(JSON.stringify(scopes))}`, async t => {
    t.strictSame(parse({ scopes }).scopes, ['read', 'write'])
  })

t.test('SEC-11: a scope that the operator does not allow is refused', async t => {
  for (const scopes of ['admin', 'read admin', 'READ', 'rea', 'read:all', ['read', 'write', 'admin']])
    t.throws(() => parse({ scopes }), { code: 'parameters_invalid', message: /does not allow/ }, `${scopes}`)
  t.throws(() => parseSignInParams({ ...none, scopes: 'read' }, []), { code: 'parameters_invalid' })
})

t.test('a prompt is one or more of those that OpenID Connect has', async t => {
  for (const prompt of ['none', 'login', 'consent', 'select_account', 'create', 'login select_account'])
    t.equal(parse({ prompt }).prompt, prompt)
  for (const prompt of ['Login', 'login,consent', 'login  consent', ' login', 'other', 'login other'])
    t.equal(
      codeOf(() => parse({ prompt })),
      'parameters_invalid',
      prompt
    )
})

for (const name of ['account', 'loginHint', 'prompt'] as const)
  t.test(`${name} is text that is given once`, async t => {
    for (const value of [['login', 'login'], 1, true, null, {}, 'x'.repeat(256), 'a\nb', 'a\0b', '\ud800'])
      t.equal(
        codeOf(() => parse({ [name]: value })),
        'parameters_invalid',
        printable(String(value))
      )
  })

t.test('scopes are text or a list of texts', async t => {
  for (const scopes of [1, true, null, {}, [1], [['read']], [null], ['read', {}]])
    t.equal(
      codeOf(() => parse({ scopes })),
      'parameters_invalid',
      JSON.stringify(scopes)
    )
})

t.test('an account is named by the id of its connection', async t => {
  t.equal(parse({ account: 'Ab-_9' }).account, 'Ab-_9')
  for (const account of ['a b', 'a/b', '../x', 'ä', 'x'.repeat(65)])
    t.equal(
      codeOf(() => parse({ account })),
      'parameters_invalid',
      account
    )
})

t.test('a hint has 255 characters at most', async t => {
  t.equal(parse({ loginHint: 'ä'.repeat(255) }).loginHint?.length, 255)
  t.throws(() => parse({ loginHint: 'x'.repeat(256) }), { message: /^login_hint is text of 255 characters at most/ })
})

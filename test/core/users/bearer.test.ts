import t from 'tap'
import { readBearer } from '../../../src/core/users/bearer.ts'
import { codeOf } from '../support.ts'

const codeFor = (...rawHeaders: string[]) => codeOf(() => readBearer(rawHeaders))

t.test('a bearer token is read whatever the case of header and scheme', async t => {
  for (const [name, value] of [
    ['Authorization', 'Bearer aB1-._~+/=='],
    ['authorization', 'bearer aB1-._~+/=='],
    ['AUTHORIZATION', 'BEARER   aB1-._~+/==']
  ] as const)
    t.equal(readBearer(['Host', 'x', name, value, 'Accept', '*/*']), 'aB1-._~+/==', value)
})

t.test('without a bearer the request may have another credential', async t => {
  for (const rawHeaders of [
    [],
    ['Host', 'x'],
    ['Authorization', ''],
    ['Authorization', 'Basic YTpi'],
    ['Authorization', 'Bearers abc'],
    ['Authorization', 'Bearer-x abc'],
    ['Authorization', 'Basic YTpi', 'Authorization', 'Digest x'],
    ['Authorization_', 'Bearer abc'],
    ['Proxy-Authorization', 'Bearer abc'],
    ['X-Authorization', 'Bearer abc']
  ])
    t.equal(readBearer(rawHeaders), undefined, rawHeaders.join(' '))
})

t.test('SEC-43: a malformed bearer is refused, not ignored', async t => {
  for (const value of ['Bearer', 'Bearer ', 'Bearer\tabc', 'Bearer  ', 'Bearer a b', 'Bearer, abc', 'Bearer=abc', 'Bearer:abc'])
    t.equal(codeFor('Authorization', value), 'token_invalid', JSON.stringify(value))
})

t.test('SEC-43: a bearer beside another Authorization is refused, in either order', async t => {
  for (const other of ['Bearer abc', 'Bearer def', 'Basic YTpi', '']) {
    t.equal(codeFor('Authorization', 'Bearer abc', 'authorization', other), 'token_invalid', other)
    t.equal(codeFor('authorization', other, 'AUTHORIZATION', 'Bearer abc'), 'token_invalid', other)
  }
})

t.test('a bearer has at most 8192 characters', async t => {
  t.equal(readBearer(['Authorization', `Bearer ${'x'.repeat(8192)}`])?.length, 8192)
  t.equal(codeFor('Authorization', `Bearer ${'x'.repeat(8193)}`), 'token_invalid')
  t.equal(codeFor('Authorization', `Bearer${' '.repeat(100_000)}x`), 'token_invalid')
})

t.test('SEC-40: a refusal does not repeat the credentials', async t => {
  for (const rawHeaders of [
    ['Authorization', 'Bearer canary canary'],
    ['Authorization', 'Bearer canary', 'Authorization', 'Basic canary'],
    ['Authorization', `Bearer ${'canary'.repeat(2000)}`]
  ])
    t.throws(
      () => readBearer(rawHeaders),
      { code: 'token_invalid', message: /^(?!.*canary)/ },
      rawHeaders.length === 2 ? 'one header' : 'two'
    )
})

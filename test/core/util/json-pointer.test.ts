import t from 'tap'
import { resolvePointer } from '../../../src/core/util/json-pointer.ts'

t.test('the examples of RFC 6901 §5 resolve as given there', async t => {
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'c%d': 2, 'e^f': 3, 'g|h': 4, 'i\\j': 5, 'k"l': 6, ' ': 7, 'm~n': 8 }
  for (const [pointer, value] of [
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8]
  ] as const)
    t.strictSame(resolvePointer(document, pointer), value, pointer)
  t.equal(resolvePointer({ '~1': 'tilde' }, '/~01'), 'tilde', '~01 is ~1 and not a slash (§4)')
})

t.test('a pointer to nothing resolves to undefined without an error', async t => {
  for (const [document, pointer] of [
    [{}, '/a'],
    [{ a: 1 }, '/a/b'],
    [{ a: null }, '/a/b'],
    [{ a: 'text' }, '/a/length'],
    [{ a: [] }, '/a/0'],
    [{ a: [1] }, '/a/-'],
    [null, '/a'],
    [undefined, '/a'],
    ['text', '/0'],
    [{}, '/constructor'],
    [{}, '/__proto__/toString'],
    [[], '/push']
  ] as const)
    t.equal(resolvePointer(document, pointer), undefined, `${JSON.stringify(document)} at ${pointer}`)
})

import t from 'tap'
import { splitTarget } from '../../../src/core/util/request-target.ts'

t.test('a target is split at its first question mark, byte for byte', async t => {
  for (const [target, path, query] of [
    ['', '', ''],
    ['/a%2Fb', '/a%2Fb', ''],
    ['/a?', '/a', '?'],
    ['?b', '', '?b'],
    ['/a?b?c=%zz', '/a', '?b?c=%zz']
  ] as const)
    t.strictSame(splitTarget(target), { path, query }, target)
})

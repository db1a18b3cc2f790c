import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import t from 'tap'
import {
  createServiceKeys,
  isServiceKeyName,
  newServiceKey,
  type ServiceKey,
  type ServiceKeyEntry
} from '../../../src/core/users/service-keys.ts'

const entryOf = (name: string, key: string, mayReadTokens = false): ServiceKeyEntry => ({
  name,
  hash: createHash('sha256').update(key).digest(),
  mayReadTokens
})

t.test('SEC-49: a service key is found by its hash, and says what it may', async t => {
  const keys = createServiceKeys([entryOf('nightly', 'first'), entryOf('sync', 'second', true)])
  const nightly: ServiceKey = { name: 'nightly', mayReadTokens: false }
  t.strictSame(keys.find('first'), nightly, 'and not its hash')
  t.strictSame(keys.find('second'), { name: 'sync', mayReadTokens: true })
})

t.test('SEC-49: nothing but the key itself is found', async t => {
  const keys = createServiceKeys([entryOf('nightly', 'first')])
  const hash = entryOf('', 'first').hash
  for (const key of ['', 'First', 'first ', 'firs', 'nightly', hash.toString('hex'), hash.toString('latin1'), 'x'.repeat(100_000)])
    t.equal(keys.find(key), undefined, encodeURIComponent(key.slice(0, 20)))
  t.equal(createServiceKeys([]).find(''), undefined)
})

t.test('two keys of one name are good while the key is replaced', async t => {
  const keys = createServiceKeys([entryOf('nightly', 'new'), entryOf('nightly', 'old')])
  for (const key of ['new', 'old']) t.equal(keys.find(key)?.name, 'nightly')
})

t.test('a new service key has 256 random bits and no dot, and its entry has only the hash', async t => {
  const { key, entry } = newServiceKey('nightly-2026')
  t.match(key.reveal(), /^gk_[\w-]{43}$/)
  t.equal(entry, `nightly-2026:${createHash('sha256').update(key.reveal()).digest('hex')}`)
  t.not(newServiceKey('nightly-2026').key.reveal(), key.reveal())
  t.match(newServiceKey('sync', { mayReadTokens: true }).entry, /^sync:[\da-f]{64}:token$/)
  t.notMatch(inspect(newServiceKey('x')), /gk_/, 'a key is not printed by accident')
})

t.test('the name of a service key is short, and plain enough for a log', async t => {
  for (const name of ['nightly-2026', 'a', '7', 'Sync.eu_west', 'x'.repeat(64)]) t.ok(isServiceKeyName(name), name)
  for (const name of ['', '-a', '.a', 'a b', 'a:b', 'a,b', 'a=b', 'zo\u00eb', 'x'.repeat(65), 'a\n'])
    t.notOk(isServiceKeyName(name), encodeURIComponent(name))
})

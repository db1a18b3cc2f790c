import t, { type Test } from 'tap'
import type { Store } from '../../../src/core/ports.ts'
import { createCipher } from '../../../src/core/vault/cipher.ts'
import { createSingleUseTokens } from '../../../src/core/vault/single-use-tokens.ts'
import { dumpOf } from '../../support/store-dump.ts'
import { minute, newKey, openInstance, startMs } from '../support.ts'

const ttlMs = 10 * minute

function openTokens(t: Test) {
  const instance = openInstance(t)
  const { store, clock } = instance
  const keys = [newKey()]
  const tokensFor = (purpose: string, cipher = createCipher(keys)) =>
    createSingleUseTokens<{ canary: string }>({
      store,
      cipher,
      clock,
      purpose,
      ttlMs,
      encode: value => JSON.stringify(value),
      decode: text => JSON.parse(text)
    })
  return { ...instance, tokensFor, tokens: tokensFor('test') }
}

const value = { canary: 'value-canary' }

t.test('SEC-53: a token gives its value once', async t => {
  const { tokens } = openTokens(t)
  const { token, expiresAtMs } = await tokens.issue(value)
  t.match(token, /^[\w-]{32}$/)
  t.equal(expiresAtMs, startMs + ttlMs)
  t.strictSame(await tokens.redeem(token), value)
  t.equal(await tokens.redeem(token), undefined)
  t.equal(await tokens.find(token), undefined)
})

t.test('SEC-53: of callers at the same moment one gets the value', async t => {
  const { tokens, tokensFor } = openTokens(t)
  const { token } = await tokens.issue(value)
  const instances = [tokens, tokensFor('test'), tokensFor('test')]
  const redeemed = await Promise.all([...instances, ...instances].map(instance => instance.redeem(token)))
  t.strictSame(
    redeemed.filter(found => found !== undefined),
    [value]
  )
})

t.test('a look at the value leaves the token as it is', async t => {
  const { tokens } = openTokens(t)
  const { token } = await tokens.issue(value)
  for (let i = 0; i < 3; i++) t.strictSame(await tokens.find(token), value)
  t.strictSame(await tokens.redeem(token), value)
})

t.test('a token ends after its time', async t => {
  const { tokens, clock } = openTokens(t)
  const [one, other] = [await tokens.issue(value), await tokens.issue(value)]
  clock.advance(ttlMs - 1)
  t.strictSame(await tokens.redeem(one.token), value)
  clock.advance(1)
  t.equal(await tokens.find(other.token), undefined)
  t.equal(await tokens.redeem(other.token), undefined)
})

t.test('SEC-53: a token of one purpose is unknown for another', async t => {
  const { tokens, tokensFor } = openTokens(t)
  const { token } = await tokens.issue(value)
  t.equal(await tokensFor('other').find(token), undefined)
  t.equal(await tokensFor('other').redeem(token), undefined)
  t.strictSame(await tokens.redeem(token), value, 'and is not used up')
})

t.test('an unknown or altered token has no value', async t => {
  const { tokens } = openTokens(t)
  const { token } = await tokens.issue(value)
  for (const other of ['', 'x', `${token}x`, token.slice(1), token.toUpperCase(), `test:${token}`])
    t.equal(await tokens.redeem(other), undefined, other)
  t.strictSame(await tokens.redeem(token), value)
})

t.test('SEC-38: the store knows neither the token nor the value', async t => {
  const { tokens, directory } = openTokens(t)
  const { token } = await tokens.issue(value)
  const dump = dumpOf(directory)
  t.ok(dump.includes('test:'), 'it holds something')
  for (const secret of [token, value.canary]) t.notOk(dump.includes(secret))
})

t.test('SEC-38: a missing key neither opens the value nor uses up the token', async t => {
  const { tokens, tokensFor } = openTokens(t)
  const { token } = await tokens.issue(value)
  t.equal(await tokensFor('test', createCipher([newKey()])).redeem(token), undefined)
  t.strictSame(await tokens.redeem(token), value)
})

t.test('nothing is left of a redeemed value', async t => {
  const { store, clock } = openTokens(t)
  const keys: string[] = []
  const recording: Pick<Store, 'claim' | 'getValue' | 'setValue'> = {
    ...store,
    setValue: async (key, ...rest) => {
      keys.push(key)
      return store.setValue(key, ...rest)
    }
  }
  const tokens = createSingleUseTokens<string>({
    store: recording,
    cipher: createCipher([newKey()]),
    clock,
    purpose: 'recorded',
    ttlMs,
    encode: text => text,
    decode: text => text
  })
  const { token } = await tokens.issue('value')
  const [key = ''] = keys
  t.ok((await store.getValue(key))?.length)
  t.equal(await tokens.redeem(token), 'value')
  t.equal((await store.getValue(key))?.length ?? 0, 0)
})

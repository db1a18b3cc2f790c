import t from 'tap'
import { createGrantStore } from '../../src/sandbox/grant-store.ts'

t.test('a second use of a refresh token revokes its grant', async t => {
  const store = createGrantStore({ graceMs: () => 0 })
  const refreshTokens = store.adapter('RefreshToken')
  const accessTokens = store.adapter('AccessToken')
  const grants = store.adapter('Grant')
  await grants.upsert('grant', {}, 60)
  await grants.upsert('other grant', {}, 60)
  await refreshTokens.upsert('token', { grantId: 'grant' }, 60)
  await accessTokens.upsert('token of the grant', { grantId: 'grant' }, 60)
  await accessTokens.upsert('token of the other grant', { grantId: 'other grant' }, 60)

  await refreshTokens.consume('token')
  await t.rejects(refreshTokens.consume('token'), { message: 'invalid_grant' })
  await t.rejects(refreshTokens.consume('token'), { message: 'invalid_grant' }, 'a third use fails as well')
  t.ok(store.wasConsumed('token'))
  t.equal(await grants.find('grant'), undefined)
  t.equal(await accessTokens.find('token of the grant'), undefined)
  t.ok(await accessTokens.find('token of the other grant'))
  t.ok(await grants.find('other grant'))
})

t.test('expired items are evicted, and sessions are not stored', async t => {
  const store = createGrantStore({ graceMs: () => 0 })
  const accessTokens = store.adapter('AccessToken')
  await accessTokens.upsert('short', {}, 0)
  await accessTokens.upsert('long', {}, 60)
  t.equal(await accessTokens.find('short'), undefined)
  t.ok(await accessTokens.find('long'))
  await store.adapter('Session').upsert('session', {}, 60)
  t.equal(await store.adapter('Session').find('session'), undefined)
})

t.test('the number of items is bounded', async t => {
  const store = createGrantStore({ graceMs: () => 0, maxItems: 2 })
  const refreshTokens = store.adapter('RefreshToken')
  for (const token of ['first', 'second', 'third']) {
    await refreshTokens.upsert(token, {}, 60)
    await refreshTokens.consume(token)
  }
  t.equal(await refreshTokens.find('first'), undefined)
  t.notOk(store.wasConsumed('first'))
  t.ok(await refreshTokens.find('second'))
  t.ok(store.wasConsumed('second'))
})

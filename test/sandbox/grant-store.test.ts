import t from 'tap'
import { grantStore } from '../../src/sandbox/grant-store.ts'

t.test('of two that spend one refresh token the second loses the grant for both', async t => {
  const store = grantStore({ graceMs: () => 0 })
  const refreshTokens = store.adapter('RefreshToken')
  const accessTokens = store.adapter('AccessToken')
  const grants = store.adapter('Grant')
  await grants.upsert('grant', {}, 60)
  await grants.upsert('other grant', {}, 60)
  await refreshTokens.upsert('token', { grantId: 'grant' }, 60)
  await accessTokens.upsert('opened', { grantId: 'grant' }, 60)
  await accessTokens.upsert('of another', { grantId: 'other grant' }, 60)

  await refreshTokens.consume('token')
  await t.rejects(refreshTokens.consume('token'), { message: 'invalid_grant' })
  await t.rejects(refreshTokens.consume('token'), { message: 'invalid_grant' }, 'nor a third')
  t.ok(store.wasSpent('token'))
  t.equal(await grants.find('grant'), undefined)
  t.equal(await accessTokens.find('opened'), undefined)
  t.ok(await accessTokens.find('of another'))
  t.ok(await grants.find('other grant'))
})

t.test('what has expired is let go, and nobody stays signed in', async t => {
  const store = grantStore({ graceMs: () => 0 })
  const accessTokens = store.adapter('AccessToken')
  await accessTokens.upsert('short', {}, 0)
  await accessTokens.upsert('long', {}, 60)
  t.equal(await accessTokens.find('short'), undefined)
  t.ok(await accessTokens.find('long'))
  await store.adapter('Session').upsert('session', {}, 60)
  t.equal(await store.adapter('Session').find('session'), undefined)
})

t.test('memory is bounded', async t => {
  const store = grantStore({ graceMs: () => 0, maxItems: 2 })
  const refreshTokens = store.adapter('RefreshToken')
  for (const token of ['first', 'second', 'third']) {
    await refreshTokens.upsert(token, {}, 60)
    await refreshTokens.consume(token)
  }
  t.equal(await refreshTokens.find('first'), undefined)
  t.notOk(store.wasSpent('first'))
  t.ok(await refreshTokens.find('second'))
  t.ok(store.wasSpent('second'))
})

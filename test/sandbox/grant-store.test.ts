import t from 'tap'
import { createGrantStore } from '../../src/sandbox/grant-store.ts'

const of = (account: string) => ({ method: 'oauth2', account, scopes: [], parameters: {} }) as const
const rotated = { isRotated: true, lifetimeSeconds: undefined }

t.test('a second use of a refresh token ends its grant', async t => {
  const store = createGrantStore({ graceMs: () => 0 })
  const [grant, other] = [store.addGrant(of('ada')), store.addGrant(of('grace'))]
  const refreshToken = store.addRefreshToken(grant, 60)
  const [accessToken, otherToken] = [store.addAccessToken(grant, 60), store.addAccessToken(other, 60)]

  t.strictSame(store.redeem(refreshToken, rotated), { grant })
  t.ok(store.findAccessToken(accessToken))
  t.equal(store.redeem(refreshToken, rotated), 'reused')
  t.equal(store.redeem(refreshToken, rotated), 'reused', 'a third use as well')
  t.equal(store.findAccessToken(accessToken), undefined)
  t.ok(store.findAccessToken(otherToken))
  t.strictSame(store.grants(), [other])
})

t.test('a refresh token that is kept can be used again, and one in its grace period too', async t => {
  const kept = createGrantStore({ graceMs: () => 0 })
  const keptToken = kept.addRefreshToken(kept.addGrant(of('ada')), 60)
  for (const _ of [1, 2]) t.type(kept.redeem(keptToken, { isRotated: false, lifetimeSeconds: 60 }), 'object')
  const graceful = createGrantStore({ graceMs: () => 60_000 })
  const token = graceful.addRefreshToken(graceful.addGrant(of('ada')), 60)
  for (const _ of [1, 2]) t.type(graceful.redeem(token, rotated), 'object')
})

t.test('expired tokens are of no use, and those without a lifetime stay', async t => {
  const store = createGrantStore({ graceMs: () => 0 })
  const grant = store.addGrant(of('ada'))
  t.equal(store.findAccessToken(store.addAccessToken(grant, 0)), undefined)
  t.ok(store.findAccessToken(store.addAccessToken(grant, undefined)))
  t.equal(store.redeem(store.addRefreshToken(grant, 0), rotated), 'unknown')
  t.type(store.redeem(store.addRefreshToken(grant, undefined), rotated), 'object')
})

t.test('the end of a grant ends its tokens', async t => {
  const store = createGrantStore({ graceMs: () => 0 })
  const grant = store.addGrant(of('ada'))
  const tokens = [store.addAccessToken(grant, 60), store.addRefreshToken(grant, 60)]
  store.end(grant)
  for (const token of tokens) t.equal(store.grantOf(token), undefined)
  t.equal(store.redeem(tokens[1] ?? '', rotated), 'unknown')
})

t.test('the number of items is bounded', async t => {
  const store = createGrantStore({ graceMs: () => 0, maxItems: 2 })
  const grant = store.addGrant(of('ada'))
  const [first = '', second = ''] = [1, 2, 3].map(() => store.addRefreshToken(grant, 60))
  t.equal(store.redeem(first, rotated), 'unknown')
  t.type(store.redeem(second, rotated), 'object')
})

// @fastify/secure-session, CVE-2024-31999: deleting a session deleted only the browser's cookie. The cookie held the whole session, so a copy
// of it stayed valid.
//
// Here: a thief copies every cookie, and the user signs out.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem, signIn, startConnected } from '../support/connected.ts'

t.test('CVE-2024-31999: a copied cookie ends with its session, and no later sign-in restores it', async t => {
  const { gateway, provider, browser: user, proxy } = await startConnected(t)
  const neighbour = new Browser()
  await signIn(gateway, neighbour)
  const thief = user.copy()
  t.equal((await thief.fetch(`${proxy}/x`)).status, 200, 'it is valid until the sign-out')
  t.equal((await user.fetch(`${gateway.url}/logout`, { method: 'POST' })).status, 204)

  const { token, api } = provider.seen
  const before = [api.length, token.length]
  const assertEnded = async () => {
    await assertProblem(t, await thief.fetch(`${proxy}/x`), 401, 'connection_required')
    await assertProblem(
      t,
      await thief.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' }),
      401,
      'connection_required'
    )
    t.match(await (await thief.fetch(`${gateway.url}/connections`)).json(), { connections: [{ status: 'disconnected' }] })
  }
  await assertEnded()
  t.same([api.length, token.length], before)

  await signIn(gateway, user)
  await assertEnded()
  t.same([api.length, token.length], [before[0], (before[1] ?? 0) + 1])
  for (const browser of [user, neighbour]) t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
})

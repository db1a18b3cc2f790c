// @fastify/secure-session, CVE-2024-31999: deleting a session deleted the browser's cookie. All of the session was in it, so a copy
// that somebody had made went on serving.
//
// Here: a thief copies every cookie, and the person signs out.
import t from 'tap'
import { Browser } from '../support/browser.ts'
import { connected, problem, signIn } from '../support/connected.ts'

t.test('CVE-2024-31999: a copied cookie ends with its session, and no later sign-in revives it', async t => {
  const { gateway, provider, browser: person, proxy } = await connected(t)
  const neighbour = new Browser()
  await signIn(gateway, neighbour)
  const thief = person.copy()
  t.equal((await thief.fetch(`${proxy}/x`)).status, 200, 'it is the session until then')
  t.equal((await person.fetch(`${gateway.url}/logout`, { method: 'POST' })).status, 204)

  const { token, api } = provider.seen
  const before = [api.length, token.length]
  const tries = async () => {
    await problem(t, await thief.fetch(`${proxy}/x`), 401, 'connection_required')
    await problem(t, await thief.fetch(`${gateway.url}/connections/productboard/refresh`, { method: 'POST' }), 401, 'connection_required')
    t.match(await (await thief.fetch(`${gateway.url}/connections`)).json(), { connections: [{ status: 'disconnected' }] })
  }
  await tries()
  t.same([api.length, token.length], before)

  await signIn(gateway, person)
  await tries()
  t.same([api.length, token.length], [before[0], (before[1] ?? 0) + 1])
  for (const browser of [person, neighbour]) t.equal((await browser.fetch(`${proxy}/x`)).status, 200)
})

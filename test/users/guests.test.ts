import t from 'tap'
import { Browser } from '../support/browser.ts'
import { assertProblem } from '../support/connected.ts'
import { pasteKey } from '../support/paste-key.ts'
import { ada, frontend, openWorld } from './world.ts'

const post = (url: string, body: unknown) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', 'x-csrf': '1' }, body: JSON.stringify(body) })

t.test('where users sign in, a guest pastes a key without', async t => {
  const { as, url, processStreet } = await openWorld(t)
  const invitation = (await (await as(ada)('POST', '/connections/process-street/invitation', {})).json()) as { url: string }
  t.equal((await post(invitation.url, { apiKey: 'ada-key-guest' })).status, 201)
  t.equal((await as(ada)('GET', '/proxy/process-street/x')).status, 200)
  t.match(processStreet.seen.api.at(-1)?.rawHeaders.join(' '), /ada-key-guest/)
  t.equal((await fetch(`${url}/connections`)).status, 401)
})

t.test('where users sign in, the browser of a bearer’s link pastes a key without', async t => {
  const { as } = await openWorld(t)
  const begun = (await (await as(ada)('POST', '/auth/process-street', { returnTo: frontend })).json()) as { url: string }
  const pasted = await post(begun.url, { apiKey: 'ada-key-link' })
  t.equal(pasted.status, 201)
  const { location } = (await pasted.json()) as { location: string }
  const code = new URL(location).searchParams.get('connect_code')
  t.equal((await as(ada)('POST', '/connections/complete', { code })).status, 201)
})

t.test('where users sign in, a key of nobody’s is not shown to its provider', async t => {
  const { url, oldBrowser, processStreet } = await openWorld(t)
  for (const browser of [new Browser(), oldBrowser])
    await assertProblem(t, await pasteKey({ url }, browser, 'process-street', 'eve-key-one'), 401, 'user_required')
  t.equal(processStreet.seen.api.length, 0)
})

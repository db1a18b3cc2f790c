import t, { type Test } from 'tap'
import { hour, minute, openInstance, sessionOf, startMs } from '../support.ts'
import { browserWith, deliver, initech, newFlow, openAsText, openLive, providersIn, signIn, umbrella, withCredential } from './support.ts'

t.test('SEC-19: a sign-in rotates the session id, and delivery ends the old one', async t => {
  const { vault, store, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(hour)
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  t.not(second.id, first.id)
  t.ok(await vault.open(first), 'valid until the delivery')
  t.strictSame(await deliver(vault, second), { ...first, id: second.id, lastSeenAtMs: startMs + hour })
  t.equal(await vault.openAll(first), undefined)
  t.equal(await vault.open(first, { provider: 'acme' }), undefined)
  t.strictSame(await providersIn(vault, second), ['acme', 'umbrella'])
  t.notOk((await store.readAll('owner')).has(`session:${first.id}`), 'its record is deleted')
})

t.test('SEC-19: a superseded id expires after a minute without delivery, cached or not', async t => {
  const { vault, clock } = openInstance(t)
  const first = await signIn(vault)
  await vault.connect('owner', first, umbrella)
  clock.advance(minute - 1)
  for (const opened of [await vault.openAll(first), await vault.open(first, { provider: 'acme' })]) t.ok(opened)
  clock.advance(1)
  for (const opened of [await vault.openAll(first), await vault.open(first, { provider: 'acme' })]) t.equal(opened, undefined)
})

t.test('SEC-19: a superseded id shows later connections only to the browser that signed in', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(newFlow(), flow)
  await vault.connect('owner', first, withCredential('access-2'), { callback: callbackOf(flow), browser })
  for (const [who, other] of [
    ['a copy of the cookie', undefined],
    ['a copy of the cookie with another sign-in', { flows: [newFlow()] }]
  ] as const) {
    t.strictSame(await providersIn(vault, first, other), [], who)
    t.equal((await vault.open(first, { provider: 'acme' }, other))?.connection, undefined, who)
  }
  t.equal((await vault.open(first, { provider: 'acme' }, browser))?.connection?.value.credential.reveal(), 'access-2')
})

t.test('SEC-19: a superseded id shows only that browser what is connected with it', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  await vault.connect('owner', first, withCredential('access-2'), { callback: callbackOf(flow), browser })
  await vault.connect('owner', first, umbrella)
  t.strictSame(await providersIn(vault, first), [])
  t.strictSame(await providersIn(vault, first, browser), ['acme', 'umbrella'])
})

/** A session whose id a sign-in of `browser` has rotated; the new id was delivered. */
async function rotate(t: Test) {
  const instance = openInstance(t)
  const { vault } = instance
  const first = await signIn(vault)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  const second = await deliver(vault, await vault.connect('owner', first, umbrella, { callback: callbackOf(flow), browser }))
  return { ...instance, first, second, browser, callback: callbackOf(flow) }
}

t.test('SEC-19: after delivery a copy of the old id opens nothing', async t => {
  const { vault, first } = await rotate(t)
  for (const other of [undefined, { flows: [newFlow()] }]) {
    t.equal(await vault.openAll(first, other), undefined)
    t.equal(await vault.open(first, { provider: 'acme' }, other), undefined)
  }
})

t.test('SEC-19: after delivery late requests of the browser are served for ten seconds', async t => {
  const { vault, clock, first, browser } = await rotate(t)
  for (const provider of ['acme', 'umbrella']) t.ok((await vault.open(first, { provider }, browser))?.connection, provider)
  t.strictSame(await providersIn(vault, first, browser), ['acme', 'umbrella'])
  clock.advance(10 * 1000)
  t.equal(await vault.openAll(first, browser), undefined)
})

t.test('SEC-19: after delivery a late request of the browser gets no session', async t => {
  const { vault, first, second, browser, callback } = await rotate(t)
  t.equal((await vault.connect('owner', first, umbrella, { callback, browser })).kind, 'joined')
  t.equal(await vault.resend(second, browser, first), undefined)
})

t.test('a rotation deletes the records of expired sessions', async t => {
  const { vault, store, clock, second } = await rotate(t)
  clock.advance(10 * 1000)
  await deliver(vault, await vault.connect('owner', second, umbrella))
  t.equal([...(await store.readAll('owner')).keys()].filter(field => field.startsWith('session:')).length, 1)
})

t.test('SEC-19: two concurrent sign-ins end in one session with all connections', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const results = await Promise.all([vault.connect('owner', first, umbrella), vault.connect('owner', first, initech)])
  t.strictSame(results.map(({ kind }) => kind).sort(), ['joined', 'session'])
  const second = sessionOf(results.find(({ kind }) => kind === 'session'))
  t.strictSame(await providersIn(vault, second), ['acme', 'initech', 'umbrella'])
  t.equal(await vault.openAll(first), undefined)
  t.equal((await vault.connect('owner', first, umbrella)).kind, 'joined', 'also after the delivery')
})

t.test('SEC-19: a second tab gets the successor only if its browser awaits it', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const [one, two, stolen] = [newFlow(), newFlow(), newFlow()]
  const { callbackOf, browser } = browserWith(one, two)
  const second = sessionOf(await vault.connect('owner', first, umbrella, { callback: callbackOf(one), browser }))
  const thief = browserWith(stolen)
  const theirs = await vault.connect('owner', first, umbrella, { callback: thief.callbackOf(stolen), browser: thief.browser })
  t.equal(theirs.kind, 'joined')
  t.equal(sessionOf(await vault.connect('owner', first, umbrella, { callback: callbackOf(two), browser })).id, second.id)
})

t.test('SEC-19: a late touch of the old id changes nothing', async t => {
  const { vault, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(hour)
  const opened = await openLive(vault, first)
  const second = await deliver(vault, await vault.connect('owner', first, umbrella))
  await vault.touch(opened, opened.connections.get('acme'))
  t.equal(await vault.openAll(first), undefined)
  t.strictSame((await openAsText(vault, second))?.session, second)
})

import t from 'tap'
import type { Session } from '../../../src/core/session.ts'
import { connectionWith, minute, newKey, openInstance, sessionOf, startMs } from '../support.ts'
import { browserWith, deliver, newFlow, openOneAsText, providersIn, signIn, umbrella } from './support.ts'

t.test('undoing a lost rotation restores the old id and keeps the connection', async t => {
  const { vault, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(minute)
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  clock.advance(2 * minute)
  t.equal(await vault.openAll(first), undefined)
  t.equal(await vault.undoRotation(second), true)
  t.strictSame(await openOneAsText(vault, first), { session: { ...first, lastSeenAtMs: startMs + minute }, connection: undefined })
  t.strictSame(await providersIn(vault, first), ['acme', 'umbrella'])
  t.equal(await vault.openAll(second), undefined)
  t.equal(await vault.undoRotation(second), false)
})

t.test('a rotation that was resent or delivered is not undone', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  const second = sessionOf(await vault.connect('owner', first, umbrella, { callback: callbackOf(flow), browser }))
  const resent = await vault.resend(second, browser, first)
  t.equal(resent?.id, second.id)
  t.equal(await vault.undoRotation(second), false, 'resent')
  await deliver(vault, second)
  t.equal(await vault.undoRotation(resent as Session), false, 'delivered')
  t.strictSame(await providersIn(vault, second), ['acme', 'umbrella'])
})

t.test('SEC-19: a first session is resent only to its browser, until delivery', async t => {
  const { vault } = openInstance(t)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  const first = sessionOf(await vault.connect('owner', undefined, connectionWith(), { callback: callbackOf(flow), browser }))
  t.equal(await vault.resend(first, { flows: [newFlow()] }), undefined, 'another sign-in')
  t.equal((await vault.resend(first, browser))?.id, first.id)
  await deliver(vault, first)
  t.equal(await vault.resend(first, browser), undefined, 'delivered')
})

t.test('SEC-19: a rotated session is resent only to its browser with the predecessor', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  const second = sessionOf(await vault.connect('owner', first, umbrella, { callback: callbackOf(flow), browser }))
  t.equal(await vault.resend(second, browser), undefined, 'no predecessor')
  t.equal(await vault.resend(second, browser, { owner: 'owner', id: 'x' }), undefined, 'another predecessor')
  t.equal(await vault.resend(second, { flows: [] }, first), undefined, 'the predecessor without the sign-in')
  t.equal((await vault.resend(second, browser, first))?.id, second.id)
  t.ok(await vault.open(first), 'a resend is no delivery')
})

t.test('ending a lost first session returns and deletes its connections', async t => {
  const { vault, store } = openInstance(t)
  const flow = newFlow()
  const lost = sessionOf(await vault.connect('owner', undefined, connectionWith(), { callback: browserWith(flow).callbackOf(flow) }))
  t.strictSame(
    (await vault.endUndelivered(lost)).map(({ provider }) => provider),
    ['acme']
  )
  t.equal((await store.readAll('owner')).size, 0)
  t.strictSame(await vault.endUndelivered(lost), [])
})

t.test('a first session that was resent or delivered is not ended', async t => {
  const { vault } = openInstance(t)
  const flow = newFlow()
  const { callbackOf, browser } = browserWith(flow)
  const first = sessionOf(await vault.connect('owner', undefined, connectionWith(), { callback: callbackOf(flow) }))
  const resent = (await vault.resend(first, browser)) as Session
  t.strictSame(await vault.endUndelivered(first), [], 'resent')
  await deliver(vault, resent)
  t.strictSame(await vault.endUndelivered(resent), [], 'delivered')
  t.strictSame(await providersIn(vault, first), ['acme'])
})

t.test('SEC-19: delivery at one instance ends the old id at all instances', async t => {
  const keys = [newKey()]
  const one = openInstance(t, { keys })
  const other = openInstance(t, { ...one, keys })
  const first = await signIn(one.vault)
  t.ok(await other.vault.open(first, { provider: 'acme' }))
  const second = sessionOf(await one.vault.connect('owner', first, umbrella))
  t.ok(await other.vault.open(first, { provider: 'acme' }))
  await Promise.all([one, other, one].map(({ vault }) => vault.open(second, { provider: 'umbrella' })))
  for (const { vault } of [one, other]) t.equal((await vault.openAll(first))?.connections, undefined)
  t.strictSame(await providersIn(other.vault, second), ['acme', 'umbrella'])
})

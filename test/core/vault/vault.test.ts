import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Connection } from '../../../src/core/connections/connection.ts'
import { createFlow, type Flow, flowId } from '../../../src/core/flow.ts'
import type { Store } from '../../../src/core/ports.ts'
import { Secret } from '../../../src/core/secret.ts'
import { type PresentedFlows, recordRetentionMs, type Session, type SessionRef } from '../../../src/core/session.ts'
import { createCipher, headerBytes } from '../../../src/core/vault/cipher.ts'
import type { Versioned } from '../../../src/core/vault/records.ts'
import type { ConnectResult } from '../../../src/core/vault/session-rotation.ts'
import { createVault, type Vault } from '../../../src/core/vault/vault.ts'
import { storeUnavailable } from '../../../src/stores/errors.ts'
import { connectionWith, hour, keyOf, limits, minute, newKey, openInstance, sessionOf, startMs, told } from '../support.ts'

/** A first sign-in, whose session's cookie has arrived. */
const signIn = async (vault: Vault, owner = 'owner', connection = connectionWith()): Promise<Session> =>
  arrived(vault, await vault.connect(owner, undefined, connection))

/** The browser shows the session that a sign-in has given. */
async function arrived(vault: Vault, result: ConnectResult | Session): Promise<Session> {
  const held = await vault.openAll('kind' in result ? sessionOf(result) : result)
  if (!held) throw new Error('the session has ended')
  return held.session.value
}

const namesIn = async (vault: Vault, ticket: SessionRef, browser?: PresentedFlows) =>
  [...((await vault.openAll(ticket, browser))?.connections.keys() ?? [])].sort()

/** A browser in which these sign-ins are under way, and what their callbacks tell of it. */
function browserWith(...flows: Flow[]) {
  const presentedFlows = flows.map(flowId)
  return { flows, arrivalOf: (flow: Flow, startedAtMs = startMs) => ({ flow: flowId(flow), presentedFlows, startedAtMs }) }
}

const newFlow = () => createFlow({ provider: 'acme', returnTo: '/', owner: 'owner', startsSession: true }, startMs)

async function opened(vault: Vault, ticket: SessionRef, providers?: readonly string[]) {
  const held = await (providers ? vault.open(ticket, providers) : vault.openAll(ticket))
  return (
    held && { session: held.session.value, connections: [...held.connections].map(([name, { value }]) => [name, told(value)] as const) }
  )
}

/** What a connection was read as, for a test that knows it is there. */
async function kept(vault: Vault, owner = 'owner', provider = 'acme') {
  const connection = await vault.readConnection(keyOf(owner, provider))
  if (!connection) throw new Error(`${owner} has no connection to ${provider}`)
  return connection
}

const umbrella = connectionWith({ provider: 'umbrella', credential: new Secret('access-u') })
const withCredential = (credential: string, connection: Connection = connectionWith()): Connection => ({
  ...connection,
  credential: new Secret(credential)
})

t.test('a session and its connections come back as they were kept', async t => {
  const { vault } = openInstance(t)
  const session = await signIn(vault)
  t.strictSame(session, { owner: 'owner', id: session.id, createdAtMs: startMs, lastSeenAtMs: startMs, lastUsedMs: {} })
  t.strictSame(await opened(vault, session), { session, connections: [['acme', told(connectionWith())]] })
})

t.test('a session and the connections asked for are one round trip', async t => {
  const { vault, store, clock } = openInstance(t)
  const keys = [newKey()]
  const calls: string[] = []
  const counting = new Proxy(store, {
    get: (target, name: keyof Store) => {
      const member = target[name]
      return typeof member === 'function'
        ? (...args: never[]) => {
            calls.push(name)
            return (member as (...args: never[]) => unknown)(...args)
          }
        : member
    }
  })
  const counted = createVault({ store: counting, cipher: createCipher(keys), limits, clock })
  const session = await signIn(counted)
  const turned = await arrived(counted, await counted.connect('owner', session, umbrella))
  calls.length = 0
  t.strictSame((await opened(counted, turned, ['umbrella', 'initech']))?.connections, [['umbrella', told(umbrella)]])
  t.strictSame(calls, ['read'])
  calls.length = 0
  t.strictSame((await opened(counted, turned))?.connections.map(([name]) => name).sort(), ['acme', 'umbrella'])
  t.strictSame(calls, ['readAll'])
  t.equal(await vault.openAll(session), undefined, 'another key opens none of it')
})

t.test('a ticket of nobody, of another owner or with another id opens nothing', async t => {
  const { vault } = openInstance(t)
  const session = await signIn(vault)
  await signIn(vault, 'other')
  for (const ticket of [
    { owner: 'nobody', id: session.id },
    { owner: 'other', id: session.id },
    { owner: 'owner', id: `${session.id}x` },
    { owner: 'owner', id: '' }
  ])
    for (const providers of [undefined, ['acme'], []])
      t.equal(await opened(vault, ticket, providers), undefined, `${ticket.owner} ${providers}`)
})

t.test('SEC-19: a sign-in turns the id of the session, and the old id is dead once the new one is shown', async t => {
  const { vault, store, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(hour)
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  t.not(second.id, first.id)
  t.ok(await vault.open(first, []), 'until then whoever has not got the new one goes on')
  t.strictSame(await arrived(vault, second), { ...first, id: second.id, lastSeenAtMs: startMs + hour })
  t.equal(await vault.openAll(first), undefined)
  t.equal(await vault.open(first, ['acme']), undefined)
  t.strictSame(await namesIn(vault, second), ['acme', 'umbrella'])
  t.equal((await store.readAll('owner')).size, 3, 'nothing is left of it')
})

t.test('SEC-19: an old id whose successor nobody shows is dead after a minute, held in memory or not', async t => {
  const { vault, clock } = openInstance(t)
  const first = await signIn(vault)
  await vault.connect('owner', first, umbrella)
  clock.advance(minute - 1)
  for (const providers of [undefined, ['acme']]) t.ok(await (providers ? vault.open(first, providers) : vault.openAll(first)))
  clock.advance(1)
  for (const providers of [undefined, ['acme']]) t.equal(await (providers ? vault.open(first, providers) : vault.openAll(first)), undefined)
})

t.test('SEC-19: an old id sees nothing of what was connected since, but in the browser that waits for the new one', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const flow = newFlow()
  const { arrivalOf, ...browser } = browserWith(newFlow(), flow)
  await vault.connect('owner', first, withCredential('access-2'), arrivalOf(flow), browser)
  for (const [who, shows] of [
    ['a copy of the cookie', undefined],
    ['a copy, and another sign-in', { flows: [newFlow()] }]
  ] as const) {
    t.strictSame(await namesIn(vault, first, shows), [], who)
    t.equal((await vault.open(first, ['acme'], shows))?.connections.size, 0, who)
  }
  t.equal((await vault.open(first, ['acme'], browser))?.connections.get('acme')?.value.credential.reveal(), 'access-2')
  await vault.connect('owner', first, umbrella)
  t.strictSame(await namesIn(vault, first), [], 'nor of what is connected in it from then on')
  t.strictSame(await namesIn(vault, first, browser), ['acme', 'umbrella'])
})

t.test(
  'SEC-19: what the browser sent before it had the new id is served when it comes late, for some seconds; a copy of the id is not',
  async t => {
    const { vault, store, clock } = openInstance(t)
    const first = await signIn(vault)
    const flow = newFlow()
    const { arrivalOf, ...browser } = browserWith(flow)
    const second = await arrived(vault, await vault.connect('owner', first, umbrella, arrivalOf(flow), browser))
    for (const shows of [undefined, { flows: [newFlow()] }]) {
      t.equal(await vault.openAll(first, shows), undefined)
      t.equal(await vault.open(first, ['acme'], shows), undefined)
    }
    t.equal((await vault.open(first, ['acme', 'umbrella'], browser))?.connections.size, 2)
    t.strictSame(await namesIn(vault, first, browser), ['acme', 'umbrella'])
    t.same(await vault.connect('owner', first, umbrella, arrivalOf(flow), browser), { kind: 'joined' }, 'it is given nothing')
    t.equal(await vault.resend(second, browser, first), undefined)
    clock.advance(10 * 1000)
    t.equal(await vault.openAll(first, browser), undefined)
    await arrived(vault, await vault.connect('owner', second, umbrella))
    t.equal(
      [...(await store.readAll('owner')).keys()].filter(field => field.startsWith('session:')).length,
      1,
      'the next turn takes it away'
    )
  }
)

t.test('SEC-21: nothing that is done with an old id makes its owner live shorter or longer', async t => {
  const { vault, store, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(minute)
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  const held = await vault.openAll(first)
  clock.advance(minute / 2)
  if (held) t.equal(vault.touch(held.session, 'acme'), undefined, 'it is not noted as seen')
  await vault.connect('owner', first, withCredential('initech', { ...umbrella, provider: 'initech' }))
  clock.advance(limits.idleMs - minute / 2 - 1)
  t.strictSame([...(await store.readAll('owner')).keys()].filter(field => field.startsWith('connection:')).length, 3)
  t.strictSame(await namesIn(vault, second), ['acme', 'initech', 'umbrella'])
})

t.test('SEC-19: two sign-ins that finish together end in one session with all connections', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const results = await Promise.all([
    vault.connect('owner', first, umbrella),
    vault.connect('owner', first, withCredential('initech', { ...umbrella, provider: 'initech' }))
  ])
  t.strictSame(results.map(({ kind }) => kind).sort(), ['joined', 'session'])
  t.strictSame(await namesIn(vault, sessionOf(results.find(({ kind }) => kind === 'session'))), ['acme', 'initech', 'umbrella'])
  t.equal(await vault.openAll(first), undefined)
  t.same(await vault.connect('owner', first, umbrella), { kind: 'joined' }, 'also when the new one has been shown meanwhile')
})

t.test('SEC-19: a second tab is given the new session when it waits for the same response, and else joins it unseen', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const [one, two] = [newFlow(), newFlow()]
  const { arrivalOf, ...browser } = browserWith(one, two)
  const second = sessionOf(await vault.connect('owner', first, umbrella, arrivalOf(one), browser))
  const thiefs = browserWith(newFlow())
  t.same(await vault.connect('owner', first, umbrella, thiefs.arrivalOf(thiefs.flows[0] as Flow), thiefs), { kind: 'joined' })
  t.equal(sessionOf(await vault.connect('owner', first, umbrella, arrivalOf(two), browser)).id, second.id)
})

t.test('SEC-6: a first sign-in that comes back while another does joins the session which that one began', async t => {
  const { vault } = openInstance(t)
  const [one, two] = [newFlow(), newFlow()]
  const { arrivalOf } = browserWith(one, two)
  const first = sessionOf(await vault.connect('owner', undefined, connectionWith(), arrivalOf(one)))
  t.same(await vault.connect('owner', undefined, umbrella, arrivalOf(two)), { kind: 'joined' })
  t.strictSame(await namesIn(vault, first), ['acme', 'umbrella'])
})

t.test('SEC-2, SEC-19: who shows no session gets into none that may be another browser’s', async t => {
  const { vault, store } = openInstance(t)
  const [one, two, three] = [newFlow(), newFlow(), newFlow()]
  const { arrivalOf } = browserWith(one, two)
  const first = sessionOf(await vault.connect('owner', undefined, connectionWith(), arrivalOf(one)))
  const records = await store.readAll('owner')
  for (const [who, arrival] of Object.entries({
    'a sign-in that was copied before the session’s was begun': browserWith(two).arrivalOf(two),
    'a sign-in that was begun after the session’s came back': browserWith(one, two, three).arrivalOf(three)
  }))
    t.same(await vault.connect('owner', undefined, umbrella, arrival), { kind: 'unproven' }, who)
  t.same(await store.readAll('owner'), records)
  for (const [who, arrival] of Object.entries({
    'a sign-in that comes back when the cookie must have arrived': browserWith(one, three).arrivalOf(three, startMs + 2_000),
    'what is no sign-in': undefined
  })) {
    const session = sessionOf(await vault.connect('owner', undefined, umbrella, arrival))
    t.not(session.owner, 'owner', who)
    t.strictSame(await namesIn(vault, session), ['umbrella'], who)
  }
  t.strictSame(await namesIn(vault, first), ['acme'])
  t.not((await vault.createSession()).owner, (await vault.createSession()).owner)
})

t.test('SEC-2: of first sign-ins of one owner that end in the same moment one begins a session, at two instances as at one', async t => {
  const one = openInstance(t)
  const keys = [newKey()]
  const vaults = [1, 2].map(() => createVault({ store: one.store, cipher: createCipher(keys), limits, clock: one.clock }))
  const other = openInstance(t, { ...one, keys })
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, i) => {
      const flow = newFlow()
      return [...vaults, other.vault][i % 3]?.connect('owner', undefined, connectionWith(), browserWith(flow).arrivalOf(flow))
    })
  )
  t.equal(results.filter(result => result?.kind === 'session').length, 1)
  t.equal(results.filter(result => result?.kind === 'unproven').length, 11)
})

t.test('what is left of an owner without a session is no reason to ask: the connection is a new owner’s', async t => {
  const { vault, store } = openInstance(t)
  await store.commit('owner', { put: [['invitation:x', Buffer.from('left')]], ttlMs: hour })
  const session = sessionOf(await vault.connect('owner', undefined, umbrella))
  t.not(session.owner, 'owner')
  t.strictSame(await namesIn(vault, session), ['umbrella'])
})

t.test('a session that was not delivered is taken back: the old id is as it was, and the connection stays', async t => {
  const { vault, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(minute)
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  clock.advance(2 * minute)
  t.equal(await vault.openAll(first), undefined)
  t.equal(await vault.undoRotation(second), true)
  t.strictSame(await opened(vault, first, []), { session: { ...first, lastSeenAtMs: startMs + minute }, connections: [] })
  t.strictSame(await namesIn(vault, first), ['acme', 'umbrella'])
  t.equal(await vault.openAll(second), undefined)
  t.equal(await vault.undoRotation(second), false)
})

t.test('a session that somebody has, or that another response carries, is not taken back', async t => {
  const { vault } = openInstance(t)
  const first = await signIn(vault)
  const flow = newFlow()
  const { arrivalOf, ...browser } = browserWith(flow)
  const second = sessionOf(await vault.connect('owner', first, umbrella, arrivalOf(flow), browser))
  const again = await vault.resend(second, browser, first)
  t.equal(again?.id, second.id)
  t.equal(await vault.undoRotation(second), false, 'another response carries it')
  await arrived(vault, second)
  t.equal(await vault.undoRotation(again as Session), false, 'it has been shown')
  t.strictSame(await namesIn(vault, second), ['acme', 'umbrella'])
})

t.test('SEC-19: a session is given once more only to the browser that waits for it, and only until it is shown', async t => {
  const { vault } = openInstance(t)
  const flow = newFlow()
  const { arrivalOf, ...browser } = browserWith(flow)
  const begun = sessionOf(await vault.connect('owner', undefined, connectionWith(), arrivalOf(flow), browser))
  t.equal(await vault.resend(begun, { flows: [newFlow()] }), undefined, 'another sign-in')
  t.equal((await vault.resend(begun, browser))?.id, begun.id)
  const first = await arrived(vault, begun)
  t.equal(await vault.resend(begun, browser), undefined, 'shown')

  const second = sessionOf(await vault.connect('owner', first, umbrella, arrivalOf(flow), browser))
  t.equal(await vault.resend(second, browser), undefined, 'without its predecessor')
  t.equal(await vault.resend(second, browser, { owner: 'owner', id: 'x' }), undefined, 'with another')
  t.equal(await vault.resend(second, { flows: [] }, first), undefined, 'with its predecessor alone')
  t.equal((await vault.resend(second, browser, first))?.id, second.id)
  t.ok(await vault.open(first, []), 'who is about to give it does not show it')
})

t.test('a first session that nobody has shown is ended with what is in it; one that was shown or given again is not', async t => {
  const { vault, store } = openInstance(t)
  const flow = newFlow()
  const { arrivalOf, ...browser } = browserWith(flow)
  const lost = sessionOf(await vault.connect('lost', undefined, connectionWith(), arrivalOf(flow)))
  t.strictSame(
    (await vault.endUndelivered(lost)).map(({ provider }) => provider),
    ['acme']
  )
  t.equal((await store.readAll('lost')).size, 0)
  t.strictSame(await vault.endUndelivered(lost), [])

  const begun = sessionOf(await vault.connect('owner', undefined, connectionWith(), arrivalOf(flow)))
  const again = (await vault.resend(begun, browser)) as Session
  t.strictSame(await vault.endUndelivered(begun), [])
  await arrived(vault, again)
  t.strictSame(await vault.endUndelivered(again), [])
  t.strictSame(await namesIn(vault, begun), ['acme'])
})

t.test('a store that fails when a session is first shown costs nobody the call', async t => {
  const keys = [newKey()]
  const { store, clock, vault } = openInstance(t, { keys })
  const first = await signIn(vault)
  let commits = 0
  const failing = createVault({
    store: {
      ...store,
      commit: () => {
        commits++
        return Promise.reject(storeUnavailable(new Error('down')))
      }
    },
    cipher: createCipher(keys),
    limits,
    clock
  })
  const second = sessionOf(await vault.connect('owner', first, umbrella))
  for (let i = 0; i < 3; i++) t.equal((await failing.open(second, ['acme']))?.connections.size, 1)
  t.equal(commits, 1, 'and what is held in memory does not try at each call')
  t.ok(await vault.openAll(first))
  await arrived(vault, second)
  t.equal(await vault.openAll(first), undefined)
})

t.test('SEC-19: an old id is dead at all instances once the new one is shown at any', async t => {
  const keys = [newKey()]
  const one = openInstance(t, { keys })
  const other = openInstance(t, { ...one, keys })
  const first = await signIn(one.vault)
  t.ok(await other.vault.open(first, ['acme']))
  const second = sessionOf(await one.vault.connect('owner', first, umbrella))
  t.ok(await other.vault.open(first, ['acme']))
  await Promise.all([one, other, one].map(({ vault }) => vault.open(second, ['acme', 'umbrella'])))
  for (const { vault } of [one, other]) t.equal((await vault.openAll(first))?.connections, undefined)
  t.strictSame(await namesIn(other.vault, second), ['acme', 'umbrella'])
})

t.test('SEC-20: what was ended is ended for every copy of its cookie, with all connections', async t => {
  const { vault, store } = openInstance(t)
  const session = await signIn(vault)
  await signIn(vault, 'other')
  await vault.endSession('owner')
  t.equal(await vault.openAll(session), undefined)
  t.equal(await vault.readConnection(keyOf()), undefined)
  t.equal((await store.readAll('owner')).size, 0)
  t.equal((await store.readAll('other')).size, 2, 'others are none the wiser')
})

t.test('SEC-20: a sign-in in a session that was ended keeps nothing', async t => {
  const { vault, store } = openInstance(t)
  const session = await signIn(vault)
  await vault.endSession('owner')
  t.same(await vault.connect('owner', session, umbrella), { kind: 'ended' })
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('SEC-20: a logout wins over a write that was under way', async t => {
  const { vault, store } = openInstance(t)
  await signIn(vault)
  const before = await kept(vault)
  const [ended, written] = await Promise.all([vault.endSession('owner'), vault.replace(keyOf(), before, withCredential('access-2'))])
  t.equal((await store.readAll('owner')).size, 0)
  // Whichever came first, what is given back to be revoked is the newest.
  t.strictSame(
    ended.map(({ credential }) => credential.reveal()),
    [written ? 'access-2' : 'access-1']
  )
})

t.test('a connection is written over exactly what was read', async t => {
  const { vault } = openInstance(t)
  await signIn(vault)
  const before = await kept(vault)
  const [one, two] = await Promise.all([
    vault.replace(keyOf(), before, withCredential('access-2')),
    vault.replace(keyOf(), before, withCredential('access-3'))
  ])
  t.equal(two, undefined)
  t.equal((await kept(vault)).value.credential.reveal(), 'access-2')
  t.equal((await kept(vault)).version, one?.version, 'its version is the one that was given back')
  t.ok(await vault.replace(keyOf(), await kept(vault), connectionWith()), 'read again it can be written')
  t.equal(await vault.replace(keyOf(), before, connectionWith()), undefined, 'the same content is not the same version')
})

t.test('SEC-15: a disconnect takes one connection, and wins over a write that was under way', async t => {
  const { vault } = openInstance(t)
  const session = await arrived(vault, await vault.connect('owner', await signIn(vault), umbrella))
  const before = await kept(vault)
  await vault.disconnect(keyOf())
  t.equal(await vault.replace(keyOf(), before, withCredential('access-2')), undefined)
  t.strictSame(
    (await opened(vault, session))?.connections.map(([name]) => name),
    ['umbrella']
  )
  await vault.disconnect(keyOf())
  await vault.disconnect(keyOf('nobody'))
})

t.test('SEC-21: a session ends when it was idle, and takes its connections along', async t => {
  const { vault, clock } = openInstance(t)
  const session = await signIn(vault)
  clock.advance(limits.idleMs - 1)
  t.ok(await vault.openAll(session))
  clock.advance(1)
  t.equal(await vault.openAll(session), undefined)
  t.equal(await vault.readConnection(keyOf()), undefined)
})

t.test('SEC-21: limits that an operator lowers hold for sessions that are there already', async t => {
  const keys = [newKey()]
  const { vault, store, clock } = openInstance(t, { keys })
  const session = await signIn(vault)
  const lowered = createVault({ store, cipher: createCipher(keys), limits: { idleMs: hour, maxMs: 2 * hour }, clock })
  clock.advance(hour - 1)
  t.ok(await lowered.openAll(session))
  clock.advance(1)
  t.equal(await lowered.openAll(session), undefined)
  t.equal(await lowered.open(session, ['acme']), undefined)
})

t.test('SEC-21: a session that is touched lives on, up to its absolute limit and not beyond', async t => {
  const { vault, clock } = openInstance(t)
  const ticket = await signIn(vault)
  const endMs = startMs + limits.maxMs
  while (clock.now() + hour < endMs) {
    clock.advance(hour)
    const held = await vault.openAll(ticket)
    if (held) await vault.touch(held.session)
    else t.fail(`ended ${(endMs - clock.now()) / hour} hours too early`)
  }
  clock.advance(endMs - clock.now() - 1)
  const held = await vault.openAll(ticket)
  t.equal(held?.session.value.createdAtMs, startMs)
  if (held) await vault.touch(held.session, 'acme')
  clock.advance(1)
  t.equal(await vault.openAll(ticket), undefined)
})

t.test('SEC-21: what has ended opens no more, and its records stay for a day, so that its grants can be revoked', async t => {
  const { vault, clock, store } = openInstance(t)
  const session = await signIn(vault)
  const before = await kept(vault)
  clock.advance(limits.idleMs)
  for (const left of [recordRetentionMs, 1]) {
    clock.advance(recordRetentionMs - left)
    t.equal(await vault.openAll(session), undefined)
    t.equal(await vault.open(session, ['acme']), undefined)
    t.equal(await vault.readConnection(keyOf()), undefined, 'so nobody renews it')
    t.equal(await vault.connectInvited('owner', umbrella, { field: 'connection:acme', version: before.version }), undefined)
    t.equal((await store.readAll('owner')).size, 2)
    clock.advance(left === 1 ? 1 : 0)
  }
  t.equal((await store.readAll('owner')).size, 0)
})

t.test('SEC-21: a write to a connection does not move the end of its session', async t => {
  const { vault, clock } = openInstance(t)
  const session = await signIn(vault)
  clock.advance(limits.idleMs - minute)
  await vault.replace(keyOf(), await kept(vault), withCredential('access-2'))
  clock.advance(minute)
  t.equal(await vault.openAll(session), undefined)
  t.equal(await vault.readConnection(keyOf()), undefined)
})

t.test('SEC-21: turning the id does not move the absolute limit', async t => {
  const { vault, clock } = openInstance(t)
  let session = await signIn(vault)
  for (let i = 0; i < 4; i++) {
    clock.advance(6 * hour - 1)
    session = await arrived(vault, await vault.connect('owner', session, connectionWith()))
  }
  t.equal(session.createdAtMs, startMs)
  clock.advance(3)
  t.ok(await vault.openAll(session))
  clock.advance(1)
  t.equal(await vault.openAll(session), undefined)
})

t.test('SEC-20: a touch that comes late revives nothing', async t => {
  for (const [what, end] of [
    ['logout', ({ vault }: { vault: Vault }) => vault.endSession('owner')],
    ['idle limit', ({ clock }) => clock.advance(limits.idleMs)],
    ['absolute limit', ({ clock }) => clock.advance(limits.maxMs + hour)]
  ] as ReadonlyArray<[string, (instance: ReturnType<typeof openInstance>) => unknown]>) {
    const instance = openInstance(t, { directory: t.testdir() })
    const { vault, clock, store } = instance
    const ticket = await signIn(vault)
    clock.advance(hour)
    const held = await vault.openAll(ticket)
    if (!held) throw new Error('the session has ended too early')
    await end(instance)
    const after = await store.readAll('owner')
    await vault.touch(held.session, 'acme')
    t.equal(await vault.openAll(ticket), undefined, what)
    t.strictSame(await store.readAll('owner'), after, what)
    await store.close()
  }
})

t.test('SEC-19: a touch of the old id that comes after a sign-in changes nothing', async t => {
  const { vault, clock } = openInstance(t)
  const first = await signIn(vault)
  clock.advance(hour)
  const held = await vault.openAll(first)
  if (!held) throw new Error('the session has ended too early')
  const second = await arrived(vault, await vault.connect('owner', first, umbrella))
  await vault.touch(held.session, 'acme')
  t.equal(await vault.openAll(first), undefined)
  t.strictSame((await opened(vault, second))?.session, second)
})

t.test('a touch notes when the session was seen and what it used, once a minute', async t => {
  const { vault, clock } = openInstance(t)
  const ticket = await signIn(vault)
  const touch = async (provider?: string) => {
    const held = await vault.openAll(ticket)
    if (held) await vault.touch(held.session, provider)
    return (await vault.openAll(ticket))?.session.value
  }
  clock.advance(1000)
  t.strictSame((await touch('acme'))?.lastUsedMs, { acme: startMs + 1000 })
  clock.advance(1000)
  t.equal((await touch('acme'))?.lastSeenAtMs, startMs + 1000, 'not yet again')
  clock.advance(minute)
  t.match(await touch('acme'), { lastSeenAtMs: startMs + minute + 2000, lastUsedMs: { acme: startMs + minute + 2000 } })
})

t.test('SEC-38: a record that is copied to another owner or name does not open there', async t => {
  const { vault, store } = openInstance(t)
  const session = await arrived(vault, await vault.connect('owner', await signIn(vault), umbrella))
  const thief = await signIn(vault, 'thief')
  const records = await store.readAll('owner')
  const acme = records.get('connection:acme') as Buffer
  const sessionRecord = records.get(`session:${session.id}`) as Buffer

  await store.commit('thief', {
    put: [
      ['connection:acme', acme],
      [`session:${session.id}`, sessionRecord]
    ]
  })
  t.equal(await vault.readConnection(keyOf('thief')), undefined, 'another owner')
  t.strictSame((await opened(vault, thief))?.connections, [])
  t.equal(await vault.openAll({ owner: 'thief', id: session.id }), undefined, 'a session of another owner')

  await store.commit('owner', {
    put: [
      ['connection:umbrella', acme],
      ['session:x', sessionRecord],
      ['session:y', acme]
    ]
  })
  t.equal(await vault.readConnection(keyOf('owner', 'umbrella')), undefined, 'another provider')
  t.equal(await vault.openAll({ owner: 'owner', id: 'x' }), undefined, 'another session id')
  t.equal(await vault.openAll({ owner: 'owner', id: 'y' }), undefined, 'a connection as a session')
  t.strictSame((await opened(vault, session))?.connections, [['acme', told(connectionWith())]], 'where they belong they open')
})

t.test('SEC-38: records of a key that was removed are absent, without an error', async t => {
  const [old, recent] = [newKey(), newKey()]
  const before = openInstance(t, { keys: [old] })
  const session = await signIn(before.vault)
  const after = openInstance(t, { ...before, keys: [recent] })
  t.equal(await after.vault.openAll(session), undefined)
  t.equal(await after.vault.open(session, ['acme']), undefined)
  t.equal(await after.vault.readConnection(keyOf()), undefined)
})

t.test('SEC-38: after a rotation old records open, and are sealed anew when they are written', async t => {
  const [old, recent] = [newKey(), newKey()]
  const before = openInstance(t, { keys: [old] })
  const session = await signIn(before.vault)
  const during = openInstance(t, { ...before, keys: [recent, old] })
  t.strictSame(await opened(during.vault, session), { session, connections: [['acme', told(connectionWith())]] })
  await during.vault.replace(keyOf(), await kept(during.vault), withCredential('access-2'))
  during.clock.advance(hour)
  const held = await during.vault.openAll(session)
  if (held) await during.vault.touch(held.session)
  const after = openInstance(t, { ...before, keys: [recent] })
  t.strictSame((await opened(after.vault, session))?.connections, [['acme', told(withCredential('access-2'))]])
})

t.test('the version of a record is the head of what was sealed', async t => {
  const { vault, store } = openInstance(t)
  await signIn(vault)
  const record = (await store.read('owner', ['connection:acme']))[0] as Buffer
  t.equal((await kept(vault)).version, record.toString('latin1', 0, headerBytes))
})

t.test('SEC-38: the files of the store hold nothing of a secret, while it is kept and after it is gone', async t => {
  const { vault, directory, store } = openInstance(t)
  const canaries = { credential: 'canary-access-4711', refreshToken: 'canary-refresh-0815' }
  const secret = connectionWith({
    credential: new Secret(canaries.credential),
    refreshToken: new Secret(canaries.refreshToken),
    account: 'canary-account'
  })
  const session = sessionOf(await vault.connect('owner', await signIn(vault, 'owner', secret), { ...secret, provider: 'umbrella' }))
  await vault.replace(keyOf(), await kept(vault), withCredential('canary-access-2', secret))
  await vault.disconnect(keyOf('owner', 'umbrella'))
  const names = readdirSync(directory)
  t.ok(
    names.some(name => name.endsWith('-wal')),
    'the write-ahead log is among them'
  )
  for (const name of names) {
    const bytes = readFileSync(join(directory, name))
    for (const text of [
      'canary',
      '4711',
      '0815',
      Buffer.from('canary').toString('base64').slice(0, 7),
      Buffer.from('canary').toString('hex')
    ])
      t.notOk(bytes.includes(text), `${name} holds no ${text}`)
    if (name === 'grantkeeper.sqlite-wal') t.ok(bytes.includes(session.owner), 'and what is looked into is what was written')
  }
  await store.close()
  for (const name of readdirSync(directory)) t.notOk(readFileSync(join(directory, name)).includes('canary'), `${name}, closed`)
})

t.test('SEC-41: while the store is down nothing opens and nothing is kept', async t => {
  const { vault, store } = openInstance(t)
  const session = await signIn(vault)
  const before = await kept(vault)
  await store.close()
  const down = { code: 'store_unavailable', status: 503 }
  await t.rejects(vault.openAll(session), down)
  await t.rejects(async () => vault.open(session, ['acme']), down)
  await t.rejects(vault.readConnection(keyOf()), down)
  await t.rejects(vault.connect('owner', session, umbrella), down)
  await t.rejects(vault.replace(keyOf(), before, connectionWith()), down)
  await t.rejects(vault.disconnect(keyOf()), down)
  await t.rejects(vault.endSession('owner'), down)
  await t.rejects(async () => vault.touch({ ...before, value: session }, 'acme'), down)
})

t.test('SEC-15: what is ended is given back as it stood then, so that the newest refresh token can be revoked', async t => {
  for (const ending of ['disconnect', 'end'] as const) {
    const keys = [newKey()]
    const { vault, store, clock } = openInstance(t, { keys, directory: t.testdir({ [ending]: {} }) })
    const session = await signIn(vault)
    const before = (await vault.readConnection(keyOf())) as Versioned<Connection>
    // A refresh ends between the reading and the erasing.
    let isRead = false
    const racing: Store = {
      ...store,
      read: async (...of) => raced(await store.read(...of)),
      readAll: async (...of) => raced(await store.readAll(...of))
    }
    const raced = async <T>(records: T): Promise<T> => {
      if (!isRead) {
        isRead = true
        t.ok(await vault.replace(keyOf(), before, withCredential('access-2', before.value)))
      }
      return records
    }
    const other = createVault({ store: racing, cipher: createCipher(keys), limits, clock })
    const ended = [await (ending === 'end' ? other.endSession('owner') : other.disconnect(keyOf()))].flat()
    t.strictSame(
      ended.map(connection => connection?.credential.reveal()),
      ['access-2']
    )
    t.equal(await vault.readConnection(keyOf()), undefined)
    t.equal(Boolean(await opened(vault, session)), ending === 'disconnect')
  }
})

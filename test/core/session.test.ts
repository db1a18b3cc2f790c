import t from 'tap'
import {
  expiresAtMs,
  extendSession,
  isLive,
  isOfSameBrowser,
  newId,
  newSession,
  rotateSession,
  type Session,
  touchSession
} from '../../src/core/session.ts'
import { hour, limits, minute, second, startMs } from './support.ts'

const sessionWith = (parts: Partial<Session> = {}): Session => ({ ...newSession('owner', startMs), ...parts })

t.test('an id is 192 random bits', async t => {
  const ids = Array.from({ length: 1000 }, newId)
  for (const id of ids) if (!/^[A-Za-z0-9_-]{32}$/.test(id)) t.fail(id)
  t.equal(new Set(ids).size, 1000)
})

t.test('a session begins now, unused', async t => {
  const { id, ...rest } = newSession('owner', startMs)
  t.match(id, /^.{32}$/)
  t.strictSame(rest, { owner: 'owner', createdAtMs: startMs, lastSeenAtMs: startMs, lastUsedMs: {} })
})

t.test('SEC-21: a session ends when it was idle for too long, to the millisecond', async t => {
  const session = sessionWith()
  t.equal(expiresAtMs(session, limits), startMs + limits.idleMs)
  t.ok(isLive(session, limits, startMs + limits.idleMs - 1))
  t.notOk(isLive(session, limits, startMs + limits.idleMs))
})

t.test('SEC-21: a session that is always used ends at its absolute limit, to the millisecond', async t => {
  const endMs = startMs + limits.maxMs
  let session = sessionWith()
  for (let nowMs = startMs; nowMs < endMs; nowMs += hour) session = touchSession(session, limits, nowMs) ?? session
  session = touchSession(session, limits, endMs - 1) ?? session
  t.equal(session.lastSeenAtMs, endMs - 1)
  t.equal(expiresAtMs(session, limits), endMs)
  t.ok(isLive(session, limits, endMs - 1))
  t.notOk(isLive(session, limits, endMs))
  t.notOk(isLive(touchSession(session, limits, endMs + hour) as Session, limits, endMs + hour), 'being seen later does not revive it')
})

t.test('a session that is kept for somebody does not end by idleness before, and at its absolute limit all the same', async t => {
  const kept = extendSession(sessionWith(), startMs + 20 * hour)
  t.equal(expiresAtMs(kept, limits), startMs + 20 * hour)
  t.equal(expiresAtMs(extendSession(kept, startMs + 10 * hour), limits), startMs + 20 * hour, 'a later word does not shorten it')
  t.equal(expiresAtMs({ ...kept, lastSeenAtMs: startMs + 15 * hour }, limits), startMs + 23 * hour)
  t.equal(expiresAtMs(extendSession(kept, startMs + 48 * hour), limits), startMs + limits.maxMs)
})

t.test('SEC-19, SEC-21: at a sign-in the id turns, and the end does not move', async t => {
  const before = sessionWith({ lastUsedMs: { acme: startMs } })
  const { successor: after } = rotateSession(before, startMs + hour, 'acme', 'flow')
  t.not(after.id, before.id)
  t.match(after.id, /^[A-Za-z0-9_-]{32}$/)
  const undelivered = { flow: 'flow', predecessor: before.id, sendCount: 1 }
  t.strictSame(after, { ...before, id: after.id, lastSeenAtMs: startMs + hour, undelivered })
  t.equal(expiresAtMs({ ...after, lastSeenAtMs: startMs + limits.maxMs }, limits), startMs + limits.maxMs)
})

t.test('SEC-19: a session whose id has turned lives for a minute, to the millisecond, and nothing makes that longer', async t => {
  const before = sessionWith()
  const turnedAtMs = startMs + hour
  const { predecessor, successor } = rotateSession(before, turnedAtMs, 'acme', 'flow')
  t.strictSame(predecessor, {
    ...before,
    superseded: { by: successor.id, untilMs: turnedAtMs + minute, flow: 'flow', hiddenProviders: ['acme'] }
  })
  t.ok(isLive(predecessor, limits, turnedAtMs + minute - 1))
  t.notOk(isLive(predecessor, limits, turnedAtMs + minute))
  t.equal(touchSession(predecessor, limits, turnedAtMs + second, 'acme'), undefined)
  const late = sessionWith({ lastSeenAtMs: startMs - limits.idleMs + 1 })
  t.equal(expiresAtMs(rotateSession(late, startMs, 'acme').predecessor, limits), startMs + 1, 'nor does the turn itself')
})

t.test('SEC-6: two sign-ins are of one browser when each was under way as the other came back', async t => {
  const begun = sessionWith({ startedBy: { flow: 'one', presentedFlows: ['one', 'two'] } })
  t.ok(isOfSameBrowser(begun, { flow: 'two', presentedFlows: ['one', 'two'] }))
  t.notOk(isOfSameBrowser(begun, { flow: 'two', presentedFlows: ['two'] }), 'it does not show the sign-in that began the session')
  t.notOk(isOfSameBrowser(begun, { flow: 'three', presentedFlows: ['one', 'three'] }), 'nor was it shown by that one')
  t.notOk(isOfSameBrowser(sessionWith(), { flow: 'two', presentedFlows: ['two'] }))
})

t.test('a session is noted as seen once a minute at most', async t => {
  const session = sessionWith()
  t.equal(touchSession(session, limits, startMs + minute - 1), undefined)
  t.strictSame(touchSession(session, limits, startMs + minute), { ...session, lastSeenAtMs: startMs + minute })
})

t.test('a session with a short idle time is noted ten times in it', async t => {
  const brief = { idleMs: 100 * second, maxMs: hour }
  const session = sessionWith()
  t.equal(touchSession(session, brief, startMs + 10 * second - 1), undefined)
  t.equal(touchSession(session, brief, startMs + 10 * second)?.lastSeenAtMs, startMs + 10 * second)
})

t.test('a provider is noted as used at its first call, and then once a minute at most', async t => {
  const first = touchSession(sessionWith(), limits, startMs + second, 'acme')
  t.strictSame(first?.lastUsedMs, { acme: startMs + second })
  t.equal(first?.lastSeenAtMs, startMs + second)
  t.equal(touchSession(first as Session, limits, startMs + minute, 'acme'), undefined)
  t.strictSame(touchSession(first as Session, limits, startMs + 61 * second, 'umbrella')?.lastUsedMs, {
    acme: startMs + second,
    umbrella: startMs + 61 * second
  })
  t.strictSame(
    touchSession(first as Session, limits, startMs + hour)?.lastUsedMs,
    { acme: startMs + second },
    'seen without a provider, none is used'
  )
})

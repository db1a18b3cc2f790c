import t from 'tap'
import {
  expiresAtMs,
  extendSession,
  isLive,
  isOfSameBrowser,
  isTouchDue,
  newId,
  newSession,
  rotateSession,
  type Session
} from '../../src/core/session.ts'
import { hour, limits, minute, second, startMs } from './support.ts'

const sessionWith = (overrides: Partial<Session> = {}): Session => ({ ...newSession('owner', startMs), ...overrides })

t.test('an id is 192 random bits', async t => {
  const ids = Array.from({ length: 1000 }, newId)
  for (const id of ids) if (!/^[A-Za-z0-9_-]{32}$/.test(id)) t.fail(id)
  t.equal(new Set(ids).size, 1000)
})

t.test('a new session is unused and seen now', async t => {
  const { id, ...rest } = newSession('owner', startMs)
  t.match(id, /^.{32}$/)
  t.strictSame(rest, { owner: 'owner', createdAtMs: startMs, lastSeenAtMs: startMs })
})

t.test('SEC-21: a session expires at its idle limit, to the millisecond', async t => {
  const session = sessionWith()
  t.equal(expiresAtMs(session, limits), startMs + limits.idleMs)
  t.ok(isLive(session, limits, startMs + limits.idleMs - 1))
  t.notOk(isLive(session, limits, startMs + limits.idleMs))
})

t.test('SEC-21: a session in use expires at its absolute limit, to the millisecond', async t => {
  const endMs = startMs + limits.maxMs
  let session = sessionWith()
  for (let nowMs = startMs; nowMs < endMs; nowMs += hour) {
    t.ok(isLive(session, limits, nowMs))
    session = { ...session, lastSeenAtMs: nowMs }
  }
  session = { ...session, lastSeenAtMs: endMs - 1 }
  t.equal(expiresAtMs(session, limits), endMs)
  t.ok(isLive(session, limits, endMs - 1))
  t.notOk(isLive(session, limits, endMs))
  t.notOk(isLive({ ...session, lastSeenAtMs: endMs + hour }, limits, endMs + hour), 'a later touch does not revive it')
})

t.test('an extended session ignores the idle limit but not the absolute limit', async t => {
  const extended = extendSession(sessionWith(), startMs + 20 * hour)
  t.equal(expiresAtMs(extended, limits), startMs + 20 * hour)
  t.equal(expiresAtMs(extendSession(extended, startMs + 10 * hour), limits), startMs + 20 * hour, 'a shorter extension changes nothing')
  t.equal(expiresAtMs({ ...extended, lastSeenAtMs: startMs + 15 * hour }, limits), startMs + 23 * hour)
  t.equal(expiresAtMs(extendSession(extended, startMs + 48 * hour), limits), startMs + limits.maxMs)
})

t.test('SEC-19, SEC-21: a rotation changes the id and not the absolute limit', async t => {
  const before = sessionWith()
  const { successor: after } = rotateSession(before, startMs + hour, 'acme', 'flow')
  t.not(after.id, before.id)
  t.match(after.id, /^[A-Za-z0-9_-]{32}$/)
  const undelivered = { flow: 'flow', predecessor: before.id, sendCount: 1 }
  t.strictSame(after, { ...before, id: after.id, lastSeenAtMs: startMs + hour, undelivered })
  t.equal(expiresAtMs({ ...after, lastSeenAtMs: startMs + limits.maxMs }, limits), startMs + limits.maxMs)
})

t.test('SEC-19: a superseded session lives a minute at most', async t => {
  const before = sessionWith()
  const rotatedAtMs = startMs + hour
  const { predecessor, successor } = rotateSession(before, rotatedAtMs, 'acme', 'flow')
  t.strictSame(predecessor, {
    ...before,
    superseded: { by: successor.id, untilMs: rotatedAtMs + minute, flow: 'flow', hiddenProviders: ['acme'] }
  })
  t.ok(isLive(predecessor, limits, rotatedAtMs + minute - 1))
  t.notOk(isLive(predecessor, limits, rotatedAtMs + minute))
  t.notOk(isTouchDue({ ...predecessor, lastSeenAtMs: startMs }, limits, rotatedAtMs + second), 'nothing extends it')
  const late = sessionWith({ lastSeenAtMs: startMs - limits.idleMs + 1 })
  t.equal(expiresAtMs(rotateSession(late, startMs, 'acme').predecessor, limits), startMs + 1, 'a rotation does not extend it either')
})

t.test('SEC-6: two sign-ins that each present the other are of one browser', async t => {
  const session = sessionWith({ startedBy: { flow: 'one', presentedFlows: ['one', 'two'] } })
  t.ok(isOfSameBrowser(session, { flow: 'two', presentedFlows: ['one', 'two'] }))
  t.notOk(isOfSameBrowser(session, { flow: 'two', presentedFlows: ['two'] }), 'does not present the sign-in that started the session')
  t.notOk(isOfSameBrowser(session, { flow: 'three', presentedFlows: ['one', 'three'] }), 'was not presented by that sign-in')
  t.notOk(isOfSameBrowser(sessionWith(), { flow: 'two', presentedFlows: ['two'] }))
})

t.test('a touch is due once a minute', async t => {
  const session = sessionWith()
  t.notOk(isTouchDue(session, limits, startMs + minute - 1))
  t.ok(isTouchDue(session, limits, startMs + minute))
})

t.test('a session with a short idle limit is touched ten times within it', async t => {
  const shortLimits = { idleMs: 100 * second, maxMs: hour }
  t.notOk(isTouchDue(sessionWith(), shortLimits, startMs + 10 * second - 1))
  t.ok(isTouchDue(sessionWith(), shortLimits, startMs + 10 * second))
})

import { createHash } from 'node:crypto'
import t from 'tap'
import { addFlow, beginFlow, challengeOf, type Flow, flowLifetimeMs, liveFlows, usedUpKey } from '../../src/core/flow.ts'
import { minute, startMs } from './support.ts'

const begin = (parts: Partial<Flow> = {}, nowMs = startMs): Flow => ({
  ...beginFlow({ provider: 'acme', returnTo: '/', owner: 'owner', first: true }, nowMs),
  ...parts
})
const states = (flows: readonly Flow[]) => flows.map(flow => flow.state)

t.test('SEC-1, SEC-5: every flow draws a state of 192 bits and a verifier of 256, in the characters of RFC 7636', async t => {
  const flows = Array.from({ length: 1000 }, () => begin())
  for (const { state, verifier } of flows) {
    if (!/^[A-Za-z0-9_-]{32}$/.test(state)) t.fail(`state ${state}`)
    if (!/^[A-Za-z0-9_-]{43}$/.test(verifier)) t.fail(`verifier ${verifier}`)
  }
  t.equal(new Set(flows.flatMap(({ state, verifier }) => [state, verifier])).size, 2000, 'none comes twice')
  const bits = flows.flatMap(({ state }) => [...Buffer.from(state, 'base64url')])
  t.equal(new Set(bits).size, 256, 'every byte comes')
})

t.test('SEC-2: a flow remembers its provider, return address, owner and beginning', async t => {
  const { state: _, verifier: _1, ...rest } = beginFlow({ provider: 'acme', returnTo: '/done', owner: 'owner', first: false }, startMs)
  t.strictSame(rest, { provider: 'acme', returnTo: '/done', owner: 'owner', first: false, startedAtMs: startMs })
})

t.test('SEC-5: the challenge is the S256 of RFC 7636 appendix B', async t => {
  t.equal(challengeOf(begin({ verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' })), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM')
})

t.test('SEC-1: a flow ends ten minutes after it began, to the millisecond', async t => {
  const flow = begin()
  t.equal(flowLifetimeMs, 10 * minute)
  t.strictSame(liveFlows([flow], startMs), [flow])
  t.strictSame(liveFlows([flow], startMs + 10 * minute - 1), [flow])
  t.strictSame(liveFlows([flow], startMs + 10 * minute), [])
  const later = begin({}, startMs + minute)
  t.strictSame(liveFlows([flow, later], startMs + 10 * minute), [later])
})

t.test('SEC-6: five are under way at most, and the oldest goes', async t => {
  const all = Array.from({ length: 7 }, (_, i) => begin({ state: `state-${i}` }))
  let flows: Flow[] = []
  const sizes = all.map(flow => {
    flows = addFlow(flows, flow)
    return flows.length
  })
  t.strictSame(sizes, [1, 2, 3, 4, 5, 5, 5])
  t.strictSame(states(flows), ['state-2', 'state-3', 'state-4', 'state-5', 'state-6'])
})

t.test('SEC-6, SEC-22: long flows push older ones out, and the newest always stays', async t => {
  const long = (state: string) => begin({ state, returnTo: `/${'a'.repeat(1000)}` })
  const two = addFlow(addFlow([], long('one')), long('two'))
  t.strictSame(states(two), ['one', 'two'])
  t.strictSame(states(addFlow(two, long('three'))), ['two', 'three'])
  t.strictSame(states(addFlow(two, begin({ state: 'short' }))), ['one', 'two', 'short'])
  t.strictSame(states(addFlow(two, begin({ state: 'longest', returnTo: `/${'a'.repeat(1999)}` }))), ['longest'])
  t.ok(JSON.stringify(addFlow(two, long('three'))).length <= 2600)
  t.strictSame(states(addFlow(two, begin({ state: 'too long', returnTo: `/${'a'.repeat(2600)}` }))), ['too long'], 'too long or not')
})

t.test('adding changes nothing in the list that was given', async t => {
  const flows = Object.freeze([begin(), begin(), begin(), begin(), begin()])
  t.equal(addFlow(flows, begin()).length, 5)
  t.equal(flows.length, 5)
})

t.test('SEC-1, SEC-40: what is kept of a used-up state does not tell it', async t => {
  const flow = begin({ state: 'canary' })
  t.equal(usedUpKey(flow), `flow:${createHash('sha256').update('canary').digest('base64url')}`)
  t.not(usedUpKey(flow), usedUpKey(begin()))
})

import { createHash } from 'node:crypto'
import t from 'tap'
import {
  codeChallenge,
  createFlow,
  evictedFlows,
  type Flow,
  flowId,
  flowLifetimeMs,
  newSessionOwner,
  unexpiredFlows
} from '../../src/core/flow.ts'
import { minute, startMs } from './support.ts'

const begin = (parts: Partial<Flow> = {}, nowMs = startMs): Flow => ({
  ...createFlow({ provider: 'acme', returnTo: '/', owner: 'owner', startsSession: true }, nowMs),
  ...parts
})
/** The list with one more in it, as a browser has it afterwards. */
const addFlow = (flows: readonly Flow[], flow: Flow): Flow[] => {
  const gone = evictedFlows(flows, flow)
  return [...flows.filter(f => !gone.includes(f)), flow]
}
const states = (flows: readonly Flow[]) => flows.map(flow => flow.state)

t.test('SEC-1, SEC-5: every flow draws a state of 192 bits and a verifier of 256, in the characters of RFC 7636', async t => {
  const flows = Array.from({ length: 1000 }, () => begin())
  for (const { state, codeVerifier } of flows) {
    if (!/^[A-Za-z0-9_-]{32}$/.test(state)) t.fail(`state ${state}`)
    if (!/^[A-Za-z0-9_-]{43}$/.test(codeVerifier)) t.fail(`verifier ${codeVerifier}`)
  }
  t.equal(new Set(flows.flatMap(({ state, codeVerifier }) => [state, codeVerifier])).size, 2000, 'none comes twice')
  const bits = flows.flatMap(({ state }) => [...Buffer.from(state, 'base64url')])
  t.equal(new Set(bits).size, 256, 'every byte comes')
})

t.test('SEC-2: a flow remembers its provider, return address, owner and beginning', async t => {
  const {
    state: _,
    codeVerifier: _1,
    ...rest
  } = createFlow({ provider: 'acme', returnTo: '/done', owner: 'owner', startsSession: false }, startMs)
  t.strictSame(rest, { provider: 'acme', returnTo: '/done', owner: 'owner', startsSession: false, startedAtMs: startMs })
})

t.test('SEC-5: the challenge is the S256 of RFC 7636 appendix B', async t => {
  t.equal(
    codeChallenge(begin({ codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' })),
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  )
})

t.test('SEC-1: a flow ends ten minutes after it began, to the millisecond', async t => {
  const flow = begin()
  t.equal(flowLifetimeMs, 10 * minute)
  t.strictSame(unexpiredFlows([flow], startMs), [flow])
  t.strictSame(unexpiredFlows([flow], startMs + 10 * minute - 1), [flow])
  t.strictSame(unexpiredFlows([flow], startMs + 10 * minute), [])
  const later = begin({}, startMs + minute)
  t.strictSame(unexpiredFlows([flow, later], startMs + 10 * minute), [later])
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

t.test('SEC-6: flows are told oldest first, and those of one millisecond as the browser shows them', async t => {
  const [one, two, three] = [begin({ state: 'b' }), begin({ state: 'a' }, startMs + 1), begin({ state: 'c' })] as const
  t.strictSame(states(unexpiredFlows([two, three, one], startMs + 1)), ['c', 'b', 'a'])
})

t.test('SEC-6: tabs that began apart, in a browser without a session, agree on the owner when they come back', async t => {
  const bound = begin({ owner: 'bound', startsSession: false })
  const [one, two] = [begin({ owner: 'one' }), begin({ owner: 'two' }, startMs + 1)] as const
  t.equal(newSessionOwner(unexpiredFlows([two, bound, one], startMs + 1)), 'one')
  t.equal(newSessionOwner([bound]), undefined)
  t.equal(newSessionOwner([]), undefined)
})

t.test('SEC-1, SEC-40: what a sign-in is named by does not tell its state', async t => {
  const flow = begin({ state: 'canary' })
  t.equal(flowId(flow), createHash('sha256').update('canary').digest('base64url'))
  t.not(flowId(flow), flowId(begin()))
})

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
import { codeOf, minute, startMs } from './support.ts'

const flowWith = (overrides: Partial<Flow> = {}, nowMs = startMs): Flow => ({
  ...createFlow({ provider: 'acme', returnTo: '/', owner: 'owner', startsSession: true }, nowMs),
  ...overrides
})
/** The flows of a browser after one more was added. */
const addFlow = (flows: readonly Flow[], flow: Flow): Flow[] => {
  const evicted = evictedFlows(flows, flow)
  return [...flows.filter(one => !evicted.includes(one)), flow]
}
const states = (flows: readonly Flow[]) => flows.map(flow => flow.state)

t.test('SEC-1, SEC-5: each flow has a random state and PKCE verifier', async t => {
  const flows = Array.from({ length: 1000 }, () => flowWith())
  for (const { state, codeVerifier } of flows) {
    if (!/^[A-Za-z0-9_-]{32}$/.test(state)) t.fail(`state ${state}`)
    if (!/^[A-Za-z0-9_-]{43}$/.test(codeVerifier)) t.fail(`verifier ${codeVerifier}`)
  }
  t.equal(new Set(flows.flatMap(({ state, codeVerifier }) => [state, codeVerifier])).size, 2000, 'all are different')
  const bytes = flows.flatMap(({ state }) => [...Buffer.from(state, 'base64url')])
  t.equal(new Set(bytes).size, 256, 'every byte value occurs')
})

t.test('SEC-2: a flow stores its provider, return URL, owner and start', async t => {
  const {
    state: _,
    codeVerifier: _1,
    ...rest
  } = createFlow({ provider: 'acme', returnTo: '/done', owner: 'owner', startsSession: false }, startMs)
  t.strictSame(rest, { provider: 'acme', returnTo: '/done', owner: 'owner', startsSession: false, startedAtMs: startMs })
})

t.test('SEC-5: the code challenge is that of RFC 7636 appendix B', async t => {
  t.equal(
    codeChallenge(flowWith({ codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' })),
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
  )
})

t.test('SEC-1: a flow expires after ten minutes, to the millisecond', async t => {
  const flow = flowWith()
  t.equal(flowLifetimeMs, 10 * minute)
  t.strictSame(unexpiredFlows([flow], startMs), [flow])
  t.strictSame(unexpiredFlows([flow], startMs + 10 * minute - 1), [flow])
  t.strictSame(unexpiredFlows([flow], startMs + 10 * minute), [])
  const later = flowWith({}, startMs + minute)
  t.strictSame(unexpiredFlows([flow, later], startMs + 10 * minute), [later])
})

t.test('SEC-6: a sixth flow evicts the oldest', async t => {
  const all = Array.from({ length: 7 }, (_, i) => flowWith({ state: `state-${i}` }))
  let flows: Flow[] = []
  const sizes = all.map(flow => {
    flows = addFlow(flows, flow)
    return flows.length
  })
  t.strictSame(sizes, [1, 2, 3, 4, 5, 5, 5])
  t.strictSame(states(flows), ['state-2', 'state-3', 'state-4', 'state-5', 'state-6'])
})

t.test('SEC-6, SEC-22: long flows evict older ones, and the newest always stays', async t => {
  const long = (state: string) => flowWith({ state, returnTo: `/${'a'.repeat(1000)}` })
  const two = addFlow(addFlow([], long('one')), long('two'))
  t.strictSame(states(two), ['one', 'two'])
  t.strictSame(states(addFlow(two, long('three'))), ['two', 'three'])
  t.strictSame(states(addFlow(two, flowWith({ state: 'short' }))), ['one', 'two', 'short'])
  t.strictSame(states(addFlow(two, flowWith({ state: 'longest', returnTo: `/${'a'.repeat(1999)}` }))), ['longest'])
  t.ok(JSON.stringify(addFlow(two, long('three'))).length <= 2600)
  t.strictSame(
    states(addFlow(two, flowWith({ state: 'too long', returnTo: `/${'a'.repeat(2600)}` }))),
    ['too long'],
    'even if it is too long'
  )
})

t.test('SEC-6: flows are sorted by age, then as the browser presents them', async t => {
  const [one, two, three] = [flowWith({ state: 'b' }), flowWith({ state: 'a' }, startMs + 1), flowWith({ state: 'c' })] as const
  t.strictSame(states(unexpiredFlows([two, three, one], startMs + 1)), ['c', 'b', 'a'])
})

t.test('SEC-6: all first sign-ins of a browser choose the same owner', async t => {
  const bound = flowWith({ owner: 'bound', startsSession: false })
  const [one, two] = [flowWith({ owner: 'one' }), flowWith({ owner: 'two' }, startMs + 1)] as const
  t.equal(newSessionOwner(unexpiredFlows([two, bound, one], startMs + 1)), 'one')
  t.equal(newSessionOwner([bound]), undefined)
  t.equal(newSessionOwner([]), undefined)
})

t.test('SEC-1, SEC-40: a flow’s id does not reveal its state', async t => {
  const flow = flowWith({ state: 'canary' })
  t.equal(flowId(flow), createHash('sha256').update('canary').digest('base64url'))
  t.not(flowId(flow), flowId(flowWith()))
})

t.test('what does not fit into a cookie is refused where it is given, and not cut', async t => {
  const begin = (returnTo: string, shop: string) =>
    codeOf(() => createFlow({ provider: 'acme', returnTo, owner: 'owner', startsSession: true, parameters: { shop } }, startMs))
  t.match(begin(`/${'x'.repeat(1900)}`, 'acme'), { returned: { parameters: { shop: 'acme' } } })
  t.equal(begin(`/${'x'.repeat(1999)}`, 'a'.repeat(500)), 'parameters_invalid')
  t.equal(begin('/', 'ö'.repeat(1200)), 'parameters_invalid', 'counted in bytes')
})

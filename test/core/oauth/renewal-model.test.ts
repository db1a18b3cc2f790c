import fc from 'fast-check'
import t from 'tap'
import * as rule from './renewal-model/invariants.ts'
import {
  crashes,
  crashesWithGrace,
  freezes,
  noFaults,
  type Plans,
  rateLimitNotes,
  storeOutage,
  transientFaults
} from './renewal-model/plans.ts'
import { runWorld } from './renewal-model/world.ts'

// The real core, three instances of it, on one store, provider and clock that are played. Each call, answer, death and fault is a step;
// fast-check chooses what happens and in which order, and looks for the shortest story that breaks a rule.

const invariants = [
  rule.everyCallSettles,
  rule.everyOutcomeIsJustified,
  rule.tokenRequestsAreBounded,
  rule.noRefreshTokenIsReused,
  rule.noRefreshTokenIsInFlightTwice,
  rule.waitsAreBounded,
  rule.noNewerRecordIsOverwritten,
  rule.endedConnectionsStayEnded,
  rule.noLeaseLeaks
]
const invariantsUnlessFrozen = [
  ...invariants,
  rule.storedTokenIsCurrent,
  rule.everyGrantIsStoredOrRevoked,
  rule.failuresBackOff,
  rule.invalidGrantIsFinal
]
const invariantsWithoutLoss = [...invariantsUnlessFrozen, rule.grantIsNeverLost]

/**
 * Without `FUZZ_RUNS` the same stories each time, so that a change is judged by what it changes. A search for the shortest one that
 * fails ends before tap's patience does.
 */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)
const chosen =
  fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: 80, seed: 20, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true }

function testPlans(title: string, plans: Plans, rules: readonly rule.Invariant[]): void {
  const holds = fc.asyncProperty(fc.record(plans), fc.scheduler(), async (plan, scheduler) => {
    const history = await runWorld(scheduler, plan)
    const broken = rules.flatMap(isKept => isKept(history))
    if (broken.length > 0) throw new Error(broken.join('; '))
  })
  t.test(title, fuzzRuns > 0 ? { timeout: 0 } : {}, () => fc.assert(holds, chosen))
}

testPlans('SEC-13: in whatever order the steps of three instances come, one refresh serves them all', noFaults, invariantsWithoutLoss)
testPlans(
  'SEC-13: so it is while the store fails, the provider fails, and the person ends or begins anew',
  transientFaults,
  invariantsWithoutLoss
)
testPlans('SEC-13: so it is while a busy provider has notes written into the record', rateLimitNotes, invariantsWithoutLoss)
testPlans(
  'SEC-13: so it is when an instance loses sight of the store in the midst of a slow token call',
  storeOutage,
  invariantsWithoutLoss
)
testPlans('SEC-14: a grant is lost only with the instance that died, or the answer that never came', crashes, invariantsUnlessFrozen)
testPlans('SEC-14: where the provider answers a used-up token for a while, no grant is lost', crashesWithGrace, invariantsWithoutLoss)
testPlans('SEC-13: an instance that stood still for longer than its lease does no harm when it goes on', freezes, invariants)

import fc from 'fast-check'
import t from 'tap'
import * as invariant from './renewal-model/invariants.ts'
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

// Three instances of the real core on a fake store, provider and clock. Each call, response, crash and failure is a step. fast-check
// chooses the steps and their order, and shrinks a run that violates an invariant.

const invariants = [
  invariant.everyCallSettles,
  invariant.everyOutcomeIsJustified,
  invariant.tokenRequestsAreBounded,
  invariant.noRefreshTokenIsReused,
  invariant.noRefreshTokenIsInFlightTwice,
  invariant.waitsAreBounded,
  invariant.noNewerRecordIsOverwritten,
  invariant.endedConnectionsStayEnded,
  invariant.noLeaseLeaks
]
const invariantsUnlessFrozen = [
  ...invariants,
  invariant.storedTokenIsCurrent,
  invariant.everyGrantIsStoredOrRevoked,
  invariant.failuresBackOff,
  invariant.invalidGrantIsFinal
]
const invariantsWithoutLoss = [...invariantsUnlessFrozen, invariant.grantIsNeverLost]

/** Without `FUZZ_RUNS` the seed is fixed, so that only a code change changes the result. Shrinking stops before tap's timeout. */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)
const parameters =
  fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: 80, seed: 20, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true }

function testPlans(title: string, plans: Plans, checks: readonly invariant.Invariant[]): void {
  const property = fc.asyncProperty(fc.record(plans), fc.scheduler(), async (plan, scheduler) => {
    const history = await runWorld(scheduler, plan)
    const violations = checks.flatMap(check => check(history))
    if (violations.length > 0) throw new Error(violations.join('; '))
  })
  t.test(title, fuzzRuns > 0 ? { timeout: 0 } : {}, () => fc.assert(property, parameters))
}

testPlans('SEC-13: three instances share one refresh, in any order of their steps', noFaults, invariantsWithoutLoss)
testPlans('SEC-13: one refresh during store and provider failures, disconnects and sign-ins', transientFaults, invariantsWithoutLoss)
testPlans('SEC-13: one refresh while rate limits are written into the record', rateLimitNotes, invariantsWithoutLoss)
testPlans('SEC-13: one refresh when the store is down during a slow token request', storeOutage, invariantsWithoutLoss)
testPlans('SEC-14: only a crash or a lost token response loses a grant', crashes, invariantsUnlessFrozen)
testPlans('SEC-14: with a grace period for rotated tokens no grant is lost', crashesWithGrace, invariantsWithoutLoss)
testPlans('SEC-13: an instance frozen for longer than its lease does no harm afterwards', freezes, invariants)

import fc from 'fast-check'
import t from 'tap'
import * as rule from './renewal-model/invariants.ts'
import { calm, cutOff, fatal, frozen, graceful, noted, type Plans, rough } from './renewal-model/plans.ts'
import { runWorld } from './renewal-model/world.ts'

// The real core, three instances of it, on one store, provider and clock that are played. Each call, answer, death and fault is a step;
// fast-check chooses what happens and in which order, and looks for the shortest story that breaks a rule.

const always = [
  rule.everybodyIsAnswered,
  rule.everyAnswerIsRight,
  rule.nobodyTriesForEver,
  rule.noTokenIsSpentTwice,
  rule.noTokenIsSentTwiceAtOnce,
  rule.nobodyWaitsForLong,
  rule.nothingNewerIsOverwritten,
  rule.whatEndedStaysEnded,
  rule.noLeaseIsHeldInTheEnd
]
const awake = [...always, rule.whatIsKeptCanBeUsed, rule.noGrantIsForgotten, rule.aFailureIsNotHammered, rule.aRefusalIsFinal]
const alive = [...awake, rule.theGrantIsNeverLost]

/**
 * Without `FUZZ_RUNS` the same stories each time, so that a change is judged by what it changes. A search for the shortest one that
 * fails ends before tap's patience does.
 */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)
const chosen =
  fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: 80, seed: 20, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: true }

function story(title: string, plans: Plans, rules: readonly rule.Rule[]): void {
  const holds = fc.asyncProperty(fc.record(plans), fc.scheduler(), async (plan, scheduler) => {
    const history = await runWorld(scheduler, plan)
    const broken = rules.flatMap(isKept => isKept(history))
    if (broken.length > 0) throw new Error(broken.join('; '))
  })
  t.test(title, fuzzRuns > 0 ? { timeout: 0 } : {}, () => fc.assert(holds, chosen))
}

story('SEC-13: in whatever order the steps of three instances come, one refresh serves them all', calm, alive)
story('SEC-13: so it is while the store fails, the provider fails, and the person ends or begins anew', rough, alive)
story('SEC-13: so it is while a busy provider has notes written into the record', noted, alive)
story('SEC-13: so it is when an instance loses sight of the store in the midst of a slow token call', cutOff, alive)
story('SEC-14: a grant is lost only with the instance that died, or the answer that never came', fatal, awake)
story('SEC-14: where the provider answers a used-up token for a while, no grant is lost', graceful, alive)
story('SEC-13: an instance that stood still for longer than its lease does no harm when it goes on', frozen, always)

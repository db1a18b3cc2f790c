import fc from 'fast-check'
import t from 'tap'
import { openWorld, providerNames, type Step } from './world.ts'

// Two people, each with a browser and as many tabs as they like, at two instances: they begin sign-ins and come back from them, once or
// more often; responses are lost, or hung up on; token endpoints answer in whatever order; one leaves a sign-in in the other's browser, or
// takes a copy of their cookies; they call, look, disconnect and sign out. fast-check looks for the shortest story in which somebody sees
// what is another's, or loses what they were told is connected.

const who = fc.constantFrom(0, 0, 1)
const at = fc.nat(1)
const tab = fc.nat(2)
const which = fc.nat(2)
const provider = fc.constantFrom(...providerNames)
const fate = fc.constantFrom('arrives', 'arrives', 'arrives', 'is lost', 'is hung up on')
const step = <T extends Step['does']>(weight: number, does: T, parts: object = {}) => ({
  weight,
  arbitrary: fc.record({ does: fc.constant(does), ...parts }) as fc.Arbitrary<Step>
})

const steps = fc.array(
  fc.oneof(
    step(6, 'begin', { who, provider, at, isLost: fc.constant(false) }),
    step(7, 'come back', { who, tab, at, fate }),
    step(5, 'answer', { which }),
    step(4, 'sign in', { who, provider, at, fate }),
    step(2, 'call', { who, provider, at }),
    step(2, 'look', { who, at }),
    step(1, 'begin', { who, provider, at, isLost: fc.constant(true) }),
    step(1, 'sign out', { who, at }),
    step(1, 'disconnect', { who, provider, at }),
    step(2, 'leave a sign-in', { who, provider, at }),
    step(2, 'copy the session', { who }),
    step(1, 'wait two minutes')
  ),
  { minLength: 6, maxLength: 30, size: 'max' }
)

/** Without `FUZZ_RUNS` the same stories each time. A search for the shortest one that fails ends before tap's patience does. */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)
const chosen =
  fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: 25, seed: 12, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true }

t.test(
  'SEC-2, SEC-6, SEC-19: no interleaving shows one person’s connection to another, or loses one that was made',
  fuzzRuns > 0 ? { timeout: 0 } : {},
  async t => {
    const world = await openWorld(t)
    await fc.assert(
      fc.asyncProperty(steps, story => world.run(story)),
      chosen
    )
    t.ok(world.signIns() >= chosen.numRuns, 'and there were sign-ins')
  }
)

import fc from 'fast-check'
import t from 'tap'
import { openWorld, providerNames, type Step } from './world.ts'

// Two people, each with a browser and as many tabs as they like, at two instances: they begin sign-ins and come back from them, once or
// more often; responses are lost, or hung up on; token endpoints answer in whatever order; one leaves a sign-in in the other's browser, or
// takes a copy of their cookies; they call, look, disconnect and sign out. fast-check looks for the shortest story in which somebody sees
// what is another's, or loses what they were told is connected.

const who = fc.nat(1)
const at = fc.nat(1)
const tab = fc.nat(3)
const provider = fc.constantFrom(...providerNames)
const step = <T extends Step['does']>(does: T, parts: object) => fc.record({ does: fc.constant(does), ...parts }) as fc.Arbitrary<Step>

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: step('begin', { who, provider, at, isLost: fc.constant(false) }) },
    {
      weight: 8,
      arbitrary: step('come back', { who, tab, at, fate: fc.constantFrom('arrives', 'arrives', 'arrives', 'is lost', 'is hung up on') })
    },
    { weight: 4, arbitrary: step('answer', { which: fc.nat(3) }) },
    { weight: 2, arbitrary: step('call', { who, provider, at }) },
    { weight: 2, arbitrary: step('look', { who, at }) },
    { weight: 1, arbitrary: step('begin', { who, provider, at, isLost: fc.constant(true) }) },
    { weight: 1, arbitrary: step('sign out', { who, at }) },
    { weight: 1, arbitrary: step('disconnect', { who, provider, at }) },
    { weight: 2, arbitrary: step('leave a sign-in', { who, provider, at }) },
    { weight: 1, arbitrary: step('copy the session', { who }) },
    { weight: 1, arbitrary: step('wait two minutes', {}) }
  ),
  { minLength: 4, maxLength: 24 }
)

/** Without `FUZZ_RUNS` the same stories each time. A search for the shortest one that fails ends before tap's patience does. */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)
const chosen =
  fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: 40, seed: 12, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true }

t.test(
  'SEC-2, SEC-6, SEC-19: no interleaving shows one person’s connection to another, or loses one that was made',
  fuzzRuns > 0 ? { timeout: 0 } : {},
  async t => {
    const world = await openWorld(t)
    await fc.assert(
      fc.asyncProperty(steps, story => world.live(story)),
      chosen
    )
    t.ok(world.signIns() > 40, 'and there were sign-ins')
  }
)

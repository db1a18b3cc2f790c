import fc from 'fast-check'
import t from 'tap'
import { openWorld, providerNames, type Step } from './world.ts'

// Two users with a browser and several tabs each, at two instances. They start sign-ins and follow callbacks, once or repeatedly. Responses
// are lost, browsers hang up, and token endpoints respond in any order. A user plants a sign-in in the other's browser or copies its cookies.
// They send requests, list connections, disconnect and sign out. fast-check shrinks a run in which a user sees another user's connection,
// or loses one that was reported as connected.

const user = fc.constantFrom(0, 0, 1)
const instance = fc.nat(1)
const tab = fc.nat(2)
const exchange = fc.nat(2)
const provider = fc.constantFrom(...providerNames)
const fate = fc.constantFrom('arrives', 'arrives', 'arrives', 'is lost', 'is hung up on')
const step = <T extends Step['action']>(weight: number, action: T, parts: object = {}) => ({
  weight,
  arbitrary: fc.record({ action: fc.constant(action), ...parts }) as fc.Arbitrary<Step>
})

const steps = fc.array(
  fc.oneof(
    step(6, 'start a sign-in', { user, provider, instance, isLost: fc.constant(false) }),
    step(7, 'follow a callback', { user, tab, instance, fate }),
    step(5, 'respond to an exchange', { exchange }),
    step(4, 'sign in', { user, provider, instance, fate }),
    step(2, 'send a request', { user, provider, instance }),
    step(2, 'list connections', { user, instance }),
    step(1, 'start a sign-in', { user, provider, instance, isLost: fc.constant(true) }),
    step(1, 'sign out', { user, instance }),
    step(1, 'disconnect', { user, provider, instance }),
    step(2, 'plant a sign-in', { user, provider, instance }),
    step(2, 'copy the session', { user }),
    step(1, 'wait two minutes')
  ),
  { minLength: 6, maxLength: 30, size: 'max' }
)

/** Without `FUZZ_RUNS` the seed is fixed. Shrinking stops before tap's timeout. */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)
const parameters =
  fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: 25, seed: 12, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true }

t.test('SEC-2, SEC-6, SEC-19: no interleaving leaks or loses a connection', fuzzRuns > 0 ? { timeout: 0 } : {}, async t => {
  const world = await openWorld(t)
  await fc.assert(
    fc.asyncProperty(steps, scenario => world.run(scenario)),
    parameters
  )
  t.ok(world.signIns() >= parameters.numRuns, 'there were sign-ins')
})

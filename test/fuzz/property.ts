import fc from 'fast-check'
import t from 'tap'

/**
 * By default each property has few runs with a fixed seed, so that a failure is due to the change under test. `npm run fuzz` sets `FUZZ_RUNS`
 * for many runs with new seeds. A failure prints its seed.
 */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)

/**
 * Tests a property of all generated values.
 * @param defaultRuns number of runs in `npm test`
 * @param check throws if the property fails. Returns false if a guard rejected the value, so that nothing was left to check: at least one
 * value in twenty must get past, or a guard that rejects everything would pass.
 */
export function property<T>(
  title: string,
  defaultRuns: number,
  arbitrary: fc.Arbitrary<T>,
  check: (value: T) => boolean | Promise<boolean>
): void {
  t.test(title, fuzzRuns > 0 ? { timeout: 0 } : {}, async t => {
    let runs = 0
    let checked = 0
    const holds = fc.asyncProperty(arbitrary, async value => {
      runs++
      if (await check(value)) checked++
    })
    await fc.assert(holds, fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: defaultRuns, seed: 28 })
    t.ok(checked >= runs / 20, `${checked} of ${runs} values were checked`)
  })
}

export function must(condition: boolean, failure: string): asserts condition {
  if (!condition) throw new Error(failure)
}

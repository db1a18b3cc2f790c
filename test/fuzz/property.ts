import fc from 'fast-check'
import t from 'tap'

/**
 * Without `FUZZ_RUNS` few runs and the same each time, so that a change is judged by what it changes; `npm run fuzz` takes many, and
 * others each time. What fails is printed with its seed.
 */
const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)

/**
 * A test of what holds for everything that can be drawn.
 * @param usual runs in `npm test`
 * @param check throws where it does not hold. True where the drawn was put to the proof, and not refused from the start: a
 * twentieth must be, or the property would hold of a guard that refuses all.
 */
export function property<T>(
  title: string,
  usual: number,
  arbitrary: fc.Arbitrary<T>,
  check: (drawn: T) => boolean | Promise<boolean>
): void {
  t.test(title, fuzzRuns > 0 ? { timeout: 0 } : {}, async t => {
    let runs = 0
    let proven = 0
    const holds = fc.asyncProperty(arbitrary, async drawn => {
      runs++
      if (await check(drawn)) proven++
    })
    await fc.assert(holds, fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: usual, seed: 28 })
    t.ok(proven >= runs / 20, `${proven} of ${runs} were put to the proof`)
  })
}

export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

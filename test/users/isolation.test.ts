import fc from 'fast-check'
import t from 'tap'
import { purposes, steps, tokens } from './requests.ts'
import { openScene } from './scene.ts'

// Two users, Ada and Eve, each with several accounts that were connected in different ways. Eve sends anything: her cookie or bearer or none,
// forged and foreign ones, headers and ids of Ada's, every token of Ada's at every route for another purpose. After each request Ada's
// records are what they were, byte for byte, no request reached a provider with a credential of hers, and Eve has learned nothing of hers,
// not even whether an id exists.

const fuzzRuns = Number(process.env.FUZZ_RUNS ?? 0)
const parameters = fuzzRuns > 0 ? { numRuns: fuzzRuns } : { numRuns: 200, seed: 28 }

t.test('SEC-55, SEC-56: no request of one user reaches or reveals what another has', fuzzRuns > 0 ? { timeout: 0 } : {}, async t => {
  const { run, counts, assertAdaCan } = await openScene(t)
  await fc.assert(fc.asyncProperty(steps, run), parameters)
  await assertAdaCan()
  t.comment(JSON.stringify(counts))
  t.ok(counts.succeeded > parameters.numRuns / 4, 'Eve’s own requests succeed')
  t.ok(counts.compared > parameters.numRuns / 4, 'ids of Ada’s were compared with unknown ones')
  t.ok(counts.unauthorized > parameters.numRuns / 4, 'forged bearers were refused')
})

t.test('SEC-53: a token of one purpose is nothing for any other', async t => {
  const { tryAllTokens, assertAdaCan } = await openScene(t)
  t.equal(await tryAllTokens(), tokens.length * purposes.length * 3)
  await assertAdaCan()
})

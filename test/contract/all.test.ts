import t from 'tap'
import { loadProviders } from '../../src/config/load-providers.ts'
import { startContract } from './support.ts'

const only = process.env.ONLY?.split(',')
const definitions = await loadProviders(undefined, name => !only || only.includes(name))
const run = await startContract(t, definitions)
// A date in a token response is by the machine's clock, ahead of which the gateway's goes with every definition.
const datesFirst = definitions.toSorted((a, b) => Number(hasDate(b)) - Number(hasDate(a)))
function hasDate({ methods }: (typeof definitions)[number]) { return methods.oauth2?.tokenResponse?.expiresAt !== undefined }
for (const definition of datesFirst)
  t.test(definition.name, async t => {
    const s = performance.now()
    for (const { title, without, problem } of await run(definition)) {
      if (problem) t.fail(title + ': ' + problem)
      else if (without) t.comment(without)
      else t.pass(title)
    }
    t.comment(performance.now() - s)
  })

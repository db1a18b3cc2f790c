import type { Test } from 'tap'
import type { Method } from '../../src/contract/contract.ts'
import { type ContractOptions, openContract } from '../../src/contract/open-contract.ts'
import type { Provider } from '../../src/core/provider/definition.ts'

/** @returns what runs the suite for one of the definitions */
export async function startContract(t: Test, definitions: readonly Provider[], options?: ContractOptions) {
  const { run, close } = await openContract(definitions, options)
  t.teardown(close)
  return run
}

/** Runs the suite for all definitions. What says nothing of any of them would be no test. */
export async function testAll(t: Test, definitions: readonly Provider[], method: Method): Promise<void> {
  const run = await startContract(t, definitions)
  const applied = new Map<string, number>()
  for (const definition of definitions.toSorted((a, b) => Number(hasDates(b)) - Number(hasDates(a))))
    await t.test(definition.name, async t => {
      for await (const { title, without, problem } of run(definition, method)) {
        applied.set(title, (applied.get(title) ?? 0) + (without === undefined ? 1 : 0))
        if (problem !== undefined) t.fail(`${title}: ${problem}`)
        else t.pass(without === undefined ? title : `${title}: ${without}`)
      }
    })
  const none = method === 'oauth2' ? 'a user signs in' : 'a user gives a key'
  t.same(
    [...applied].filter(([title, count]) => count === 0 && title !== none),
    [],
    'every step says something of a definition'
  )
  t.comment([...applied].map(([title, count]) => `${title}: ${count}`).join('\n'))
}

/** A date is by the machine's clock, ahead of which the gateway's goes with every definition. */
const hasDates = ({ methods }: Provider): boolean => methods.oauth2?.tokenResponse?.expiresAt !== undefined

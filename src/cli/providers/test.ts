import type { Method, StepResult } from '../../contract/contract.ts'
import { openContract } from '../../contract/open-contract.ts'
import type { Provider } from '../../core/provider/definition.ts'
import type { CommandContext } from '../command.ts'
import { readDefinitions } from './read-definition.ts'

/** Plays the definitions of a file in the sandbox, and what users do with them. @returns the exit code: 1 if a step does not hold */
export async function testDefinitions(
  file: string,
  { json }: { readonly json: boolean },
  { print }: Pick<CommandContext, 'print'>
): Promise<number> {
  const read = await readDefinitions(file)
  const problems = read.flatMap(one => one.problems ?? [])
  if (problems.length > 0) {
    print(json ? `${JSON.stringify({ file, problems })}\n` : `${file} cannot be tested:\n${problems.map(line => `  - ${line}\n`).join('')}`)
    return 1
  }
  let isGood = true
  for (const { definition } of read)
    if (definition)
      for await (const [method, step] of stepsOf(definition)) {
        isGood &&= step.problem === undefined
        print(json ? `${JSON.stringify({ provider: definition.name, method, ...step })}\n` : describe(step))
      }
  return isGood ? 0 : 1
}

/** Each definition has a gateway of its own: two in a file may have the same name. */
async function* stepsOf(definition: Provider): AsyncGenerator<readonly [Method, StepResult]> {
  const contract = await openContract([definition])
  try {
    for (const method of ['oauth2', 'apiKey'] as const) for await (const step of contract.run(definition, method)) yield [method, step]
  } finally {
    await contract.close()
  }
}

function describe({ title, without, problem }: StepResult): string {
  if (problem !== undefined) return `FAILED  ${title}\n${problem.replace(/^/gm, '          ')}\n`
  return without === undefined ? `ok      ${title}\n` : `-       ${without}\n`
}

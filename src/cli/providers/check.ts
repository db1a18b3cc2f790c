import type { CommandContext } from '../command.ts'
import { readDefinition } from './read-definition.ts'

/** @returns the exit code: 1 if a definition has a problem */
export async function checkDefinitions(
  files: readonly string[],
  { json }: { readonly json: boolean },
  { print }: CommandContext
): Promise<number> {
  const filesByName = new Map<string, string>()
  let isGood = true
  for (const file of files) {
    const { definition, problems: found = [] } = await readDefinition(file)
    const name = definition?.name
    const other = name === undefined ? undefined : filesByName.get(name)
    const problems = other === undefined ? found : [`name is ${JSON.stringify(name)}, as in ${other}. Each needs a name of its own.`]
    if (name !== undefined && other === undefined) filesByName.set(name, file)
    isGood &&= problems.length === 0
    print(json ? `${JSON.stringify({ file, name, problems })}\n` : describe(file, name, problems))
  }
  return isGood ? 0 : 1
}

function describe(file: string, name: string | undefined, problems: readonly string[]): string {
  if (problems.length === 0) return `${file}: ${name} is valid.\n`
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return `${file}: ${count}\n${problems.map(problem => `  - ${problem}\n`).join('')}`
}

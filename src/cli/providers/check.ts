import type { ReadDefinition } from '../../config/definitions/read-file.ts'
import { hostWarnings } from '../../config/provider-parameters.ts'
import { isReservedName, reservedNameProblem } from '../../config/variable-prefix.ts'
import type { Provider } from '../../core/provider/definition.ts'
import { guessesOf } from '../../core/provider/guesses.ts'
import type { CommandContext } from '../command.ts'
import { readFolderOrFile } from './read-definition.ts'

type Result = {
  readonly file: string
  readonly name?: string | undefined
  readonly problems: readonly string[]
  /** What is valid and may be wrong. */
  readonly warnings: readonly string[]
}

/** @returns the exit code: 1 if a definition has a problem */
export async function checkDefinitions(
  files: readonly string[],
  { json }: { readonly json: boolean },
  { print }: CommandContext
): Promise<number> {
  const filesByName = new Map<string, string>()
  let isGood = true
  for (const file of files)
    for (const read of await readFolderOrFile(file)) {
      const result = resultOf(read, filesByName)
      isGood &&= result.problems.length === 0
      print(json ? `${JSON.stringify(result)}\n` : describe(result))
    }
  return isGood ? 0 : 1
}

function resultOf({ from: file, definition, problems }: ReadDefinition, filesByName: Map<string, string>): Result {
  if (!definition) return { file, problems, warnings: [] }
  const { name } = definition
  const other = filesByName.get(name)
  if (other !== undefined)
    return { file, name, problems: [`name is ${JSON.stringify(name)}, as in ${other}. Each needs a name of its own.`], warnings: [] }
  if (isReservedName(name)) return { file, name, problems: [reservedNameProblem(name)], warnings: [] }
  filesByName.set(name, file)
  const guesses = guessesOf(definition).map(facts => `"${facts}" is from a guide alone: try it before your users do`)
  return { file, name, problems: [], warnings: [...hostWarnings(definition), ...scopeWarnings(definition), ...guesses] }
}

/** Most servers issue an ID token for this scope alone (OpenID Connect Core 1.0 §3.1.2.1). Some, such as Apple's, always do. */
function scopeWarnings({ methods: { oauth2 } }: Provider): string[] {
  if (oauth2?.account?.from !== 'id_token' || oauth2.scopes.includes('openid')) return []
  return ['methods.oauth2.scopes is without openid: most vendors send the ID token, from which the account is read, for that scope alone']
}

function describe({ file, name, problems, warnings }: Result): string {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const title = problems.length === 0 ? `${name} is valid.` : count
  return `${file}: ${title}\n${[...problems, ...warnings.map(warning => `warning: ${warning}`)].map(line => `  - ${line}\n`).join('')}`
}

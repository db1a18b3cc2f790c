import { readFile, stat } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { defineProvider } from '../../core/provider/define-provider.ts'
import type { Provider } from '../../core/provider/definition.ts'

/** The definition in a file, or all that is wrong with it. */
export type ReadDefinition =
  | { readonly definition: Provider; readonly problems?: never }
  | { readonly definition?: never; readonly problems: readonly string[] }

const moduleExtensions = ['.ts', '.mts', '.js', '.mjs']

/** Never rejects: what is wrong is for the author to read. */
export async function readDefinition(file: string): Promise<ReadDefinition> {
  try {
    return { definition: defineProvider((await load(resolve(file))) as Provider) }
  } catch (error) {
    return { problems: problemsOf(error as Error) }
  }
}

async function load(path: string): Promise<unknown> {
  if (!(await stat(path)).isFile()) throw new AuthorError('is not a file. Give the path of one definition.')
  const extension = extname(path)
  if (extension === '.json') return JSON.parse((await readFile(path, 'utf8')).replace(/^\ufeff/, ''))
  if (!moduleExtensions.includes(extension)) throw new AuthorError('must end in .json, .ts or .js.')
  const { default: exported } = (await import(pathToFileURL(path).href)) as { default?: unknown }
  if (exported === undefined) throw new AuthorError('exports no definition: it must be the default export, as in "export default { … }".')
  // A definition that is called with the operator's part of it has its fields as properties.
  return typeof exported === 'function' ? { ...exported } : exported
}

/** A sentence that begins with what it is about. */
class AuthorError extends Error {}

function problemsOf(error: Error & { code?: string; problems?: unknown }): readonly string[] {
  // Compared by name: a file may import its `defineProvider` from another copy of Grantkeeper.
  if (error.name === 'DefinitionError' && Array.isArray(error.problems))
    return error.problems.map(({ field, requirement }) => `${field} ${requirement}`)
  if (error instanceof AuthorError) return [error.message]
  if (error.code === 'ENOENT' || error.code === 'EACCES') return [`cannot be read (${error.code}).`]
  // The stack of a syntax error in TypeScript begins with its place.
  const [, place] = /^(\S+:\d+)\n/.exec(error.stack ?? '') ?? []
  return [`cannot be loaded: ${error.message}${place === undefined ? '' : ` (${place})`}`]
}

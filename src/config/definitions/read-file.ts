import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DefinitionError, defineProvider } from '../../core/provider/define-provider.ts'
import type { Provider } from '../../core/provider/definition.ts'
import { isObject } from '../../core/provider/rules.ts'
import { packageSpecifier } from './module-hooks.ts'

/** A definition, or all that is wrong with what should be one. `from` is where it was read. */
export type ReadDefinition =
  | { readonly from: string; readonly name: string; readonly definition: Provider; readonly problems?: never }
  | BrokenDefinition

export type BrokenDefinition = {
  readonly from: string
  /** That of the provider; of its file, if nothing else is known. */
  readonly name: string
  readonly definition?: never
  /** Each names its field where it is about one. */
  readonly problems: readonly string[]
}

const moduleExtensions = ['.ts', '.mts', '.js', '.mjs']
export const definitionExtensions: readonly string[] = ['.json', ...moduleExtensions]

/**
 * The definitions of a file: what JSON has, or what a module exports. Run it within `withModuleHooks`.
 * @param from how the file is called in problems
 */
export async function readDefinitionFile(path: string, from: string): Promise<ReadDefinition[]> {
  const load = async () => {
    const extension = extname(path)
    if (extension === '.json') return [parseJson(await readFile(path, 'utf8'))].flat()
    if (moduleExtensions.includes(extension)) return exportedBy(await import(pathToFileURL(path).href))
    throw new AuthorError('must end in .json, .ts, .mts, .js or .mjs.')
  }
  return readAll(load, from, basename(path).replace(/\.\w+$/, ''))
}

/** The definitions that a package exports. */
export const readDefinitionPackage = (name: string): Promise<ReadDefinition[]> =>
  readAll(async () => exportedBy(await import(packageSpecifier(name))), name, name)

async function readAll(load: () => Promise<unknown[]>, from: string, fallback: string): Promise<ReadDefinition[]> {
  try {
    const values = await load()
    if (values.length === 0)
      throw new AuthorError('has no definition: a file has it as its default export, as in "export default { … }", a package also by name.')
    return values.map(value => readValue(value, from, values.length === 1 ? fallback : ''))
  } catch (error) {
    const name = error instanceof Error && 'provider' in error && typeof error.provider === 'string' ? error.provider : fallback
    return [{ from, name, problems: problemsOf(error as Error) }]
  }
}

function readValue(value: unknown, from: string, fallback: string): ReadDefinition {
  // A definition that is called with the operator's part of it has its fields as properties.
  const data: unknown = typeof value === 'function' ? { ...value } : value
  const name = isObject(data) && typeof data.name === 'string' ? data.name : fallback
  try {
    return { from, name, definition: defineProvider(data as Provider) }
  } catch (error) {
    return { from, name, problems: problemsOf(error as Error) }
  }
}

/** Editors read `$schema`, and nothing else does. */
function parseJson(text: string): unknown {
  const withoutSchema = (value: unknown) => {
    if (!isObject(value)) return value
    const { $schema: _, ...definition } = value
    return definition
  }
  const parsed: unknown = JSON.parse(text.replace(/^\ufeff/, ''))
  return Array.isArray(parsed) ? parsed.map(withoutSchema) : withoutSchema(parsed)
}

/** The default export, which may be a list; else all exports that look like definitions. */
function exportedBy({ default: main, ...named }: { readonly default?: unknown }): unknown[] {
  if (main !== undefined) return [main].flat()
  return Object.values(named).filter(value => typeof Object(value).name === 'string' && Object(value).methods !== undefined)
}

/** A sentence that begins with what it is about. */
class AuthorError extends Error {}

function problemsOf(error: Error & { code?: string; problems?: unknown }): readonly string[] {
  // Compared by name: a file may import its `defineProvider` from another copy of Grantkeeper.
  if (error.name === DefinitionError.name && Array.isArray(error.problems))
    return error.problems.map(({ field, requirement }) => `${field} ${requirement}`)
  if (error instanceof AuthorError) return [error.message]
  switch (error.code) {
    case 'ENOENT':
    case 'EACCES':
    case 'EISDIR':
      return [`cannot be read (${error.code}).`]
    case 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING':
      return [
        'is TypeScript in node_modules, which Node.js does not run. A package exports JavaScript: compile it, or give the file itself.'
      ]
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return [`${placeOf(error)}has TypeScript that is more than types, such as an enum, which Node.js does not run: ${error.message}.`]
  }
  return [`cannot be loaded: ${placeOf(error)}${error.message}${cureOf(error)}`]
}

/** Which of the two kinds of module a file is, is said by its name or by the package.json beside or above it, not by its content. */
const cureOf = ({ message }: Error): string =>
  /outside a module|Unexpected token 'export'|'import\.meta'/.test(message)
    ? '. Node.js takes the file for CommonJS: name it .mts (.mjs for JavaScript), or set "type": "module" in the package.json beside it.'
    : ''

/** The stack of a syntax error begins with its place. */
function placeOf({ stack = '' }: Error): string {
  const [, line] = /^\S+:(\d+)\n/.exec(stack) ?? []
  return line === undefined ? '' : `line ${line}: `
}

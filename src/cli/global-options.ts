import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

/** What every command has in common, and what is left for the one that is asked for. */
export type GlobalOptions = {
  readonly name: string | undefined
  readonly args: readonly string[]
  readonly wantsHelp: boolean
  readonly wantsVersion: boolean
  /** In the order in which they are given. */
  readonly envFiles: readonly string[]
}

const options = {
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
  'env-file': { type: 'string' }
} as const

/**
 * Takes the options of all commands out of the arguments, wherever they stand before a `--`.
 * @throws {UsageError} for `--env-file` without a file
 */
export function readGlobalOptions(given: readonly string[]): GlobalOptions {
  const { tokens } = parseArgs({ args: [...given], options, strict: false, allowPositionals: true, tokens: true })
  const taken = new Set<number>()
  const seen = new Set<string>()
  const envFiles: string[] = []
  for (const token of tokens) {
    if (token.kind !== 'option' || !Object.hasOwn(options, token.name)) continue
    taken.add(token.index)
    seen.add(token.name)
    if (token.name !== 'env-file') continue
    if (!token.value) throw new UsageError('--env-file needs a file, for example --env-file production.env.')
    if (!token.inlineValue) taken.add(token.index + 1)
    envFiles.push(token.value)
  }
  const command = tokens.find(token => token.kind === 'positional' && !taken.has(token.index))
  return {
    name: command?.kind === 'positional' ? command.value : undefined,
    args: given.filter((_, index) => index !== command?.index && !taken.has(index)),
    wantsHelp: seen.has('help'),
    wantsVersion: seen.has('version'),
    envFiles
  }
}

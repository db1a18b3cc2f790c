import { type ParseArgsConfig, parseArgs } from 'node:util'
import { didYouMean } from '../core/util/nearest-name.ts'
import { UsageError } from './usage-error.ts'

/**
 * `parseArgs` of node:util for a command.
 * @throws {UsageError} for arguments that do not fit, with the option that was probably meant
 */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new UsageError((code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknownOption(config)) || `${message}.`)
  }
}

function unknownOption({ args = [], options = {} }: ParseArgsConfig): string | undefined {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true })
  const unknown = tokens.find(token => token.kind === 'option' && !Object.hasOwn(options, token.name))
  if (unknown?.kind !== 'option') return undefined
  const known = Object.keys(options).map(name => `--${name}`)
  const meant = didYouMean(unknown.rawName, known)
  const list = known.length === 0 ? ' It has none but --help and --env-file.' : ` It has ${known.join(', ')}.`
  return `${unknown.rawName} is not an option of this command.${meant === '' ? list : meant}`
}

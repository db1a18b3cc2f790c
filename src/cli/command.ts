import type { Environment } from '../config/environment.ts'

/** What a command works with. Tests and the program pass the same. */
export type CommandContext = {
  /** The environment, with what `--env-file` adds. */
  readonly variables: Environment
  /** Writes text to standard output, as it is. */
  readonly print: (text: string) => void
  /** Writes text to standard error, as it is. */
  readonly printError: (text: string) => void
}

/** One command of `grantkeeper`. */
export type Command = {
  /** One line, for the list of commands. */
  readonly summary: string
  /** The whole help text, which begins with `Usage:`. */
  readonly help: string
  /**
   * @param args what follows the command's name, without `--help` and `--env-file`
   * @returns the exit code
   * @throws {UsageError} for arguments that are not understood; `ConfigError` for the environment
   */
  run(args: readonly string[], context: CommandContext): Promise<number>
}
